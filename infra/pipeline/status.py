"""One screen about an environment, and about the others of its account: what is deployed, and what runs."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import boto3
from botocore.exceptions import ClientError
from rich.console import RenderableType
from rich.table import Table

from infra import naming
from infra.aws import previews, versions
from infra.aws.alias import is_closed, live_version
from infra.aws.execution import executions, running
from infra.aws.session import open_session
from infra.aws.stack import deployed_at, describe, tags
from infra.console import age
from infra.console.output import show
from infra.console.progress import doing
from infra.environment import Environment, load, names, of_account
from infra.pipeline.smoke import PREFIX
from infra.pipeline.teardown import stack_names

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef
    from mypy_boto3_lambda import LambdaClient

DENIED = ("AccessDenied", "AccessDeniedException")
# As many digits of a commit as git shows.
COMMIT_DIGITS = 7


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation last knew it."""

    name: str
    status: str
    commit: str | None
    deployed: datetime
    drift: str
    drift_checked: datetime | None


@dataclass(frozen=True)
class Function:
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
class Smoke:
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
    stack: Stack
    function: Function | None


@dataclass(frozen=True)
class Status:
    """What is known of an environment. One that these credentials may not read has a refusal instead."""

    environment: str
    refusal: str | None = None
    stacks: list[Stack] = field(default_factory=list[Stack])
    function: Function | None = None
    smoke: Smoke | None = None
    versions_on_provider: int | None = None
    previews: list[PreviewStatus] = field(default_factory=list[PreviewStatus])


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `status` takes: nothing of its own."""


def run(environment: Environment, arguments: Namespace) -> int:
    """Show it. Exit code 0, whatever there is."""
    found: list[Status] = []
    for each in of_account(environment.account):
        with doing(f"Reading {each.name}"):
            found.append(look(each) if each == environment else _look_or_tell(each))
    elsewhere = {each.name: each.account for each in map(load, names()) if each.account != environment.account}
    facts = {"environments": [asdict(each) for each in found], "other_accounts": elsewhere}
    show(arguments, facts, _lines(found, elsewhere))
    return 0


def look(environment: Environment) -> Status:
    """Look at one environment."""
    session = open_session(environment)
    client = session.client("lambda")
    described = [describe(session, name) for name in stack_names(environment, None)]
    function = None if environment.hosts_previews else naming.orders_stack(environment.name)
    return Status(
        environment=environment.name,
        stacks=[_stack(stack) for stack in described if stack],
        function=_function(client, function) if function else None,
        smoke=_last_smoke(client, function) if function else None,
        versions_on_provider=versions.on_provider(session, environment),
        previews=list(_previews(session, environment)) if environment.hosts_previews else [],
    )


def _look_or_tell(environment: Environment) -> Status:
    """Look at an environment that was not asked for, which these credentials need not be for."""
    try:
        return look(environment)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in DENIED:
            raise
        return Status(environment.name, refusal="not for these credentials to read")


def _stack(stack: "StackTypeDef") -> Stack:
    drift = stack.get("DriftInformation")
    return Stack(
        name=stack["StackName"],
        status=stack["StackStatus"],
        commit=tags(stack).get("commit"),
        deployed=deployed_at(stack),
        drift=drift["StackDriftStatus"] if drift else "NOT_CHECKED",
        drift_checked=drift.get("LastCheckTimestamp") if drift else None,
    )


def _function(client: "LambdaClient", name: str) -> Function | None:
    numbers = versions.numbered(client, name)
    if not numbers:
        return None
    live = live_version(client, name)
    on_it = running(client, name)
    retained = [number for number in numbers if number != live]
    return Function(
        name=name,
        live=live,
        closed=is_closed(client, name),
        running=len(on_it),
        oldest=on_it[0].started if on_it else None,
        retained=retained,
        retained_environments=sum(versions.floor(client, name, number) for number in retained),
    )


def _last_smoke(client: "LambdaClient", function: str) -> Smoke | None:
    found = (each for each in executions(client, function) if each.name.startswith(PREFIX))
    newest = next(found, None)
    return Smoke(newest.name, newest.status, newest.version, newest.started) if newest else None


def _previews(session: boto3.Session, environment: Environment) -> Iterator[PreviewStatus]:
    client = session.client("lambda")
    for preview in previews.find(session, environment):
        if preview.is_of(environment):
            created = preview.stack["CreationTime"]
            yield PreviewStatus(
                pull_request=preview.pull_request,
                created=created,
                expires=created + timedelta(days=environment.preview_days),
                stack=_stack(preview.stack),
                function=_function(client, preview.name),
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
        yield "on the provider", f"{status.versions_on_provider} of {versions.PROVIDER_QUOTA} versions"


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


def _commit(stacks: list[Stack]) -> str:
    return next(
        (stack.commit[:COMMIT_DIGITS] for stack in stacks if stack.commit), "not deployed" if not stacks else "none"
    )


def _version(function: Function) -> str:
    return "closed by a drain" if function.closed else f"{function.live or 'none'} live"


def _running(function: Function) -> str:
    return f"{function.running}, oldest {_ago(function.oldest)}" if function.oldest else "0"


def _retained(function: Function) -> str:
    if not function.retained:
        return "none"
    return f"{', '.join(function.retained)} (environments: {function.retained_environments})"


def _ago(moment: datetime) -> str:
    return f"{age.text(age.since(moment))} ago"
