"""One screen about an environment, and about the others of its account: what is deployed, and what runs."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from botocore.exceptions import ClientError
from rich.console import RenderableType
from rich.table import Table

from infra.aws import capacity_provider, previews
from infra.aws.function import DeployedFunction
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.console import age
from infra.console.progress import doing
from infra.console.report import Report
from infra.environment import Environment, load, names, of_account
from infra.limits import CAPACITY_PROVIDER_VERSIONS
from infra.pipeline.smoke import PREFIX

DENIED = ("AccessDenied", "AccessDeniedException")
# As many digits of a commit as git shows.
COMMIT_DIGITS = 7


@dataclass(frozen=True)
class StackStatus:
    """A stack as CloudFormation last knew it."""

    name: str
    status: str
    commit: str | None
    deployed: datetime
    drift: str
    drift_checked: datetime | None


@dataclass(frozen=True)
class FunctionStatus:
    """A function: its versions, and what runs on them.

    Args:
        name: its name.
        live: the version that new executions start on; None where they are refused, or nothing is deployed.
        closed: whether a drain refuses new executions.
        running: how many executions have not ended.
        oldest: when the oldest of them started.
        retained: the versions besides the live one, newest first.
        retained_environments: the execution environments that those keep at least.
    """

    name: str
    live: str | None
    closed: bool
    running: int
    oldest: datetime | None
    retained: list[str]
    retained_environments: int


@dataclass(frozen=True)
class SmokeStatus:
    """The smoke order that was sent last, as far as Lambda remembers one."""

    name: str
    status: str
    version: str
    started: datetime


@dataclass(frozen=True)
class PreviewStatus:
    """A preview, and when the sweep removes it though its pull request is open."""

    pull_request: int
    created: datetime
    expires: datetime
    stack: StackStatus
    function: FunctionStatus | None


@dataclass(frozen=True)
class Status:
    """What is known of an environment. One that these credentials may not read has a refusal instead."""

    environment: str
    refusal: str | None = None
    stacks: list[StackStatus] = field(default_factory=list[StackStatus])
    function: FunctionStatus | None = None
    smoke: SmokeStatus | None = None
    versions_on_provider: int | None = None
    previews: list[PreviewStatus] = field(default_factory=list[PreviewStatus])


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `status` takes: nothing of its own."""


def run(target: Target, arguments: Namespace) -> Report:  # noqa: ARG001 - it takes none beside its target
    """Show it. Exit code 0, whatever there is."""
    found: list[Status] = []
    for each in of_account(target.environment.account):
        with doing(f"Reading {each.name}"):
            found.append(look(target) if each == target.environment else _look_or_tell(each))
    elsewhere = {each.name: each.account for each in map(load, names()) if each.account != target.environment.account}
    facts = {"environments": [asdict(each) for each in found], "other_accounts": elsewhere}
    return Report(facts, list(_lines(found, elsewhere)))


def look(target: Target) -> Status:
    """Look at one environment."""
    stacks = [stack for name in target.stack_names[::-1] if (stack := target.stacks.find(name))]
    on_provider = capacity_provider.versions(target)
    return Status(
        environment=target.environment.name,
        stacks=[_stack(stack) for stack in stacks],
        function=_function(target.function) if target.has_function else None,
        smoke=_last_smoke(target.function) if target.has_function else None,
        versions_on_provider=None if on_provider is None else len(on_provider),
        previews=[] if target.has_function else list(_previews(target)),
    )


def _look_or_tell(environment: Environment) -> Status:
    """Look at an environment that was not asked for, which these credentials need not be for."""
    try:
        return look(Target(environment))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in DENIED:
            raise
        return Status(environment.name, refusal="not for these credentials to read")


def _stack(stack: Stack) -> StackStatus:
    drift = stack.described.get("DriftInformation")
    return StackStatus(
        name=stack.name,
        status=stack.status,
        commit=stack.tags.get("commit"),
        deployed=stack.deployed,
        drift=drift["StackDriftStatus"] if drift else "NOT_CHECKED",
        drift_checked=drift.get("LastCheckTimestamp") if drift else None,
    )


