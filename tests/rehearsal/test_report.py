"""The page on what a rehearsal showed."""

from pathlib import Path

import pytest

from tests.github.state import Pull, State
from tests.rehearsal import events, report
from tests.rehearsal.act import Job, Step
from tests.rehearsal.report import Played
from tests.rehearsal.run import Run


@pytest.fixture
def page(tmp_path: Path) -> str:
    pull = Pull(1, "branch-1", "1" * 40, "A <b>change</b>")
    failed = Step("Try it", "failure", 3, ["<it failed>\n"])
    jobs = {
        "preview": Job("preview", 1, 4, "failure", {"smoke": failed}, refusals=["AWS does not give it"]),
        "remove": Job("remove", 1, 1),
    }
    run = Run("1001", "pull-request.yml", events.pull_request(pull, "opened", "2" * 40), 1, 5, jobs)
    comment = {"issue": 1, "user": {"login": "bot"}, "edits": 2, "body": "**Changes**\n\n<details>x</details>"}
    state = State(pulls={1: pull}, comments=[comment])
    report.write(tmp_path / "report.html", [Played("fork", "A fork.", 4, "it was <not> green", [run])], state, 9)
    return (tmp_path / "report.html").read_text()


def test_it_tells_the_verdict_the_jobs_the_refusals_and_the_times(page: str) -> None:
    for expected in ("Failed: fork, in 9 s.", "pull-request.yml for pull request 1 opened", "skipped: remove"):
        assert expected in page
    for expected in ("AWS does not give it", "Try it</td><td>3 s", "left: 0.0%; width: 75.0%"):
        assert expected in page


def test_it_shows_comments_as_github_would(page: str) -> None:
    assert "<strong>Changes</strong>" in page
    assert "<details>x</details>" in page


def test_it_quotes_what_others_wrote(page: str) -> None:
    for expected in ("&lt;it failed&gt;", "it was &lt;not&gt; green", "A &lt;b&gt;change"):
        assert expected in page


def test_it_needs_nothing_from_elsewhere(page: str) -> None:
    assert "default-src 'none'" in page
    assert "src=" not in page.replace("default-src", "").replace("style-src", "")
