"""What runs where, as it is counted and drawn."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.aws import versions
from infra.aws.execution import ENDED, NOT_ENDED, Listed
from infra.console import age
from infra.environment import load
from infra.pipeline import executions

NOW = datetime.now(UTC)
WIDTH = 100


def execution(version: str, status: str, minutes: int = 0, name: str = "order-1") -> Listed:
    return Listed(f"arn:{name}", name, version, status, NOW - timedelta(minutes=minutes))


class Functions:
    """Functions by their names, with executions; each has versions 10, 9 and 8, and 9 is live."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **found: list[Listed]) -> None:
        self._found = {name.replace("_", "-"): listed for name, listed in found.items()}
        self.closed = False
        monkeypatch.setattr(age, "since", NOW.__sub__)
        monkeypatch.setattr(executions, "open_session", self._session)
        monkeypatch.setattr(executions, "executions", self._executions)
        monkeypatch.setattr(executions, "live_version", self._live_version)
        monkeypatch.setattr(executions, "is_closed", self._is_closed)
        monkeypatch.setattr(versions, "numbered", self._numbered)

    def client(self, service: str) -> str:
        """Stand in for a session as well, of which nothing but the name of a client is looked at."""
        return service

    def _session(self, _: Any) -> "Functions":
        return self

    def _executions(self, _: Any, name: str) -> list[Listed]:
        return self._found.get(name, [])

    def _live_version(self, *_: str) -> str | None:
        return None if self.closed else "9"

    def _is_closed(self, *_: str) -> bool:
        return self.closed

    @staticmethod
    def none(*_: Any) -> list[Any]:
        """Find no preview."""
        return []

    def _numbered(self, _: Any, name: str) -> list[str]:
        return ["10", "9", "8"] if name in self._found else []


def run(folder: Path, *options: str, environment: str = "dev") -> list[dict[str, Any]]:
    parser = ArgumentParser()
    parser.set_defaults(json=False, report=folder / "report.json", verbose=False)
    executions.add_arguments(parser)
    assert executions.run(load(environment), parser.parse_args(options)) == 0
    return json.loads((folder / "report.json").read_text())["functions"]


def test_executions_are_counted_by_version_and_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = [
        execution("9", "RUNNING", 1, "young"),
        execution("9", "PAUSED", 40, "old"),
        execution("9", "SUCCEEDED", 50),
        execution("8", "PAUSING", 5, "pausing"),
        execution("8", "DELETING", 60),
        execution("2", "FAILED", 70),
        execution("$LATEST.PUBLISHED", "SUCCEEDED", 80),
    ]
    Functions(monkeypatch, orders_dev=found)
    (function,) = run(tmp_path)
    told = {each["version"]: each for each in function["versions"]}
    assert list(told) == ["10", "9", "8", "2", "$LATEST.PUBLISHED"]
    assert [version for version, each in told.items() if each["live"]] == ["9"]
    assert [each["executions"] for each in told.values()] == [
        {},
        {"RUNNING": 1, "PAUSED": 1, "SUCCEEDED": 1},
        {"PAUSING": 1, "DELETING": 1},
        {"FAILED": 1},
        {"SUCCEEDED": 1},
    ]
    oldest = {version: each["oldest"] and each["oldest"]["name"] for version, each in told.items()}
    assert oldest == {"10": None, "9": "old", "8": "pausing", "2": None, "$LATEST.PUBLISHED": None}


def test_a_person_reads_a_table_of_the_statuses_that_occur(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Functions(monkeypatch, orders_dev=[execution("9", "RUNNING", 12, "order-7"), execution("8", "SUCCEEDED", 30)])
    run(tmp_path)
    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert told[:6] == ["", "orders-dev", "version RUNNING SUCCEEDED", "10", "9 live 1", "8 1"]
    assert "order-7 on version 9: RUNNING, started 12 min ago" in told


def test_the_widest_table_fits_100_columns(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    Functions(monkeypatch, orders_dev=[execution("9", status) for status in (*NOT_ENDED, *ENDED)])
    run(tmp_path)
    told = capsys.readouterr().out
    assert all(status in told for status in (*NOT_ENDED, *ENDED))
    assert max(map(len, told.splitlines())) <= WIDTH


def test_a_closed_function_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Functions(monkeypatch, orders_dev=[]).closed = True
    (function,) = run(tmp_path)
    assert function["closed"]
    assert not any(each["live"] for each in function["versions"])
    assert "orders-dev, closed by a drain" in capsys.readouterr().out


@pytest.mark.parametrize(
    "case",
    [
        ("There is no function orders-dev", "dev"),
        ("preview has no preview", "preview"),
        ("There is no function orders-pr-7", "preview", "--pull-request", "7"),
    ],
)
def test_where_there_is_no_function_it_says_so(
    case: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told, environment, *options = case
    Functions(monkeypatch)
    monkeypatch.setattr(versions.previews, "find", Functions.none)
    assert run(tmp_path, *options, environment=environment) == []
    assert capsys.readouterr().out == f"{told}\n"
