"""Delete the versions that nobody needs, and let those that stay without being live keep as little as they can.

Each published version keeps instances of its own, which are paid for, until it is deleted or put to sleep.
"""

from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import RenderableType
from rich.table import Table

from infra import naming
from infra.aws import capacity_provider, previews
from infra.aws.function import APPEARS_WITHIN_SECONDS, DeployedFunction
from infra.aws.target import Target
from infra.console import markdown
from infra.console.progress import doing
from infra.console.report import Report
from infra.errors import CommandError
from infra.limits import CAPACITY_PROVIDER_VERSIONS
from infra.pipeline.arguments import add_function, add_pull_request

# Of a version that executions run on, and of one on which none does.
RUNNING_FLOOR, ASLEEP = 1, 0
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
    add_function(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")


def run(target: Target, arguments: Namespace) -> Report:
    """Prune. Exit code 1 when something could not be deleted or scaled down; the rest still is."""
    on_provider = capacity_provider.versions(target)
    outcomes: list[Outcome] = []
    failures: list[str] = []
    functions = [function for each in previews.with_functions(target) for function in each.deployed_functions()]
    for function in functions:
        try:
            outcomes += prune(target, function, dry_run=arguments.dry_run)
        except (BotoCoreError, ClientError, CommandError) as error:
            # The other functions are still to be pruned.
            failures.append(f"{function.name} could not be looked at: {error}")
    failures += [f"{each.function}:{each.version}: {each.failure}" for each in outcomes if each.failure]
    deleted = 0 if arguments.dry_run else sum(each.due and not each.failure for each in outcomes)
    facts = {
        "dry_run": arguments.dry_run,
        "versions": [asdict(each) for each in outcomes],
        "freed_environments": sum(each.floor - each.floor_after for each in outcomes),
        "versions_on_provider": None if on_provider is None else len(on_provider) - deleted,
        "failures": failures,
    }
    if not outcomes and not failures:
        none = previews.none_found(target)
        return Report(facts, [none], none)
    rows = [_row(each, has_others=len(functions) > 1, dry_run=arguments.dry_run) for each in outcomes]
    told = list(_told(target, facts))
    return Report(facts, [_table(rows), "", *told], _markdown(rows, told), code=1 if failures else 0)


def prune(target: Target, function: DeployedFunction, *, dry_run: bool) -> list[Outcome]:
    """Prune the versions of one function, and return what became of each, newest first.

    One whose code is gone retains as many as there are where no function says otherwise.
    """
    with doing(f"Versions of {function.name}"):
        settings = target.environment.settings(function.folder)
        outcomes = decide(look(target, function), settings.retained_versions)
        for outcome in outcomes:
            if not dry_run:
                _carry_out(function, outcome, settings.maximum_environments)
    return outcomes


def look(target: Target, function: DeployedFunction) -> Seen:
    """Look at a function. Nothing is changed."""
    # The versions come before the stack. A deployment publishes one that no alias names yet: if it is listed here, then
    # the stack is in progress, or has failed halfway.
    floors = {version: function.scaling.floor(version) for version in function.versions()}
    stack = target.stacks.find(function.name)
    hold = None
    if stack is None:
        hold = f"there is no stack {function.name}"
    elif not stack.is_at_rest:
        hold = f"its stack is {stack.status}"
    elif target.clock.now() - stack.deployed < SETTLED_AFTER:
        hold = "it was deployed a moment ago, and what began on it just before may not be listed yet"
    return Seen(
        function=function.name,
        floors=floors,
        aliases=_named(function) if floors else {},
        running=Counter(each.version for each in function.running()),
        deployed=stack.outputs.get(naming.Output.VERSION) if stack else None,
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
    # One that sleeps though something runs on it was put to sleep while that began.
    after = floor if untouched else RUNNING_FLOOR if on_it else ASLEEP
    return Outcome(seen.function, version, False, kept, on_it, floor, after)


def _reason_to_keep(seen: Seen, version: str, *, is_retained: bool) -> str | None:
    if seen.running.get(version):
        return "executions run on it"
    if version == seen.deployed:
        return "a deployment that fails goes back to it"
    return "retained, to go back to" if is_retained else None


def _named(function: DeployedFunction) -> dict[str, str]:
    """Return the versions that aliases name, and how; where several do, the live one is told, which says the most."""
    named: dict[str, str] = {}
    for alias in sorted(function.aliases(), key=lambda alias: alias.get("Name") == naming.ALIAS):
        name = alias.get("Name", "")
        for version in alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {}):
            named[version] = f"the alias {name} sends it a part"
        named[alias.get("FunctionVersion", "")] = "live" if name == naming.ALIAS else f"the alias {name} names it"
    return named


def _carry_out(function: DeployedFunction, outcome: Outcome, most: int) -> None:
    if not outcome.due and outcome.floor_after == outcome.floor:
        return
    try:
        _look_again(function, outcome)
        if outcome.due:
            function.delete_version(outcome.version)
        elif outcome.floor_after == outcome.floor:
            return
        elif outcome.floor_after == ASLEEP:
            _put_to_sleep(function, outcome)
        else:
            function.scaling.set(outcome.version, outcome.floor_after, max(most, RUNNING_FLOOR))
    except (BotoCoreError, ClientError, CommandError) as error:
        # The other versions are still to be pruned.
        outcome.failure = str(error)
        outcome.floor_after = outcome.floor


def _look_again(function: DeployedFunction, outcome: Outcome) -> None:
    """Spare what has come into use: somebody went back to a version, or started an execution by its number."""
    outcome.running = sum(each.version == outcome.version for each in function.running())
    if named := _named(function).get(outcome.version):
        outcome.due, outcome.reason, outcome.floor_after = False, named, outcome.floor
    elif outcome.running:
        if outcome.due or outcome.floor_after == ASLEEP:
            outcome.reason = "executions have begun on it"
        outcome.due, outcome.floor_after = False, RUNNING_FLOOR


def _put_to_sleep(function: DeployedFunction, outcome: Outcome) -> None:
    """Put a version to sleep, and look once more: executions on it could not resume, and callers not be served."""
    before = function.scaling.asked(outcome.version)
    function.scaling.set(outcome.version, ASLEEP, ASLEEP)
    _look_again(function, outcome)
    if outcome.floor_after != ASLEEP:
        function.scaling.put(outcome.version, before)
        outcome.floor_after = outcome.floor


def _told(target: Target, facts: Mapping[str, Any]) -> Iterator[str]:
    """Say what the table does not."""
    yield f"{facts['freed_environments']} execution environments {'would be' if facts['dry_run'] else 'were'} freed"
    on_provider, name = facts["versions_on_provider"], target.environment.name
    if on_provider is not None:
        yield f"{on_provider} of {CAPACITY_PROVIDER_VERSIONS} versions are on the capacity provider of {name}"
        if on_provider >= MANY_VERSIONS:
            yield (
                f"Warning: AWS takes no more than {CAPACITY_PROVIDER_VERSIONS}, and then no deployment succeeds. "
                f"Retain fewer (retained_versions in environments/{name}.toml), see to executions that do not end, or "
                "close previews"
            )
    yield from (f"Failed: {failure}" for failure in facts["failures"])


def _row(outcome: Outcome, *, has_others: bool, dry_run: bool) -> tuple[str, ...]:
    done = "would be deleted" if dry_run else "deleted"
    fate = "failed" if outcome.failure else done if outcome.due else "kept"
    same = outcome.floor == outcome.floor_after
    floors = str(outcome.floor) if same else f"{outcome.floor} to {outcome.floor_after}"
    version = f"{outcome.function}:{outcome.version}" if has_others else outcome.version
    return version, fate, str(outcome.running), floors, outcome.reason


def _table(rows: list[tuple[str, ...]]) -> RenderableType:
    table = Table(*COLUMNS[:-1], box=None, pad_edge=False, header_style="dim")
    table.add_column(COLUMNS[-1], overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _markdown(rows: list[tuple[str, ...]], told: list[str]) -> str:
    table = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    return "\n".join([*(f"| {' | '.join(row)} |" for row in table), "", markdown.items(told)])
