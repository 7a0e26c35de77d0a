"""Running one command of the pipeline on a target of a test's own."""

from argparse import ArgumentParser
from io import StringIO
from types import ModuleType
from typing import Any

import pytest
from rich.console import Console

from infra.aws.target import Target
from infra.console.report import Report
from infra.environment import Environment
from tests.infra.fakes.aws import FakeAws


def target(aws: FakeAws, environment: Environment, pull_request: int | None = None, only: str | None = None) -> Target:
    """Return a target in an AWS in memory, on its clock."""
    return Target(environment, pull_request, only, aws.session(), aws.clock)


def run(command: ModuleType, on: Target, *options: str) -> Report:
    """Run a command with these options, those that say on what left out."""
    parser = ArgumentParser()
    command.add_arguments(parser)
    parser.set_defaults(verbose=False, pull_request=on.pull_request, function=on.only)
    return command.run(on, parser.parse_args(options))


def facts(report: Report) -> dict[str, Any]:
    """Return the facts of a report, to look into them."""
    return dict(report.facts)


def told(report: Report, columns: int = 100) -> str:
    """Return what a person reads of a report on a terminal of that width."""
    screen = StringIO()
    console = Console(file=screen, width=columns, highlight=False, markup=False, soft_wrap=True)
    for line in report.lines:
        console.print(line)
    return screen.getvalue()


class Terminal(StringIO):
    """Standard input where a person types."""

    def isatty(self) -> bool:
        return True


def typed(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Let a person answer so who is asked."""
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
