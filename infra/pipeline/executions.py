"""Show what runs where: the executions of each version of a function, counted by their status."""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from rich.console import RenderableType
from rich.table import Table

from infra.aws import versions
from infra.aws.alias import is_closed, live_version
from infra.aws.execution import ENDED, NOT_ENDED, Listed, executions
from infra.aws.session import open_session
from infra.console.output import show
from infra.environment import Environment
from infra.pipeline.arguments import add_pull_request
from infra.pipeline.drain import lines


@dataclass(frozen=True)
class OnVersion:
    """The executions of one version, by status, and the oldest that has not ended."""

    version: str
    counts: Counter[str]
    oldest: Listed | None


@dataclass(frozen=True)
class OnFunction:
    """The executions of one function, by version, newest version first."""

    function: str
    live: str | None
    closed: bool
    versions: list[OnVersion]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `executions` takes."""
    add_pull_request(parser)


def run(environment: Environment, arguments: Namespace) -> int:
    """Show them. Exit code 0, also where there is no function."""
    session = open_session(environment)
    client = session.client("lambda")
    found = [
        OnFunction(
            name,
            live_version(client, name),
            is_closed(client, name),
            by_version(executions(client, name), versions.numbered(client, name)),
        )
        for name in versions.functions(session, environment, arguments.pull_request)
    ]
    found = [each for each in found if each.versions]
    facts = {"functions": [_facts(each) for each in found]}
    none = versions.none_found(environment, arguments.pull_request)
    show(arguments, facts, [line for each in found for line in _lines(each)] or [none])
    return 0


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


def _oldest(on: list[Listed]) -> Listed | None:
    return min((each for each in on if each.status in NOT_ENDED), key=lambda each: each.started, default=None)


def _lines(on: OnFunction) -> Iterator[RenderableType]:
    yield ""
    yield f"{on.function}{', closed by a drain' if on.closed else ''}"
    yield _table(on)
    oldest = [each.oldest for each in on.versions if each.oldest]
    if oldest:
        yield "The oldest that has not ended:"
        yield from (f"  {line}" for line in lines(oldest))


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
        "function": on.function,
        "closed": on.closed,
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
