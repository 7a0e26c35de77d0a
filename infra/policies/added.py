"""What CloudFormation calls for the resources that functions add to their stacks, by the schemas of their types.

A type gets what its handlers list of its own service's actions, and of another service's where a property of one of
its resources is named after that. Nobody here has to know the type.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from infra.environment import Environment
from infra.errors import UsageError
from infra.policies import authorities
from infra.policies.authorities import service_of
from infra.policies.places import Added, Places
from infra.policies.resource_types import FUNCTION_TYPES, Actions, Grant, grants
from infra.policies.resources import ANY, FUNCTION, names_of_functions

# They take nothing.
_FREE = ("AWS::CDK::Metadata", "AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle")
# Rights that no permissions boundary would hold, and resources that are not in the template.
_REFUSED = ("AWS::IAM::", "AWS::CloudFormation::Stack")
_CUSTOM = ("Custom::", "AWS::CloudFormation::CustomResource")

# The exceptions, by resource type. Services of which it takes actions, though no property is named after them.
_ALSO = {"AWS::DynamoDB::GlobalTable": ("application-autoscaling",)}
# What reads and writes data, and serves tables with replicas and buckets without an owner.
_EXCEPT = {
    "AWS::DynamoDB::Table": "AssociateTableReplica BatchWriteItem CreateTableReplica DeleteItem GetItem PutItem Query "
    "Scan UpdateItem",
    "AWS::S3::Bucket": "DeleteObject PutObjectAcl",
}
# What is done to resources that are none of the stack's.
_FURTHER: dict[str, Actions] = {
    "AWS::DynamoDB::GlobalTable": {
        (
            "arn:aws:iam::{account}:role/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/*",
            "arn:aws:iam::{account}:role/aws-service-role/replication.dynamodb.amazonaws.com/*",
        ): "iam:CreateServiceLinkedRole"
    },
    "AWS::Events::Connection": {
        # There EventBridge keeps what the connection signs in with.
        ("arn:aws:secretsmanager:{region}:{account}:secret:events!connection/*",): "secretsmanager:CreateSecret "
        "secretsmanager:GetSecretValue secretsmanager:PutSecretValue secretsmanager:UpdateSecret"
    },
}

# The ids of event source mappings are random: it is told by the function which are a stack's own.
OF_FUNCTIONS = ("lambda:CreateEventSourceMapping", "lambda:DeleteEventSourceMapping", "lambda:UpdateEventSourceMapping")


def types(added: Added) -> list[str]:
    """Return the resource types that functions add to what every function has."""
    used = {resource["Type"] for resources in added.values() for resource in resources.values()}
    return sorted(used - {*FUNCTION_TYPES, *_FREE})


def making(environment: Environment, added: Added, kind: str) -> Iterator[Grant]:
    """Yield what making, changing, reading and removing resources of a type takes.

    Args:
        environment: where.
        added: what is in the functions' stacks.
        kind: one of its types.

    Raises:
        UsageError: CloudFormation may not make it for workflows, or it is not known what that takes.
    """
    return _taken(environment, added, kind, ("create", "read", "update", "delete", "tag"))


def reading(environment: Environment, added: Added, kind: str) -> Iterator[Grant]:
    """Yield what reading resources of a type takes, with the same errors."""
    return _taken(environment, added, kind, ("read",))


def given(resource: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the names and values of all properties of a resource, those within others as well."""
    pending: list[Any] = [resource.get("Properties", {})]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            found = cast("dict[str, Any]", value)
            yield from found.items()
            pending += found.values()
        elif isinstance(value, list):
            pending += cast("list[Any]", value)


def _taken(environment: Environment, added: Added, kind: str, handlers: tuple[str, ...]) -> Iterator[Grant]:
    resources = [*_of_type(added, kind)]
    names = names_of_functions(environment)
    if kind.startswith(_CUSTOM):
        yield from grants({FUNCTION: "lambda:InvokeFunction"}, names)
        return
    listed = authorities.handlers(kind, environment.region)
    for file, name, _ in resources:
        where = f"{file}: {name} is an {kind}"
        if kind.startswith(_REFUSED):
            raise UsageError(f"{where}, which no workflow may make; of IAM there can be roles with their policies")
        if not listed:
            raise UsageError(f"{where}, of which AWS's schemas do not say what it takes to make one")
    yield from grants(_FURTHER.get(kind, {}), names)
    places = Places(environment, added)
    named = [each for _, _, resource in resources for each in given(resource)]
    for action in sorted({action for handler in handlers for action in listed.get(handler, [])}):
        if _is_taken(action, kind, _own_service(listed), named):
            # What tags one resource tags many: nothing but the type's own.
            made = kind if "tag" in action.lower() else ""
            yield from ((action, resource) for resource in _where(action, places.of(action, made), named))


def _is_taken(action: str, kind: str, own: str, properties: list[tuple[str, Any]]) -> bool:
    service, _, name = action.partition(":")
    if not authorities.is_known(action) or name in _EXCEPT.get(kind, "").split() or service == "iam":
        return False
    word = authorities.plain(service)
    return service in (own, *_ALSO.get(kind, ())) or any(word in key.lower() for key, _ in properties)


def _own_service(listed: dict[str, list[str]]) -> str:
    """Return the service of a type: that of the first action that removes it, which others have part in last."""
    actions = [*listed.get("delete", []), *listed.get("create", [])]
    return next((service for action in actions if (service := service_of(action)) != "iam"), "iam")


def _where(action: str, resources: list[str], properties: list[tuple[str, Any]]) -> list[str]:
    """Add resources of the same service that the template names by their ARNs, such as a topic of somebody else's."""
    foreign = {
        value
        for _, value in properties
        if isinstance(value, str) and value.startswith(f"arn:aws:{service_of(action)}:")
    }
    return resources if resources == [*ANY] else sorted({*resources, *foreign})


def _of_type(added: Added, kind: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for function, resources in added.items():
        for name, resource in resources.items():
            if resource["Type"] == kind:
                yield f"functions/{function}/infrastructure.py", name, resource
