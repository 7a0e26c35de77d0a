"""The comment on a pull request, against a stand-in for the part of GitHub's API that it uses."""

import json
from pathlib import Path

import pytest

from infra import ROOT
from infra.environment import load
from infra.errors import UsageError
from infra.pipeline import comment
from infra.pipeline.__main__ import main
from infra.replay import RECORDED
from tests.github.state import State

ALIAS = "arn:aws:lambda:eu-west-1:111111111111:function:orders-pr-7:live"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TIMELINE = [
    {
        "kind": "step",
        "name": "validate-order",
        "start": "2026-01-01 00:00:00+00:00",
        "end": "2026-01-01 00:00:01+00:00",
        "outcome": "succeeded",
    }
]


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    for name, content in {
        "deploy": {"alias_arn": ALIAS, "version": "3"},
        "smoke": {"problems": [], "timeline": TIMELINE},
        "diff-prod": {"warnings": ["orders-prod: IAM Statement Changes"], "changes": {"orders-prod": "[+] a role"}},
    }.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def render(folder: Path) -> str:
    return comment.render(load("preview"), "orders-pr-7", COMMIT, comment.read_reports(folder))


def test_it_tells_commit_alias_timeline_changes_and_how_to_invoke(reports: Path) -> None:
    text = render(reports)
    assert text.startswith(comment.MARKER)
    for expected in (COMMIT[:12], ALIAS, "version `3`", "The smoke order passed", "gantt", "validate-order"):
        assert expected in text
    for expected in ("aws lambda invoke", "eu-west-1", "IAM Statement Changes", "[+] a role", "is closed"):
        assert expected in text


def test_a_failed_smoke_order_is_told_with_its_problems(reports: Path) -> None:
    (reports / "smoke.json").write_text(json.dumps({"problems": ["it ended as FAILED"], "timeline": []}))
    text = render(reports)
    assert "The smoke order failed" in text
    assert "it ended as FAILED" in text


def test_without_reports_it_says_that_there_is_no_preview(tmp_path: Path) -> None:
    assert "There is no preview" in render(tmp_path)


def test_what_a_pull_request_s_jobs_left_can_not_forge_the_comment(reports: Path) -> None:
    hostile = "```\n<img src=x>\n# Approved\n@everyone"
    (reports / "deploy.json").write_text(json.dumps({"alias_arn": hostile, "version": hostile}))
    (reports / "smoke.json").write_text(
        json.dumps({"problems": [hostile], "timeline": [TIMELINE[0] | {"name": hostile, "kind": hostile}]})
    )
    (reports / "diff-prod.json").write_text(json.dumps({"warnings": [hostile], "changes": {hostile: hostile}}))
    assert "--function-name orders-pr-7:live " in render(reports)
    outside: list[str] = []
    fence = ""
    for line in render(reports).splitlines():
        if not fence and line.startswith("```"):
            fence = line[: len(line) - len(line.lstrip("`"))]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    assert fence == ""
    assert not [line for line in outside if "<img" in line or line.startswith(("# ", "@"))]


@pytest.mark.parametrize("content", ["{", "[]", '{"alias_arn": 7}'])
def test_a_report_of_another_form_is_refused(content: str, reports: Path) -> None:
    (reports / "deploy.json").write_text(content)
    with pytest.raises(UsageError, match=r"deploy\.json"):
        comment.read_reports(reports)


def publish(reports: Path) -> int:
    options = ["--pull-request", "7", "--commit", COMMIT, "--reports", str(reports)]
    return main(["comment", "--environment", "preview", *options])


def test_the_first_run_writes_a_comment_and_the_next_updates_it(reports: Path, github: State) -> None:
    github.add_pull(7)
    github.add_comment(7, f"{comment.MARKER} not ours", author="somebody")
    assert publish(reports) == 0
    (reports / "deploy.json").write_text(json.dumps({"alias_arn": ALIAS, "version": "4"}))
    assert publish(reports) == 0
    others, ours = github.comments_of(7)
    assert (others["edits"], ours["edits"]) == (0, 1)
    assert "version `4`" in ours["body"]


def test_recorded_histories_that_change_are_named(reports: Path, github: State) -> None:
    recorded = min(RECORDED.glob("*.json")).relative_to(ROOT)
    files = github.add_pull(7).files
    files.append("README.md")
    assert publish(reports) == 0
    assert "recorded histories" not in github.comments[0]["body"]
    files.append(str(recorded))
    assert publish(reports) == 0
    assert f"- `{recorded}`" in github.comments[0]["body"]
    assert "README.md" not in github.comments[0]["body"]


def test_outside_a_workflow_it_names_the_missing_variable(
    reports: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "token")
    assert publish(reports) == 2
    assert "GITHUB_API_URL is not set" in capsys.readouterr().err
