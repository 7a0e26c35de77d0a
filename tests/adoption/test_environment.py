"""One more environment in the promotion order."""

from tests.adoption import changes
from tests.adoption.fork import Fork


def test_an_environment_is_a_file_and_a_word(fork: Fork) -> None:
    edited = changes.add_environment(fork, "adopted")
    # Its pipeline is rehearsed with all other changes, in test_everything.py.
    fork.check()
    assert fork.touched() == edited
