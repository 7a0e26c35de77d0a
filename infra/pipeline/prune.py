"""Delete the versions that nobody needs, and let those that stay without being live keep as little as they can.

Each published version keeps execution environments, which are paid for, until it is deleted.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import RenderableType
from rich.table import Table

from infra import naming
from infra.aws import versions
from infra.aws.execution import APPEARS_WITHIN_SECONDS, running
from infra.aws.session import open_session
from infra.aws.stack import deployed_at, describe, outputs_of
from infra.console import age, markdown
from infra.console.output import show
from infra.console.progress import doing
from infra.environment import Environment
from infra.pipeline.arguments import add_pull_request

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# The smallest for a version that executions may run on. 0 takes a maximum of 0, which deactivates the version, and then
# its executions could never resume (Lambda developer guide, scaling of Managed Instances).
SMALLEST_FLOOR = 1
# With this many versions on a capacity provider there is a warning.
MANY_VERSIONS = 80

# Longer than a start may take until it can be read.
SETTLED_AFTER = timedelta(seconds=2 * APPEARS_WITHIN_SECONDS)

COLUMNS = ("version", "", "running", "environments", "why")


@dataclass(frozen=True)
class Seen:
    """What a function was like when it was looked at.

    Args:
        function: its name.
        floors: its versions by their numbers, newest first, and how many execution environments each keeps at least.
        aliases: how aliases name versions.
        running: on how many executions that have not ended each version runs.
        deployed: the version of its stack: what CloudFormation goes back to when a deployment fails.
        hold: why nothing of it may be touched at this moment, if so.
    """

    function: str
    floors: Mapping[str, int]
    aliases: Mapping[str, str]
    running: Mapping[str, int]
    deployed: str | None
    hold: str | None


@dataclass
class Outcome:
    """What is to become of a version, and what became of it. Floors are the execution environments that it keeps."""

    function: str
    version: str
    due: bool
    reason: str
    running: int
    floor: int
    floor_after: int
    failure: str | None = None


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `prune` takes."""
    add_pull_request(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")


def run(environment: Environment, arguments: Namespace) -> int:
    """Prune. Exit code 1 when something could not be deleted or scaled down; the rest still is."""
    session = open_session(environment)
    on_provider = versions.on_provider(session, environment)
    outcomes: list[Outcome] = []
    failures: list[str] = []
    for function in versions.functions(session, environment, arguments.pull_request):
        try:
            outcomes += prune(session, environment, function, dry_run=arguments.dry_run)
        except (BotoCoreError, ClientError) as error:
            # The other functions are still to be pruned.
            failures.append(f"{function} could not be looked at: {error}")
    failures += [f"{each.function}:{each.version}: {each.failure}" for each in outcomes if each.failure]
    if on_provider is not None and not arguments.dry_run:
        on_provider -= sum(each.due and not each.failure for each in outcomes)
    facts = {
        "dry_run": arguments.dry_run,
        "versions": [asdict(each) for each in outcomes],
        "freed_environments": sum(each.floor - each.floor_after for each in outcomes),
        "versions_on_provider": on_provider,
        "failures": failures,
    }
    if not outcomes and not failures:
        told = [versions.none_found(environment, arguments.pull_request)]
        show(arguments, facts, told, told[0])
        return 0
    rows = [_row(each, dry_run=arguments.dry_run) for each in outcomes]
    told = list(_told(environment, facts))
    show(arguments, facts, [_table(rows), "", *told], _markdown(rows, told))
    return 1 if failures else 0


def prune(session: boto3.Session, environment: Environment, function: str, *, dry_run: bool) -> list[Outcome]:
    """Prune the versions of one function, and return what became of each, newest first."""
    with doing(f"Versions of {function}"):
        outcomes = decide(look(session, function), environment.function.retained_versions)
        for outcome in outcomes:
            if not dry_run:
                _carry_out(session.client("lambda"), outcome)
    return outcomes


def look(session: boto3.Session, function: str) -> Seen:
    """Look at a function. Nothing is changed."""
    client = session.client("lambda")
    # The versions come before the stack. A deployment publishes one that no alias names yet: if it is listed here, then
    # the stack is in progress, or has failed halfway.
    floors = {version: versions.floor(client, function, version) for version in versions.numbered(client, function)}
    stack = describe(session, function)
    hold = None
    if stack is None:
        hold = f"there is no stack {function}"
    elif not stack["StackStatus"].endswith("_COMPLETE"):
        hold = f"its stack is {stack['StackStatus']}"
    elif age.since(deployed_at(stack)) < SETTLED_AFTER:
        hold = "it was deployed a moment ago, and what began on it just before may not be listed yet"
    return Seen(
        function=function,
        floors=floors,
        aliases=dict(_named(client, function)) if floors else {},
        running=Counter(each.version for each in running(client, function)),
        deployed=outputs_of(stack).get("Version") if stack else None,
        hold=hold,
    )


def decide(seen: Seen, retained: int) -> list[Outcome]:
    """Decide what is to become of each version of a function.

    Args:
        seen: the function.
        retained: how many of the versions that no alias names stay in any case, newest first.
    """
    others = [version for version in seen.floors if version not in seen.aliases]
    return [_decided(seen, version, is_retained=version in others[:retained]) for version in seen.floors]


def _decided(seen: Seen, version: str, *, is_retained: bool) -> Outcome:
    on_it, floor = seen.running.get(version, 0), seen.floors[version]
    # Callers reach what an alias names, so that its environments are left as they are.
    untouched = seen.aliases.get(version) or seen.hold
    kept = untouched or _reason_to_keep(seen, version, is_retained=is_retained)
    if not kept:
        return Outcome(seen.function, version, True, "nothing names it or runs on it", on_it, floor, 0)
    after = floor if untouched else min(floor, SMALLEST_FLOOR)
    return Outcome(seen.function, version, False, kept, on_it, floor, after)


def _reason_to_keep(seen: Seen, version: str, *, is_retained: bool) -> str | None:
    if seen.running.get(version):
        return "executions run on it"
    if version == seen.deployed:
        return "a deployment that fails goes back to it"
    return "retained, to go back to" if is_retained else None


def _named(client: "LambdaClient", function: str) -> Iterator[tuple[str, str]]:
    """Yield the versions that aliases name, and how; the live one last, which says the most."""
    pages = client.get_paginator("list_aliases").paginate(FunctionName=function)
    aliases = [alias for page in pages for alias in page["Aliases"]]
    for alias in sorted(aliases, key=lambda alias: alias.get("Name") == naming.ALIAS):
        name = alias.get("Name", "")
        for version in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}):
            yield version, f"the alias {name} sends it a part"
        yield alias.get("FunctionVersion", ""), "live" if name == naming.ALIAS else f"the alias {name} names it"


