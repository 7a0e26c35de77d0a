"""Show what runs where: the executions of each version of each function, counted by their status."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from rich.console import RenderableType
from rich.table import Table

from infra.aws import previews
from infra.aws.clock import Clock
from infra.aws.execution import ENDED, NOT_ENDED, Listed
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.console.report import Report
from infra.pipeline.arguments import add_function, add_pull_request
from infra.pipeline.callback import waits
from infra.pipeline.drain import LISTED_AT_MOST, lines


@dataclass(frozen=True)
class OnVersion:
    """The executions of one version, by status, and the oldest that has not ended."""

    version: str
    counts: Counter[str]
    oldest: Listed | None


@dataclass(frozen=True)
class OnFunction:
    """The executions of one function, by version, newest version first, and what those wait for that have not ended."""

    function: DeployedFunction
    live: str | None
    closed: bool
    versions: list[OnVersion]
    waits: list[str]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `executions` takes."""
    add_pull_request(parser)
    add_function(parser)


def run(target: Target, arguments: Namespace) -> Report:  # noqa: ARG001 - it takes none beside its target
    """Show them. Exit code 0, also where there is no function."""
    found = [
        _look(each, function) for each in previews.with_functions(target) for function in each.deployed_functions()
    ]
    found = [each for each in found if each.versions]
    told = [line for each in found for line in _lines(each, target.clock)]
    return Report({"functions": [_facts(each) for each in found]}, told or [previews.none_found(target)])


def by_version(found: Iterable[Listed], numbers: Iterable[str]) -> list[OnVersion]:
    """Sort executions by their versions, newest version first.

    Args:
        found: the executions, also those of versions that are gone, as long as Lambda remembers them.
        numbers: the versions that there are, also those on which nothing ever ran.
    """
    sorted_out: dict[str, list[Listed]] = {number: [] for number in numbers}
    for each in found:
        sorted_out.setdefault(each.version, []).append(each)
    # Executions that were started on $LATEST.PUBLISHED come last.
    ordered = sorted(sorted_out.items(), key=lambda item: int(item[0]) if item[0].isdigit() else 0, reverse=True)
    return [OnVersion(version, Counter(each.status for each in on), _oldest(on)) for version, on in ordered]


def _look(target: Target, function: DeployedFunction) -> OnFunction:
    listed = list(function.executions())
    oldest = sorted((each for each in listed if each.status in NOT_ENDED), key=lambda each: each.started)
    waiting = list(waits(target, function, oldest[:LISTED_AT_MOST]))
    return OnFunction(function, function.live(), function.is_closed(), by_version(listed, function.versions()), waiting)


def _oldest(on: list[Listed]) -> Listed | None:
    return min((each for each in on if each.status in NOT_ENDED), key=lambda each: each.started, default=None)


def _lines(on: OnFunction, clock: Clock) -> Iterator[RenderableType]:
    yield ""
    yield f"{on.function.name}{', closed by a drain' if on.closed else ''}"
    yield _table(on)
    oldest = [each.oldest for each in on.versions if each.oldest]
    if oldest:
        yield "The oldest that has not ended:"
        yield from (f"  {line}" for line in lines(clock, oldest))
    yield from on.waits


def _table(on: OnFunction) -> Table:
    """Draw a row per version, and a column per status that occurs."""
    statuses = [status for status in (*NOT_ENDED, *ENDED) if any(each.counts[status] for each in on.versions)]
    table = Table("version", box=None, pad_edge=False, header_style="dim")
    for status in statuses:
        table.add_column(status, justify="right")
    for each in on.versions:
        counts = (str(each.counts[status] or "") for status in statuses)
        table.add_row(f"{each.version}{' live' if each.version == on.live else ''}", *counts)
    return table


def _facts(on: OnFunction) -> dict[str, object]:
    return {
        "function": on.function.name,
        "closed": on.closed,
        "waits": on.waits,
        "versions": [
            {
                "version": each.version,
                "live": each.version == on.live,
                "executions": each.counts,
                "oldest": each.oldest and asdict(each.oldest),
            }
            for each in on.versions
        ],
    }
