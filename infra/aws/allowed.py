"""What a person has to deploy before workflows can deploy an assembly: who may do what, and what previews run on."""

import json
from collections.abc import Iterator
from typing import Any, cast

import yaml
from botocore.exceptions import ClientError

from infra import naming
from infra.aws.assembly import Assembly
from infra.aws.target import Target
from infra.errors import CommandError
from infra.policies import coverage, execution
from infra.policies.boundary import boundary
from infra.policies.places import Templates
from infra.policies.resources import Statement

_DENIED = ("AccessDenied", "AccessDeniedException")


def missing(target: Target, assembly: Assembly) -> list[str]:
    """Say what is missing in the stacks that a person deploys, and by which command it comes.

    Raises:
        UsageError: the assembly has what workflows may never make.
    """
    functions = {name: assembly.resources(target.function_name(name)) for name in target.function_names}
    platform = naming.platform_stack(target.environment)
    has_platform = platform in target.stack_names
    found = [*_access(target, Templates(functions, assembly.resources(platform) if has_platform else {}))]
    if target.pull_request is not None and not target.environment.network.nat_gateways:
        found += _platform(target, assembly)
    return found


def _access(target: Target, templates: Templates) -> Iterator[str]:
    environment, stack = target.environment, naming.access_stack(target.environment)
    how = f"a person runs `make access ENVIRONMENT={environment.name}`"
    before = f"from this checkout before {_what(target)} can be made"
    try:
        policies = _policies(_deployed(target, stack))
    except CommandError as error:
        yield f"{stack}: {error}, so it is not known whether {how} {before}"
        return
    needed = execution.execution_policies(environment, templates)
    ours = [name for name in policies if name.startswith(naming.execution_policy(environment))]
    allowed = [statement for name in ours for statement in policies[name]]
    if coverage.missing([statement for policy in needed.values() for statement in policy], allowed):
        by_type = execution.by_type(environment, templates)
        lacking = sorted({kind for kind, taken in by_type if coverage.missing(taken, allowed)}) or ["all of it"]
        # What the bootstrap has given to CloudFormation is those policies that there were.
        further = "" if needed.keys() <= policies.keys() else f", and `make bootstrap ENVIRONMENT={environment.name}`,"
        yield f"{stack}: CloudFormation may not yet make {', '.join(lacking)} for it; {how}{further} {before}"
    bounded = coverage.missing(boundary(environment, templates), policies.get(naming.boundary(environment), []))
    if bounded:
        yield f"{stack}: functions may not yet do {', '.join(bounded)}; {how} {before}"


def _platform(target: Target, assembly: Assembly) -> Iterator[str]:
    environment, stack = target.environment, naming.platform_stack(target.environment)
    needed = {endpoint for name in target.stack_names for endpoint in assembly.endpoints(name)}
    if not needed:
        return
    how = f"a person runs `make platform ENVIRONMENT={environment.name}` from this checkout"
    try:
        deployed = _deployed(target, stack)
    except CommandError as error:
        yield f"{stack}: {error}, so it is not known whether {how} before {_what(target)} can be tried"
        return
    services = [json.dumps(each["Properties"]["ServiceName"]) for each in _of_type(deployed, "AWS::EC2::VPCEndpoint")]
    lacking = sorted(name for name in needed if not any(f'.{name}"' in service for service in services))
    if lacking:
        yield f"{stack}: has no VPC endpoint for {', '.join(lacking)}; {how} before {_what(target)} can be tried"


def _what(target: Target) -> str:
    return target.environment.name if target.pull_request is None else "the preview"


def _deployed(target: Target, stack: str) -> dict[str, Any]:
    """Return the template of a stack.

    Raises:
        CommandError: there is none, or this role may not read it, as that of an older access stack may not.
    """
    try:
        if target.stacks.find(stack) is None:
            raise CommandError("there is no such stack")
        template: Any = json.loads(target.stacks.template(stack))
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") not in _DENIED:
            raise
        raise CommandError("this role may not read it") from error
    # boto3 gives what is JSON as an object, and as text YAML, as which the CDK CLI sends what it does not upload.
    return cast("dict[str, Any]", template if isinstance(template, dict) else yaml.safe_load(template))


def _policies(template: dict[str, Any]) -> dict[str, list[Statement]]:
    """Return the statements of the managed policies in a template, by the policies' names."""
    found = (each["Properties"] for each in _of_type(template, "AWS::IAM::ManagedPolicy"))
    return {each["ManagedPolicyName"]: each["PolicyDocument"]["Statement"] for each in found}


def _of_type(template: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in template.get("Resources", {}).values() if each["Type"] == kind]