def _carry_out(client: "LambdaClient", outcome: Outcome) -> None:
    try:
        if outcome.due:
            _spare_if_used(client, outcome)
        if outcome.due:
            versions.delete(client, outcome.function, outcome.version)
        elif outcome.floor_after < outcome.floor:
            versions.set_floor(client, outcome.function, outcome.version, outcome.floor_after)
    except (BotoCoreError, ClientError) as error:
        # The other versions are still to be pruned.
        outcome.failure = str(error)
        outcome.floor_after = outcome.floor


def _spare_if_used(client: "LambdaClient", outcome: Outcome) -> None:
    """Look once more: somebody may have started an execution by the version's number."""
    outcome.running = sum(each.version == outcome.version for each in running(client, outcome.function))
    if outcome.running:
        outcome.due, outcome.reason = False, "executions have begun on it"
        outcome.floor_after = min(outcome.floor, SMALLEST_FLOOR)


def _told(environment: Environment, facts: Mapping[str, Any]) -> Iterator[str]:
    """Say what the table does not."""
    yield f"{facts['freed_environments']} execution environments {'would be' if facts['dry_run'] else 'were'} freed"
    on_provider = facts["versions_on_provider"]
    if on_provider is not None:
        yield f"{on_provider} of {versions.PROVIDER_QUOTA} versions are on the capacity provider of {environment.name}"
        if on_provider >= MANY_VERSIONS:
            yield (
                f"Warning: AWS takes no more than {versions.PROVIDER_QUOTA}, and then no deployment succeeds. Retain "
                f"fewer (function.retained_versions in environments/{environment.name}.toml), see to executions that "
                "do not end, or close previews"
            )
    yield from (f"Failed: {failure}" for failure in facts["failures"])


def _row(outcome: Outcome, *, dry_run: bool) -> tuple[str, ...]:
    done = "would be deleted" if dry_run else "deleted"
    fate = "failed" if outcome.failure else done if outcome.due else "kept"
    same = outcome.floor == outcome.floor_after
    floors = str(outcome.floor) if same else f"{outcome.floor} to {outcome.floor_after}"
    return f"{outcome.function}:{outcome.version}", fate, str(outcome.running), floors, outcome.reason


def _table(rows: list[tuple[str, ...]]) -> RenderableType:
    table = Table(*COLUMNS[:-1], box=None, pad_edge=False, header_style="dim")
    table.add_column(COLUMNS[-1], overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _markdown(rows: list[tuple[str, ...]], told: list[str]) -> str:
    table = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", *(f"- {markdown.code(line)}" for line in told)])
