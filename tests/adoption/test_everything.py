"""All of it together, and then a merge of our next version."""

import re

from tests.adoption import changes
from tests.adoption.fork import Fork, is_theirs


def test_a_fork_that_changed_everything_takes_our_next_version(fork: Fork) -> None:
    # Our own repository's subjects have ids, so that `make rehearse` plays the other kind.
    changes.take_over(fork, subject_has_ids=not fork.project.repository.subject_has_ids)
    changes.rename(fork, "another")
    changes.add_environment(fork, "adopted")
    changes.add_function(fork, "adopted")
    assert [file for file in fork.touched() if not is_theirs(file)] == []
    theirs = fork.commit("Make it our own")
    next_version(fork)
    fork.git("switch", "--quiet", "main")
    fork.git("merge", "--quiet", "--no-edit", "next")
    assert set(fork.git("diff", "--name-only", theirs).split()) == CHANGED
    fork.check(everything=True)
    fork.rehearse("merge")


CHANGED = {"infra/naming.py", ".github/workflows/deploy.yml", "requirements.txt"}


def next_version(fork: Fork) -> None:
    """Make a later version of ours on a branch of its own: in infra/, in a workflow and in a lock."""
    fork.git("switch", "--quiet", "--create", "next", fork.ours)
    fork.append("infra/naming.py", "\n\n# What the next version has.\nNEXT = True\n")
    workflow = fork.folder / ".github" / "workflows" / "deploy.yml"
    text, count = re.subn(
        r"(?m)^    timeout-minutes: (\d+)$",
        lambda found: f"    timeout-minutes: {int(found[1]) + 1}",
        workflow.read_text(),
        count=1,
    )
    assert count == 1
    workflow.write_text(text)
    fork.append("requirements.txt", "# Locked anew.\n")
    fork.commit("Our next version")
