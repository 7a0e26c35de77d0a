"""Tell whether a deployment of an environment could begin, and by which command to go on. It changes nothing."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from botocore.exceptions import BotoCoreError, ClientError

from infra import limits, naming
from infra.aws import allowed, capacity_provider, quotas
from infra.aws.assembly import Assembly
from infra.aws.quotas import Quota
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.console import markdown
from infra.console.report import Report
from infra.errors import CommandError, UsageError
from infra.pipeline.access import policies_to_attach
from infra.pipeline.bootstrap import VARIANT
from infra.pipeline.status import DENIED
from infra.policies import purposes, trust

State = Literal["ok", "missing", "can't tell"]

# What brings a stack to rest again that CloudFormation has left between two states (CloudFormation user guide, stack
# status codes).
STUCK = {
    "UPDATE_ROLLBACK_FAILED": "aws cloudformation continue-update-rollback --stack-name {}",
    "UPDATE_FAILED": "aws cloudformation rollback-stack --stack-name {}",
    "CREATE_FAILED": "aws cloudformation delete-stack --stack-name {}",
    "DELETE_FAILED": "aws cloudformation delete-stack --stack-name {}",
}
# The CDK CLI removes a stack in these, and makes it anew.
REPLACED = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS")


@dataclass(frozen=True)
class Line:
    """What was looked at, how it is, and what mends it.

    Args:
        what: its name.
        state: how it is; what these credentials may not read can't be told.
        told: in words.
        command: what mends it, if a command does.
        blocks: whether no deployment could begin while it is not ok.
    """

    what: str
    state: State
    told: str
    command: str | None = None
    blocks: bool = True


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `doctor` takes."""
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")


def run(target: Target, arguments: Namespace) -> Report:
    """Look. Exit code 0 when a deployment could begin, else 1."""
    lines = look(target, arguments.assembly)
    is_ready = not in_the_way(lines)
    following = next_command(lines)
    facts = {
        "environment": target.environment.name,
        "ready": is_ready,
        "next": following,
        "lines": [asdict(line) for line in lines],
    }
    return Report(facts, list(_shown(lines, following)), code=0 if is_ready else 1)


def next_command(lines: Sequence[Line]) -> str | None:
    """Return the command to go on with: that of the first thing that is in the way, or else not there yet."""
    wanting = in_the_way(lines) or [line for line in lines if line.state != "ok"]
    return next((line.command for line in wanting if line.command), None)


def in_the_way(lines: Sequence[Line]) -> list[Line]:
    """Return what keeps a deployment from beginning."""
    return [line for line in lines if line.blocks and line.state != "ok"]


def look(target: Target, assembly: Path | None) -> list[Line]:
    """Look at everything, in the order in which it is made."""
    first = _told("credentials", partial(_credentials, target))
    if first.state != "ok":
        return [first]
    return [first, *(_told(what, look) for what, look in _looks(target, assembly))]


def _looks(target: Target, assembly: Path | None) -> Iterator[tuple[str, Callable[[], Line]]]:
    environment = target.environment
    make = f"make {{}} ENVIRONMENT={environment.name}"
    deploy = f"python -m infra.pipeline deploy --environment {environment.name}"
    yield "region", partial(_region, target)
    yield "quota of vCPUs", partial(_vcpus, target)
    yield "quota of starts", partial(_quota, target, quotas.STARTS)
    yield "identity provider", partial(_identity_provider, target, make.format("access"))
    yield "access", partial(_stack, target, naming.access_stack(environment), make.format("access"))
    yield "roles", partial(_roles, target, make.format("access"))
    yield "rights", partial(_rights, target, assembly, make)
    yield "bootstrap", partial(_bootstrap, target, make.format("bootstrap"))
    hosts = environment.hosts_previews
    by = make.format("platform") if hosts else deploy
    yield "platform", partial(_stack, target, naming.platform_stack(environment), by, is_made=not hosts)
    yield "versions", partial(_versions, target)
    for name in target.function_names:
        yield name, partial(_stack, target, target.function_name(name), deploy, is_made=True)


def _told(what: str, look: Callable[[], Line]) -> Line:
    """Look, and take whatever keeps these credentials from it for an answer as well."""
    try:
        return replace(look(), what=what)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        why = f"not for these credentials to read: {error.operation_name}" if code in DENIED else f"AWS: {error}"
        return Line(what, "can't tell", why, blocks=not what.startswith("quota"))
    except BotoCoreError as error:
        return Line(what, "can't tell", f"AWS: {error}", blocks=not what.startswith("quota"))
    except UsageError as error:
        return Line(what, "missing", str(error))
    except CommandError as error:
        return Line(what, "can't tell", str(error))


def _ok(told: str) -> Line:
    return Line("", "ok", told)


def _missing(told: str, command: str | None = None, *, blocks: bool = True) -> Line:
    return Line("", "missing", told, command, blocks)


def _credentials(target: Target) -> Line:
    caller = target.session.client("sts").get_caller_identity()
    return _ok(f"of account {caller['Account']}: {caller['Arn'].partition(':')[2].split(':', 4)[-1]}")


