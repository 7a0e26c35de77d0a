"""Refuse a deployment that would replace what running executions need, before anything is changed.

Lambda deletes no capacity provider that versions are on. CloudFormation makes the new one all the same, moves
everything to it, fails to delete the old one while it cleans up, and ends in UPDATE_COMPLETE: the instances of the old
one stay, and are paid for, in no stack. A durable function that is replaced takes the executions on it along.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

from infra.aws import capacity_provider, change_set
from infra.aws.assembly import Assembly
from infra.aws.cdk import cdk
from infra.aws.target import Target
from infra.console.progress import doing
from infra.create_only import CAPACITY_PROVIDER, FUNCTION, PRESENCE, PROPERTIES
from infra.errors import CommandError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import ResourceChangeTypeDef

# How many versions are named of those that are in the way.
MOST_NAMED = 5

Json = dict[str, Any]
Resources = Mapping[str, Json]


def refuse(target: Target, assembly: Assembly, deployed: Mapping[str, str], *, verbose: bool = False) -> None:
    """Refuse to deploy an assembly that replaces or removes a capacity provider in use, or a durable function.

    CloudFormation is asked, by change sets, only where the templates leave it open: most deployments need no such
    question. What it says stays in the change sets that it was asked by.

    Args:
        target: where.
        assembly: what is to be deployed.
        deployed: the templates that are, as JSON, by the names of the stacks.
        verbose: show what the CDK CLI prints as well.

    Raises:
        CommandError: it does, and the message says what, why, and how it is done in order.
    """
    lost = {name: _may_be_lost(target, assembly, name, template) for name, template in deployed.items()}
    suspects = {name: found for name, found in lost.items() if found}
    if not suspects:
        return
    with doing(f"Asking CloudFormation what becomes of {', '.join(chain(*suspects.values()))}"):
        options = ["--exclusively", "--method", "prepare-change-set", "--require-approval", "never"]
        cdk(
            ["deploy", *suspects, "--app", str(assembly.folder), *options],
            log=f"prepare-{assembly.folder.name}",
            session=target.session,
            verbose=verbose,
        )
        problems = [*chain.from_iterable(_problems(target, name, ids) for name, ids in suspects.items())]
    if problems:
        raise CommandError("\n".join([*problems, "Nothing was deployed. docs/environments.md says how it is done."]))


def may_be_lost(before: Resources, after: Resources) -> list[str]:
    """Return the logical ids of capacity providers and durable functions that may be replaced, or go."""
    kept = [name for name, resource in before.items() if _must_stay(resource)]
    return [name for name in kept if name not in after or _rests_on(before, name) != _rests_on(after, name)]


def _may_be_lost(target: Target, assembly: Assembly, stack: str, deployed: str) -> list[str]:
    template: Json = json.loads(deployed)
    found = may_be_lost(template.get("Resources", {}), assembly.resources(stack))
    # Of a stack that was never made there is a template as well.
    return found if found and not target.stacks.get(stack).has_nothing else []


def _must_stay(resource: Json) -> bool:
    kind = resource["Type"]
    # Other functions that a team adds are replaced without harm.
    return kind == CAPACITY_PROVIDER or (kind == FUNCTION and "DurableConfig" in resource.get("Properties", {}))


def _rests_on(resources: Resources, name: str) -> Json:
    """Return what decides whether a resource stays the same one: what of it can't be changed, and what that uses."""
    resource = resources[name]
    kind, properties = resource["Type"], resource.get("Properties", {})
    own = {key: properties.get(key) for key in PROPERTIES.get(kind, ())}
    own |= {key: key in properties for key in PRESENCE.get(kind, ())}
    found: Json = {name: (kind, own)}
    waiting = [*_referred(own)]
    while waiting:
        each = waiting.pop()
        if each in resources and each not in found:
            found[each] = resources[each]
            waiting += _referred(resources[each].get("Properties", {}))
    return found


def _referred(value: Any) -> Iterator[str]:
    """Yield what is referred to in a value, by logical id."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            yield from chain.from_iterable(map(_referred, cast("Json", value).values()))
        case list():
            yield from chain.from_iterable(map(_referred, cast("list[Any]", value)))
        case _:
            pass


def _problems(target: Target, stack: str, suspects: Sequence[str]) -> Iterator[str]:
    changes = change_set.read(target.session.client("cloudformation"), stack)
    replaced = change_set.replaced(changes)
    for change in changes:
        name = change.get("LogicalResourceId", "")
        if name in suspects and (what := _what(change, replaced.get(name))):
            yield from _refusal(target, stack, change, what)


def _what(change: "ResourceChangeTypeDef", why: list[str] | None) -> str:
    """Say what becomes of a resource, or nothing where it stays the same one."""
    if change.get("Action") == "Remove":
        return "" if change.get("PolicyAction") == "Retain" else "remove"
    if why is None:
        return ""
    return f"replace, for its {', '.join(why)}," if why else "replace"


def _refusal(target: Target, stack: str, change: "ResourceChangeTypeDef", what: str) -> Iterator[str]:
    kind, physical = change.get("ResourceType", ""), change.get("PhysicalResourceId", "")
    if kind == FUNCTION:
        yield (
            f"{stack}: this would {what} the durable function {physical}, and take the executions on it along; give "
            "the new one another name: a new folder in functions/"
        )
    elif versions := capacity_provider.versions_on(target, physical):
        yield f"{stack}: this would {what} the capacity provider {physical}, and {len(versions)} versions are on it:"
        yield from (f"  {arn.partition(':function:')[2]}" for arn in versions[:MOST_NAMED])
        if len(versions) > MOST_NAMED:
            yield f"  and {len(versions) - MOST_NAMED} more"
