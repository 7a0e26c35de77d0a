"""Capacity providers, and the scaling of function versions: records, and the rules that protect them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from infra.local.server import emulator
from infra.local.server.request import Answer, ApiError, Function, Request, answer, conflict, invalid, not_found

LATEST_PUBLISHED = "$LATEST.PUBLISHED"
MOST_ENVIRONMENTS = 15_000  # FunctionScalingConfig (Lambda API)
# What Lambda takes where nothing is said (Lambda developer guide, scaling of Managed Instances).
DEFAULT_SCALING = {"MinExecutionEnvironments": 3, "MaxExecutionEnvironments": MOST_ENVIRONMENTS}

SETTINGS = (
    "VpcConfig",
    "PermissionsConfig",
    "InstanceRequirements",
    "CapacityProviderScalingConfig",
    "KmsKeyArn",
    "PropagateTags",
    "TelemetryConfig",
)
UPDATABLE = ("CapacityProviderScalingConfig", "PropagateTags", "TelemetryConfig")

_providers = emulator.ScopedDict()  # by name


def create(name: str, settings: dict[str, Any], tags: dict[str, str]) -> dict[str, Any]:
    """Create a capacity provider, and return its description.

    Raises:
        ApiError: there is one of this name already.
    """
    if name in _providers:
        raise conflict(f"Capacity provider {name} already exists")
    arn = f"arn:aws:lambda:{emulator.region()}:{emulator.account_id()}:capacity-provider:{name}"
    _providers[name] = {
        "Description": {
            "CapacityProviderArn": arn,
            "State": "Active",
            "LastModified": _now(),
            **{key: settings[key] for key in SETTINGS if key in settings},
        },
        "Tags": tags,
    }
    return _providers[name]["Description"]


def describe(name_or_arn: str) -> dict[str, Any]:
    """Return the description of a capacity provider.

    Raises:
        ApiError: there is none of this name or ARN.
    """
    return _record(name_or_arn)["Description"]


def update(name: str, settings: dict[str, Any], tags: dict[str, str] | None = None) -> dict[str, Any]:
    """Change what can be changed of a capacity provider, and return its description."""
    record = _record(name)
    changes = {key: settings[key] for key in UPDATABLE if key in settings}
    record["Description"] |= changes | {"LastModified": _now()}
    if tags is not None:
        record["Tags"] = tags
    return record["Description"]


def delete(name: str) -> dict[str, Any]:
    """Delete a capacity provider, and return its last description.

    Raises:
        ApiError: function versions use it.
    """
    record = _record(name)["Description"]
    if used_by := [item["FunctionArn"] for item in attached_versions(record["CapacityProviderArn"])]:
        raise conflict(f"Capacity provider {name} can't be deleted: {', '.join(used_by)} use it")
    del _providers[name_of(name)]
    return record | {"State": "Deleting"}


def attached_versions(arn: str) -> Iterator[dict[str, str]]:
    """List the versions that use a capacity provider, and the published latest of each function that does."""
    for function in emulator.functions.values():
        if provider_of(function["config"]) == arn:
            yield {"FunctionArn": f"{function['config']['FunctionArn']}:{LATEST_PUBLISHED}", "State": "Active"}
        for version in function["versions"].values():
            if provider_of(version["config"]) == arn:
                yield {"FunctionArn": version["config"]["FunctionArn"], "State": "Active"}


def provider_of(config: dict[str, Any]) -> str | None:
    """Return the ARN of the capacity provider in a function's or version's configuration."""
    managed = config.get("CapacityProviderConfig", {}).get("LambdaManagedInstancesCapacityProviderConfig", {})
    return managed.get("CapacityProviderArn")


def put_scaling(function: Function, qualifier: str, scaling: dict[str, Any]) -> None:
    """Set how many execution environments a version has, least and most.

    Raises:
        ApiError: it has no capacity provider, or the numbers contradict each other.
    """
    record = function.record()
    if not provider_of(record["config"]):
        raise invalid("FunctionScalingConfig can't be specified for this Lambda function type.")
    wanted = DEFAULT_SCALING | {key: int(value) for key, value in scaling.items()}
    least, most = wanted["MinExecutionEnvironments"], wanted["MaxExecutionEnvironments"]
    if not 0 <= least <= most <= MOST_ENVIRONMENTS or (least == 0 and most != 0):
        raise invalid(f"{least} to {most} execution environments: 0 <= minimum <= maximum, and 0 only as both")
    record.setdefault("Scaling", {})[qualifier] = wanted


def scaling(function: Function, qualifier: str) -> dict[str, int]:
    """Return how many execution environments a version has, least and most."""
    return function.record().get("Scaling", {}).get(qualifier, DEFAULT_SCALING)


def records() -> list[dict[str, Any]]:
    """Return all capacity providers, with their tags."""
    return list(_providers.values())


def tags(arn: str) -> dict[str, str]:
    """Return the tags of a capacity provider."""
    return _record(arn)["Tags"]


def handle(request: Request, name: str | None, operation: str | None) -> Answer:
    """Answer a call of the capacity provider API."""
    match request.method, name, operation:
        case "GET", None, None:
            return answer({"CapacityProviders": [record["Description"] for record in records()]})
        case "POST", None, None:
            content = request.json()
            return _one(create(content["CapacityProviderName"], content, content.get("Tags") or {}), 202)
        case "GET", str(), None:
            return _one(describe(name), 200)
        case "PUT", str(), None:
            return _one(update(name, request.json()), 202)
        case "DELETE", str(), None:
            return _one(delete(name), 202)
        case "GET", str(), "function-versions":
            arn = describe(name)["CapacityProviderArn"]
            return answer({"CapacityProviderArn": arn, "FunctionVersions": list(attached_versions(arn))})
        case _:
            raise ApiError("UnknownOperationException", f"{request.method} {request.path} is not emulated", 404)


def handle_scaling(request: Request, function: Function) -> Answer:
    """Answer a call about the scaling of a function's version."""
    qualifier = function.qualifier or LATEST_PUBLISHED
    if qualifier != LATEST_PUBLISHED and qualifier not in function.record()["versions"]:
        raise not_found(f"{function.arn}:{qualifier}")
    if request.method == "PUT":
        put_scaling(function, qualifier, request.json().get("FunctionScalingConfig") or {})
        return answer({"FunctionState": "Active"}, 202)
    current = scaling(function, qualifier)
    return answer(
        {
            "FunctionArn": f"{function.arn}:{qualifier}",
            "AppliedFunctionScalingConfig": current,
            "RequestedFunctionScalingConfig": current,
        }
    )


def name_of(name_or_arn: str) -> str:
    """Return the name in a capacity provider's ARN."""
    return name_or_arn.rpartition(":capacity-provider:")[2]


def _record(name_or_arn: str) -> dict[str, Any]:
    name = name_of(name_or_arn)
    if name not in _providers:
        raise not_found(f"Capacity provider {name}")
    return _providers[name]


def _one(description: dict[str, Any], status: int) -> Answer:
    return answer({"CapacityProvider": description}, status)


def _now() -> str:
    return datetime.now(UTC).isoformat()
