"""What commands leave behind, for people, machines and GitHub."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from infra.console.output import show

FACTS: dict[str, Any] = {"version": "7", "previous_version": None, "stacks": {"orders-dev": {}}, "note": "two\nlines"}


def arguments(*, machine: bool = False, report: Path | None = None) -> Namespace:
    return Namespace(json=machine, report=report)


def test_a_person_gets_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show(arguments(), FACTS, ["version 7 is live"])
    assert capsys.readouterr().out == "version 7 is live\n"


def test_what_looks_like_markup_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    show(arguments(), FACTS, ["[-] AWS::SSM::Parameter [bold]Old[/bold] destroy"])
    assert capsys.readouterr().out == "[-] AWS::SSM::Parameter [bold]Old[/bold] destroy\n"


def test_a_machine_gets_one_object_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    show(arguments(machine=True), FACTS, ["version 7 is live"])
    assert json.loads(capsys.readouterr().out) == FACTS


def test_a_report_holds_the_same_object(tmp_path: Path) -> None:
    report = tmp_path / "reports" / "deploy.json"
    show(arguments(report=report), FACTS, [])
    assert json.loads(report.read_text()) == FACTS


def test_a_step_has_the_flat_facts_as_outputs_and_the_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output, summary = tmp_path / "output", tmp_path / "summary"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    show(arguments(), FACTS, [], "### Deployed")
    assert output.read_text() == "version=7\nprevious_version=\n"
    assert summary.read_text() == "### Deployed\n"
