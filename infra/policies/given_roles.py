"""The roles in functions' stacks: what they are granted, who may take them, and which policies of AWS they have."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from infra import naming
from infra.environment import Environment
from infra.errors import UsageError
from infra.policies.grants import Grant
from infra.policies.places import Places, Resources
from infra.policies.resources import ANY, Statement, names_of_functions

Json = dict[str, Any]


def services(places: Places) -> list[str]:
    """Return the services that may take roles of stacks."""
    return sorted({name for role in _roles(places) for each in _trusting(role) for name in each})


def managed_policies(places: Places) -> list[str]:
    """Return the ARNs of the managed policies that roles of stacks have, as far as they are of AWS."""
    found = {_text(arn, places.environment) for role in _roles(places) for arn in role.get("ManagedPolicyArns", [])}
    return sorted(arn for arn in found if arn and arn.startswith("arn:aws:iam::aws:policy/"))


def granted(places: Places) -> Iterator[Grant]:
    """Yield all that roles of functions' stacks are granted, on resources of any function's stack where on one's.

    What is granted on everything is granted on those, where the service's resources have names at all. Nothing of IAM
    is yielded but that roles are passed.

    Raises:
        UsageError: a condition names what is known only once it is deployed.
    """
    for file, resources in places.made.items():
        for statement in _statements(resources):
            condition = _condition(statement, file, places.environment)
            for action in _listed(statement.get("Action", [])):
                if not action.startswith("iam:") or action == "iam:PassRole":
                    for resource in _listed(statement.get("Resource", [])):
                        for place in _places(places, action, resource, resources):
                            yield Grant(action, place).under(condition)


def _places(places: Places, action: str, resource: Any, resources: Resources) -> list[str]:
    environment = places.environment
    if resource == "*":
        return places.named(action) or [*ANY]
    text = _text(resource, environment)
    if text is not None:
        return [_of_any_function(text, environment)]
    made = {resources[name]["Type"] for name in _referred(resource) if name in resources}
    found = {place for kind in made or {""} for place in places.of(action, kind)}
    # What can't be granted on a resource is not granted by naming one.
    return sorted(found - {*ANY})


def _of_any_function(arn: str, environment: Environment) -> str:
    """Let an ARN that begins with the name of one function, or of its stack, stand for those of all."""
    for beginning in (f"{naming.whole(environment)}-", f"{names_of_functions(environment)['stack']}-"):
        before, found, _ = arn.partition(beginning)
        if found:
            return f"{before}{names_of_functions(environment)['stack']}-*"
    return arn


def _condition(statement: Statement, file: str, environment: Environment) -> Json:
    condition = statement.get("Condition", {})
    told = _told(condition, environment)
    if told is None:
        raise UsageError(
            f"{file}: grants {', '.join(_listed(statement['Action']))} on a condition that names what its stack makes; "
            "the permissions boundary can't have that, so write it without"
        )
    return told


def _told(value: Any, environment: Environment) -> Any:
    """Return a value of a template as it is once it is deployed, or None where that can't be told before."""
    if isinstance(value, dict):
        found = cast("Json", value)
        if found.keys() & {"Ref"} or any(key.startswith("Fn::") for key in found):
            return _text(found, environment)
        told = {key: _told(each, environment) for key, each in found.items()}
        return None if None in told.values() else told
    if isinstance(value, list):
        items = [_told(each, environment) for each in cast("list[Any]", value)]
        return None if None in items else items
    return value


def _text(value: Any, environment: Environment) -> str | None:
    """Return a text of a template whose parts are all known before it is deployed, or None."""
    pseudo = {
        "AWS::AccountId": environment.account,
        "AWS::Partition": "aws",
        "AWS::Region": environment.region,
        "AWS::URLSuffix": "amazonaws.com",
    }
    match value:
        case str():
            return value
        case {"Ref": str(name)}:
            return pseudo.get(name)
        case {"Fn::Join": [str(separator), [*parts]]}:
            texts = [_text(part, environment) for part in parts]
            return separator.join(text for text in texts if text is not None) if None not in texts else None
        case _:
            return None


def _referred(value: Any) -> Iterator[str]:
    """Yield the logical ids in a value."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)} | {"Fn::Sub": [str(text), *_]}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            for each in cast("Json", value).values():
                yield from _referred(each)
        case list():
            for each in cast("list[Any]", value):
                yield from _referred(each)
        case _:
            pass


def _statements(resources: Resources) -> Iterator[Statement]:
    """Yield what roles are granted, in themselves and by policies beside them. What is denied stays theirs."""
    for resource in resources.values():
        properties: Mapping[str, Any] = resource.get("Properties", {})
        if resource["Type"] == "AWS::IAM::Policy":
            documents = [properties["PolicyDocument"]]
        elif resource["Type"] == "AWS::IAM::Role":
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        else:
            continue
        yield from (each for document in documents for each in document["Statement"] if each["Effect"] == "Allow")


def _roles(places: Places) -> Iterator[Mapping[str, Any]]:
    for resources in places.made.values():
        for resource in resources.values():
            if resource["Type"] == "AWS::IAM::Role":
                yield resource["Properties"]


def _trusting(role: Mapping[str, Any]) -> Iterator[list[str]]:
    for statement in role["AssumeRolePolicyDocument"]["Statement"]:
        principal = statement.get("Principal", {})
        if isinstance(principal, dict):
            yield [each for each in _listed(cast("Json", principal).get("Service", [])) if isinstance(each, str)]


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]
