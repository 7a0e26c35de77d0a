"""Another owner, name, ids, accounts, region and zones."""

from tests.adoption import changes
from tests.adoption.fork import Fork


def test_a_fork_of_another_owner_edits_what_is_its_own(fork: Fork) -> None:
    # With the other kind of subjects, and its pipeline, it is tried with all other changes, in test_everything.py.
    edited = changes.take_over(fork, subject_has_ids=fork.project.repository.subject_has_ids)
    fork.check()
    assert fork.touched() == edited
