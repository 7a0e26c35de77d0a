"""What AWS says of its resource types and its actions, as it comes with cfn-lint.

The schemas of CloudFormation's resource types list what their handlers call; the service authorization reference says
on which resources an action can be allowed.
"""

import json
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

# Found without importing cfn-lint, which takes half a second.
DATA = Path(str(distribution("cfn-lint").locate_file("cfnlint/data")))
# Which has all resource types.
_LARGEST_REGION = "us-east-1"

# How CloudFormation calls services, where their actions begin otherwise.
_NAMESPACES = {
    "elasticfilesystem": "EFS",
    "firehose": "KinesisFirehose",
    "states": "StepFunctions",
}

Json = dict[str, Any]


def service_of(action: str) -> str:
    """Return what an action of IAM begins with, such as `sqs`."""
    return action.partition(":")[0]


def is_known(action: str) -> bool:
    """Tell whether there is such an action, or for one with a wildcard, whether there are any."""
    return bool(_matching(action))


def kinds_of(action: str) -> list[str]:
    """Return the resources on which an action can be allowed, as the reference calls them; none means on all alone."""
    return sorted({kind.lower() for found in _matching(action) for kind in found.get("Resources", [])})


def kinds_like(service: str, arn: str) -> list[str]:
    """Return the resources of a service that have such an ARN."""
    return [kind for kind in _service(service).get("Resources", {}) if arn in arns(service, kind)]


def arns(service: str, kind: str) -> list[str]:
    """Return the ARNs of a resource of a service, with `{region}` and `{account}` to fill in, and `.*` for names."""
    found: Json = _service(service).get("Resources", {}).get(kind, {})
    filled = {"${Partition}": "aws", "${Region}": "{region}", "${Account}": "{account}"}
    return [_replaced(arn, filled) for arn in found.get("ARNFormats", [])]


@cache
def maker(service: str, kind: str, region: str) -> str | None:
    """Return the resource type that makes a resource of a service, as AWS::SQS::Queue makes `queue` of sqs, if any."""
    namespace, name = plain(_NAMESPACES.get(service, service)), plain(kind)
    parts = {each: each.split("::") for each in _types(region)}
    makers = [
        each for each, (_, *rest) in parts.items() if plain(rest[0]) == namespace and name.startswith(plain(rest[-1]))
    ]
    return max(makers, key=len, default=None)


def plain(name: str) -> str:
    """Return a name without what differs between the authorities: case and punctuation."""
    return "".join(filter(str.isalnum, name)).lower()


def schema(kind: str, region: str) -> Json:
    """Return the schema of a resource type; that of a type that AWS does not know is empty."""
    for place in (region, _LARGEST_REGION):
        if digest := _types(place).get(kind):
            return _schema(digest)
    return {}


def handlers(kind: str, region: str) -> dict[str, list[str]]:
    """Return the actions that CloudFormation calls on a resource type: `create`, `read`, `update`, `delete`, `tag`."""
    found = schema(kind, region)
    listed = {name: handler.get("permissions", []) for name, handler in found.get("handlers", {}).items()}
    listed.pop("list", None)
    return listed | ({"tag": found.get("tagging", {}).get("permissions", [])} if listed else {})


def name_property(kind: str, region: str) -> str | None:
    """Return the property by which a resource is known, such as QueueName, and not by an id of the service's.

    A name that can be changed is none: it is told to people alone.
    """
    found = schema(kind, region)
    lasting = {*found.get("createOnlyProperties", []), *found.get("primaryIdentifier", [])}
    names = ("Name", f"{kind.rpartition('::')[2]}Name")
    return next((name for name in names if f"/properties/{name}" in lasting), None)


@cache
def _matching(action: str) -> list[Json]:
    service, _, name = action.lower().partition(":")
    actions: Json = _service(service).get("Actions", {})
    return [found for each, found in actions.items() if fnmatchcase(each, name)]


def _replaced(text: str, values: dict[str, str]) -> str:
    for key, value in values.items():
        text = text.replace(key, value)
    return text


def _service(service: str) -> Json:
    return _reference().get(service, {})


@cache
def _reference() -> Json:
    return json.loads((DATA / "AdditionalSpecs" / "Policies.json").read_text())


@cache
def _types(region: str) -> dict[str, str]:
    file = DATA / "schemas" / "providers" / f"{region}.json"
    found: dict[str, str] = json.loads(file.read_text()) if file.is_file() else {}
    return {kind: digest for kind, digest in found.items() if kind.count("::") == 2}  # noqa: PLR2004 - AWS::S3::Bucket


@cache
def _schema(digest: str) -> Json:
    return json.loads((DATA / "schemas" / "resources" / f"{digest}.json").read_text())