def _function(function: DeployedFunction) -> FunctionStatus | None:
    numbers = function.versions()
    if not numbers:
        return None
    live, running = function.live(), function.running()
    retained = [number for number in numbers if number != live]
    return FunctionStatus(
        name=function.name,
        live=live,
        closed=function.is_closed(),
        running=len(running),
        oldest=running[0].started if running else None,
        retained=retained,
        retained_environments=sum(map(function.floor, retained)),
    )


def _last_smoke(function: DeployedFunction) -> SmokeStatus | None:
    newest = next((each for each in function.executions() if each.name.startswith(PREFIX)), None)
    return SmokeStatus(newest.name, newest.status, newest.version, newest.started) if newest else None


def _previews(target: Target) -> Iterator[PreviewStatus]:
    for preview in previews.find(target):
        if preview.is_ours:
            yield PreviewStatus(
                pull_request=preview.pull_request,
                created=preview.stack.created,
                expires=preview.stack.created + timedelta(days=target.environment.preview_days),
                stack=_stack(preview.stack),
                function=_function(preview.target.function),
            )


def _lines(found: list[Status], elsewhere: dict[str, str]) -> Iterator[RenderableType]:
    yield _table(found)
    for status in found:
        if status.previews:
            yield ""
            yield _preview_table(status)
    yield ""
    for name in (status.environment for status in found if status.refusal):
        yield f"For {name} run `status --environment {name}` with credentials that may read it"
    for name, account in elsewhere.items():
        yield f"For {name} run `status --environment {name}` with credentials of account {account}"


def _table(found: list[Status]) -> Table:
    """Draw a column per environment: an account has few, and there is much to say of each."""
    cells = [dict(_cells(status)) for status in found]
    table = Table("", *(status.environment for status in found), box=None, pad_edge=False, header_style="bold")
    for label in dict.fromkeys(label for column in cells for label in column):
        table.add_row(label, *(column.get(label, "") for column in cells))
    return table


def _cells(status: Status) -> Iterator[tuple[str, str]]:
    yield "commit", status.refusal or _commit(status.stacks)
    for stack in status.stacks:
        kind = stack.name.removesuffix(f"-{status.environment}")
        yield kind, f"{stack.status}, {_ago(stack.deployed)}"
        yield f"drift of {kind}", f"{stack.drift}, {_ago(stack.drift_checked)}" if stack.drift_checked else stack.drift
    if function := status.function:
        yield "version", _version(function)
        yield "running", _running(function)
        yield "retained", _retained(function)
        yield "last smoke order", f"{status.smoke.status}, {_ago(status.smoke.started)}" if status.smoke else "none"
    if status.versions_on_provider is not None:
        yield "on the provider", f"{status.versions_on_provider} of {CAPACITY_PROVIDER_VERSIONS} versions"


def _preview_table(status: Status) -> Table:
    columns = ("preview of", "commit", "age", "expires", "stack", "version", "running")
    table = Table(*columns, box=None, pad_edge=False, header_style="dim")
    for preview in status.previews:
        left = preview.expires - preview.created - age.since(preview.created)
        table.add_row(
            f"#{preview.pull_request}",
            _commit([preview.stack]),
            age.text(age.since(preview.created)),
            f"in {age.text(left)}" if left > timedelta() else "due",
            preview.stack.status,
            *((_version(preview.function), _running(preview.function)) if preview.function else ("none", "")),
        )
    return table


def _commit(stacks: list[StackStatus]) -> str:
    return next(
        (stack.commit[:COMMIT_DIGITS] for stack in stacks if stack.commit), "not deployed" if not stacks else "none"
    )


def _version(function: FunctionStatus) -> str:
    return "closed by a drain" if function.closed else f"{function.live or 'none'} live"


def _running(function: FunctionStatus) -> str:
    return f"{function.running}, oldest {_ago(function.oldest)}" if function.oldest else "0"


def _retained(function: FunctionStatus) -> str:
    if not function.retained:
        return "none"
    return f"{', '.join(function.retained)} (environments: {function.retained_environments})"


def _ago(moment: datetime) -> str:
    return f"{age.text(age.since(moment))} ago"
