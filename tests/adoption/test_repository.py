"""Another owner, name, ids, accounts, region and zones."""

import pytest

from tests.adoption import changes
from tests.adoption.fork import Fork


@pytest.mark.parametrize("subject_has_ids", [True, False], ids=["subjects with ids", "subjects without"])
def test_a_fork_of_another_owner_edits_what_is_its_own(fork: Fork, *, subject_has_ids: bool) -> None:
    edited = changes.take_over(fork, subject_has_ids=subject_has_ids)
    # Its pipeline is rehearsed with all other changes, in test_everything.py.
    fork.check()
    assert fork.touched() == edited
