"""One screen about an environment, and about the others of its account: what is deployed, and what runs."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta

from botocore.exceptions import ClientError
from rich.console import RenderableType
from rich.table import Table

from infra import naming
from infra.aws import capacity_provider, previews
from infra.aws.function import DeployedFunction
from infra.aws.previews import Preview
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.console import age
from infra.console.progress import doing
from infra.console.report import Report
from infra.environment import load_all
from infra.limits import CAPACITY_PROVIDER_VERSIONS
from infra.pipeline.smoke import PREFIX

DENIED = ("AccessDenied", "AccessDeniedException")
# As many digits of a commit as git shows.
COMMIT_DIGITS = 7

# What the platform is called on the screen; a function's folder has no space in its name.
PLATFORM = "the platform"


@dataclass(frozen=True)
class StackStatus:
    """A stack as CloudFormation last knew it.

    Args:
        name: its name.
        folder: that of its function in functions/, or None for the platform.
        status: its status.
        commit: what it was deployed from.
        deployed: when that was.
        drift: what CloudFormation last detected.
        drift_checked: when that was.
    """

    name: str
    folder: str | None
    status: str
    commit: str | None
    deployed: datetime
    drift: str
    drift_checked: datetime | None


@dataclass(frozen=True)
class SmokeStatus:
    """The smoke execution that was started last, as far as Lambda remembers one."""

    name: str
    status: str
    version: str
    started: datetime


@dataclass(frozen=True)
class FunctionStatus:
    """A function: its versions, and what runs on them.

    Args:
        name: its name.
        folder: that in functions/ which has its code, or had it.
        in_checkout: whether this checkout has that folder.
        live: the version that new executions start on; None where they are refused, or nothing is deployed.
        asleep: whether that has no environments, so that nothing would run on it.
        closed: whether a drain refuses new executions.
        running: how many executions have not ended.
        oldest: when the oldest of them started.
        retained: the versions besides the live one, newest first.
        retained_environments: the execution environments that those keep at least.
        smoke: the smoke execution that was started last; None also of a preview, where it is not looked for.
    """

    name: str
    folder: str
    in_checkout: bool
    live: str | None
    asleep: bool
    closed: bool
    running: int
    oldest: datetime | None
    retained: list[str]
    retained_environments: int
    smoke: SmokeStatus | None


@dataclass(frozen=True)
class PreviewStatus:
    """A preview, and when the sweep removes it though its pull request is open."""

    pull_request: int
    created: datetime
    expires: datetime
    stacks: list[StackStatus]
    functions: list[FunctionStatus]


@dataclass(frozen=True)
class Status:
    """What is known of an environment. One that these credentials may not read has a refusal instead.

    Of one that hosts previews it tells for how many awake at once there is room, while one of them is deployed.
    """

    environment: str
    refusal: str | None = None
    stacks: list[StackStatus] = field(default_factory=list[StackStatus])
    functions: list[FunctionStatus] = field(default_factory=list[FunctionStatus])
    versions_on_provider: int | None = None
    room: int | None = None
    previews: list[PreviewStatus] = field(default_factory=list[PreviewStatus])


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `status` takes: nothing of its own."""


def run(target: Target, arguments: Namespace) -> Report:  # noqa: ARG001 - it takes none beside its target
    """Show it. Exit code 0, whatever there is."""
    here = target.environment
    everything = load_all(here.project.root).values()
    found: list[Status] = []
    for each in everything:
        if each.account == here.account:
            with doing(f"Reading {each.name}"):
                found.append(
                    look(target) if each.name == here.name else _look_or_tell(replace(target, environment=each))
                )
    elsewhere = {each.name: each.account for each in everything if each.account != here.account}
    facts = {"environments": [asdict(each) for each in found], "other_accounts": elsewhere}
    return Report(facts, list(_lines(found, elsewhere, target.clock.now())))


def look(target: Target) -> Status:
    """Look at one environment."""
    of_functions = [stack for stack in target.function_stacks() if stack.carries(target.tags)]
    platform = target.stacks.find(naming.platform_stack(target.environment))
    functions = [_function(target, stack) for stack in of_functions]
    on_provider = capacity_provider.versions(target)
    return Status(
        environment=target.environment.name,
        stacks=[*(_stack(target, stack) for stack in of_functions), *([_stack(target, platform)] if platform else [])],
        functions=[each for each in functions if each],
        versions_on_provider=None if on_provider is None else len(on_provider),
        room=None if target.has_functions else target.environment.room_for_previews,
        previews=[] if target.has_functions else [_preview(each) for each in previews.find(target) if each.is_ours],
    )


def _look_or_tell(target: Target) -> Status:
    """Look at an environment that was not asked for, which these credentials need not be for."""
    try:
        return look(target)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in DENIED:
            raise
        return Status(target.environment.name, refusal="not for these credentials to read")


def _stack(target: Target, stack: Stack) -> StackStatus:
    drift = stack.described.get("DriftInformation")
    is_platform = stack.name == naming.platform_stack(target.environment)
    return StackStatus(
        name=stack.name,
        folder=None if is_platform else target.function_of(stack).folder,
        status=stack.status,
        commit=stack.commit,
        deployed=stack.deployed,
        drift=drift["StackDriftStatus"] if drift else "NOT_CHECKED",
        drift_checked=drift.get("LastCheckTimestamp") if drift else None,
    )


