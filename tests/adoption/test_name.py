"""Another name of the project."""

from tests.adoption import changes
from tests.adoption.fork import Fork


def test_another_name_is_one_line(fork: Fork) -> None:
    edited = changes.rename(fork, "another")
    # All tests run with all changes, in test_everything.py.
    fork.run("make", "lint", "run")
    assert fork.touched() == edited
    assert fork.git("diff", "--cached", "--shortstat").split()[3::2] == ["1", "1"], "one line goes and one comes"