def _region(target: Target) -> Line:
    """Ask the region itself: no list of AWS's that we could read has where Managed Instances are.

    UNCONFIRMED (no check: it takes a region without them): how such a region answers.
    """
    target.session.client("lambda").list_capacity_providers(MaxItems=1)
    return _ok(f"{target.environment.region} answers for capacity providers")


def _vcpus(target: Target) -> Line:
    wanted, quota = target.environment.capacity_provider.maximum_vcpus, quotas.VCPUS
    _, value = quotas.read(target.session, quota)
    told = f"the account may run {value:g}, and {target.environment.name} may use {wanted} (maximum_vcpus)"
    if value >= wanted:
        return _ok(told)
    return _missing(
        told,
        f"aws service-quotas request-service-quota-increase --service-code {quota.service} --quota-code {quota.code} "
        f"--desired-value {wanted}",
    )


def _quota(target: Target, quota: Quota) -> Line:
    name, value = quotas.read(target.session, quota)
    return _ok(f"{value:g}: {name}")


def _identity_provider(target: Target, command: str) -> Line:
    client: Any = cast("Any", target.session).client("iam")
    arn = trust.provider_arn(target.environment.account)
    try:
        provider = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    except client.exceptions.NoSuchEntityException:
        return _missing("GitHub is none of this account yet", command)
    if trust.AUDIENCE not in provider.get("ClientIDList", []):
        add = "aws iam add-client-id-to-open-id-connect-provider"
        return _missing(
            f"that of GitHub does not take the audience {trust.AUDIENCE}",
            f"{add} --open-id-connect-provider-arn {arn} --client-id {trust.AUDIENCE}",
        )
    return _ok("GitHub")


def _roles(target: Target, command: str) -> Line:
    client: Any = cast("Any", target.session).client("iam")
    lacking: list[str] = []
    for purpose in purposes.PURPOSES:
        role = purposes.role(target.environment, purpose)
        try:
            client.get_role(RoleName=role)
        except client.exceptions.NoSuchEntityException:
            lacking.append(role)
    return _missing(f"there is no {', '.join(lacking)}", command) if lacking else _ok(f"{len(purposes.PURPOSES)} roles")


def _rights(target: Target, folder: Path | None, make: str) -> Line:
    """Compare what CloudFormation may do with what this checkout's stacks need."""
    try:
        assembly = Assembly.of(target, folder)
    except UsageError:
        return Line("", "can't tell", "nothing is built that they could be compared with", make.format("synth"))
    if target.stacks.find(naming.access_stack(target.environment)) is None:
        return _missing("there is no access stack that would give them", make.format("access"))
    if lacking := allowed.missing(target, assembly):
        return _missing("; ".join(lacking), make.format("access"))
    if unknown := policies_to_attach(target):
        return _missing(f"CloudFormation has not got {', '.join(unknown)} yet", make.format("bootstrap"))
    return _ok("CloudFormation may make what this checkout has")


def _bootstrap(target: Target, command: str) -> Line:
    name = naming.toolkit_stack(target.environment)
    found = _stack(target, name, command)
    stack = target.stacks.find(name)
    if found.state != "ok" or stack is None:
        return found
    parameters = {
        each.get("ParameterKey"): each.get("ParameterValue") for each in stack.described.get("Parameters", [])
    }
    variant = parameters.get("BootstrapVariant")
    return found if variant == VARIANT else _missing(f"{name} is not narrowed, but of variant {variant!r}", command)


def _versions(target: Target) -> Line:
    found, most = capacity_provider.versions(target), limits.CAPACITY_PROVIDER_VERSIONS
    if found is None:
        return _ok("there is no capacity provider yet")
    told = f"{len(found)} of {most} on the capacity provider"
    # A deployment publishes one of each function.
    if len(found) + len(target.environment.function_names) <= most:
        return _ok(told)
    return _missing(told, f"python -m infra.pipeline prune --environment {target.environment.name}")


def _stack(target: Target, name: str, command: str, *, is_made: bool = False) -> Line:
    """Look at a stack.

    Args:
        target: where.
        name: the stack's.
        command: what makes it.
        is_made: whether a deployment makes it, so that none has to wait for it.
    """
    stack = target.stacks.find(name)
    if stack is None:
        return _missing(f"there is no {name} yet", command, blocks=not is_made)
    if stack.status in REPLACED:
        return _missing(f"{name} is {stack.status}: the next deployment makes it anew", command, blocks=not is_made)
    return _at_rest(stack)


def _at_rest(stack: Stack) -> Line:
    told = f"{stack.name} is {stack.status}"
    if stack.status in STUCK:
        return _missing(told, STUCK[stack.status].format(stack.name))
    if not stack.is_at_rest:
        return Line("", "can't tell", f"{told}: wait until that has ended")
    return _ok(told)


def _shown(lines: Sequence[Line], following: str | None) -> Iterator[str]:
    width = max(len(line.what) for line in lines)
    for line in lines:
        yield f"{line.state:10}  {line.what:{width}}  {markdown.line(line.told)}"
    yield ""
    if following:
        yield f"Next: {following}"
    elif in_the_way(lines):
        yield "Next: see above, no command can do it"
    else:
        yield "Nothing is in the way: a merge into main deploys it"
