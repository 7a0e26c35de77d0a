"""What a report leaves behind, for people, machines and GitHub."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.console.report import Report, show, write_outputs

FACTS: dict[str, object] = {
    "version": "7",
    "previous_version": None,
    "clean": False,
    "failed": 0,
    "stacks": {"acme-dev-billing": {}},
    "changes": ["one"],
    "note": "two\nlines",
}


@pytest.fixture
def outputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return tmp_path


def test_a_person_gets_lines_as_they_are_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["version 7 is live", "[-] AWS::SSM::Parameter [bold]Old[/bold] destroy", "x" * 300]
    show(Report(FACTS, lines))
    assert capsys.readouterr() == ("".join(f"{line}\n" for line in lines), "")


def test_a_machine_gets_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    show(Report({**FACTS, "deployed": datetime(2026, 1, 31, tzinfo=UTC)}, ["version 7 is live"]), as_json=True)
    assert json.loads(capsys.readouterr().out) == {**FACTS, "deployed": "2026-01-31 00:00:00+00:00"}


def test_a_file_holds_the_same_object(tmp_path: Path) -> None:
    file = tmp_path / "reports" / "deploy.json"
    show(Report(FACTS), file=file)
    assert json.loads(file.read_text()) == FACTS


def test_a_step_has_the_flat_facts_as_outputs_and_the_summary_after_what_was_there(outputs: Path) -> None:
    for name in ("output", "summary"):
        (outputs / name).write_text("before\n")
    show(Report(FACTS, markdown="### Deployed"))
    assert (outputs / "output").read_text() == "before\nversion=7\nprevious_version=\nclean=False\nfailed=0\n"
    assert (outputs / "summary").read_text() == "before\n### Deployed\n"


def test_where_there_is_no_markdown_there_is_no_summary(outputs: Path) -> None:
    show(Report(FACTS))
    assert not (outputs / "summary").exists()


def test_outputs_can_be_written_before_the_report(outputs: Path) -> None:
    write_outputs({"previous_version": "6"})
    assert (outputs / "output").read_text() == "previous_version=6\n"


def test_a_failure_is_told_on_standard_error_and_to_machines_as_well(
    outputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(Report.of_failure(2, "the digest is wrong"), as_json=True, file=outputs / "report.json")
    captured = capsys.readouterr()
    assert captured.err == "the digest is wrong\n"
    failure = {"error": "the digest is wrong", "exit_code": 2}
    assert json.loads(captured.out) == json.loads((outputs / "report.json").read_text()) == failure
    assert (outputs / "output").read_text() == "error=the digest is wrong\nexit_code=2\n"