def _function(target: Target, stack: Stack) -> FunctionStatus | None:
    function = target.function_of(stack)
    numbers = function.versions()
    if not numbers:
        return None
    live, running = function.live(), function.running()
    retained = [number for number in numbers if number != live]
    return FunctionStatus(
        name=function.name,
        folder=function.folder,
        in_checkout=function.folder in target.environment.function_names,
        live=live,
        asleep=live is not None and function.is_asleep(live),
        closed=function.is_closed(),
        running=len(running),
        oldest=running[0].started if running else None,
        retained=retained,
        retained_environments=sum(map(function.scaling.floor, retained)),
        smoke=_last_smoke(function) if target.pull_request is None else None,
    )


def _last_smoke(function: DeployedFunction) -> SmokeStatus | None:
    newest = next((each for each in function.executions() if each.name.startswith(PREFIX)), None)
    return SmokeStatus(newest.name, newest.status, newest.version, newest.started) if newest else None


def _preview(preview: Preview) -> PreviewStatus:
    functions = [_function(preview.target, stack) for stack in preview.stacks]
    return PreviewStatus(
        pull_request=preview.pull_request,
        created=preview.created,
        expires=preview.created + timedelta(days=preview.target.environment.preview_days),
        stacks=[_stack(preview.target, stack) for stack in preview.stacks],
        functions=[each for each in functions if each],
    )


def _lines(found: list[Status], elsewhere: dict[str, str], now: datetime) -> Iterator[RenderableType]:
    yield _table(found, now)
    for status in found:
        if status.previews:
            yield ""
            yield _preview_table(status, now)
    yield ""
    for function in (function for status in found for function in status.functions if not function.in_checkout):
        yield f"{function.name} is deployed, and this checkout has no functions/{function.folder}"
    for name in (status.environment for status in found if status.refusal):
        yield f"For {name} run `status --environment {name}` with credentials that may read it"
    for name, account in elsewhere.items():
        yield f"For {name} run `status --environment {name}` with credentials of account {account}"


def _table(found: list[Status], now: datetime) -> Table:
    """Draw a column per environment: an account has few, and there is much to say of each."""
    several = len({function.folder for status in found for function in status.functions}) > 1
    cells = [dict(_cells(status, now, several=several)) for status in found]
    table = Table("", *(status.environment for status in found), box=None, pad_edge=False, header_style="bold")
    for label in dict.fromkeys(label for column in cells for label in column):
        table.add_row(label, *(column.get(label, "") for column in cells))
    return table


def _cells(status: Status, now: datetime, *, several: bool) -> Iterator[tuple[str, str]]:
    yield "commit", status.refusal or _commit(status.stacks)
    for stack in status.stacks:
        checked = f", {_ago(stack.drift_checked, now)}" if stack.drift_checked else ""
        of = stack.folder or PLATFORM
        yield of, f"{stack.status}, {_ago(stack.deployed, now)}"
        yield f"drift of {of}", f"{stack.drift}{checked}"
    for function in status.functions:
        of = f" of {function.folder}" if several else ""
        yield f"version{of}", _version(function)
        yield f"running{of}", _running(function, now)
        yield f"retained{of}", _retained(function)
        smoke = function.smoke
        yield f"last smoke execution{of}", f"{smoke.status}, {_ago(smoke.started, now)}" if smoke else "none"
    if status.versions_on_provider is not None:
        yield "on the provider", f"{status.versions_on_provider} of {CAPACITY_PROVIDER_VERSIONS} versions"
        if status.room is not None:
            yield "room for", f"{status.room} previews awake"


def _preview_table(status: Status, now: datetime) -> Table:
    """Draw a row per preview, and where one has several functions a row per function."""
    several = any(len(preview.stacks) > 1 for preview in status.previews)
    columns = ("preview of", "commit", "age", "expires", *(["function"] if several else []), "stack", "version")
    table = Table(*columns, "running", box=None, pad_edge=False, header_style="dim")
    for preview in status.previews:
        left = preview.expires - now
        expires = f"in {age.text(left)}" if left > timedelta() else "due"
        functions = {function.name: function for function in preview.functions}
        for stack in preview.stacks:
            function = functions.get(stack.name)
            table.add_row(
                f"#{preview.pull_request}",
                _commit([stack]),
                age.text(now - preview.created),
                expires,
                *([stack.folder or ""] if several else []),
                stack.status,
                *((_version(function), _running(function, now)) if function else ("none", "")),
            )
    return table


def _commit(stacks: list[StackStatus]) -> str:
    """Tell the commit of the functions; several where their last deployments were of several."""
    of_functions = [stack for stack in stacks if stack.folder]
    commits = [_short(stack.commit) for stack in of_functions or stacks if stack.commit]
    return ", ".join(dict.fromkeys(commits)) or ("none" if stacks else "not deployed")


def _short(commit: str) -> str:
    return commit[:COMMIT_DIGITS] + (naming.UNCOMMITTED if commit.endswith(naming.UNCOMMITTED) else "")


def _version(function: FunctionStatus) -> str:
    if function.closed:
        return "closed by a drain"
    return f"{function.live or 'none'} live{', asleep' if function.asleep else ''}"


def _running(function: FunctionStatus, now: datetime) -> str:
    return f"{function.running}, oldest {_ago(function.oldest, now)}" if function.oldest else "0"


def _retained(function: FunctionStatus) -> str:
    if not function.retained:
        return "none"
    kept = f"environments: {function.retained_environments}" if function.retained_environments else "asleep"
    return f"{', '.join(function.retained)} ({kept})"


def _ago(moment: datetime, now: datetime) -> str:
    return f"{age.text(now - moment)} ago"
