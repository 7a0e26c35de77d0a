"""Another owner, name, ids, accounts, region and zones."""

from tests.adoption import changes
from tests.adoption.fork import Fork


def test_a_fork_whose_subjects_have_ids_edits_what_is_its_own(fork: Fork) -> None:
    edited = changes.take_over(fork, subject_has_ids=True)
    # Its pipeline is rehearsed with all other changes, in test_everything.py.
    fork.check()
    assert fork.touched() == edited


def test_a_fork_whose_subjects_have_none_edits_what_is_its_own(fork: Fork) -> None:
    edited = changes.take_over(fork, subject_has_ids=False)
    fork.check()
    fork.rehearse("merge")
    assert fork.touched() == edited
