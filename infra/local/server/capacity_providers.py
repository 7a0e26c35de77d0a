"""Capacity providers: records, and the rules that protect them."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TypedDict

from infra import limits
from infra.local.server import ministack
from infra.local.server.ministack import Answer, Json, Records
from infra.local.server.request import ApiError, Request, answer, conflict, not_found
from infra.local.server.scaling import LATEST_PUBLISHED, provider_of

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


class Provider(TypedDict):
    """A capacity provider, as Lambda's API describes it, and its tags."""

    description: Json
    tags: dict[str, str]


class CapacityProviders:
    """The capacity providers of all accounts; each call is about those of the request's account and region."""

    def __init__(self) -> None:
        self._by_name: Records[Provider] = ministack.new_records()

    def create(self, name: str, settings: Json, tags: dict[str, str]) -> Json:
        """Create a capacity provider, and return its description.

        Raises:
            ApiError: there is one of this name already.
        """
        if name in self._by_name:
            raise conflict(f"Capacity provider {name} already exists")
        description = {
            "CapacityProviderArn": (
                f"arn:aws:lambda:{ministack.region()}:{ministack.account_id()}:capacity-provider:{name}"
            ),
            "State": "Active",
            "LastModified": _now(),
            **{key: settings[key] for key in SETTINGS if key in settings},
        }
        self._by_name[name] = {"description": description, "tags": tags}
        return description

    def describe(self, name_or_arn: str) -> Json:
        """Return the description of a capacity provider.

        Raises:
            ApiError: there is none of this name or ARN.
        """
        return self._record(name_or_arn)["description"]

    def update(self, name: str, settings: Json, tags: dict[str, str] | None = None) -> Json:
        """Change what can be changed of a capacity provider, and return its description."""
        record = self._record(name)
        changes = {key: settings[key] for key in UPDATABLE if key in settings}
        record["description"] |= changes | {"LastModified": _now()}
        if tags is not None:
            record["tags"] = tags
        return record["description"]

    def delete(self, name: str) -> Json:
        """Delete a capacity provider, and return its last description.

        Raises:
            ApiError: function versions use it.
        """
        record = self.describe(name)
        if used_by := [item["FunctionArn"] for item in _attached_versions(record["CapacityProviderArn"])]:
            raise conflict(f"Capacity provider {name} can't be deleted: {', '.join(used_by)} use it")
        del self._by_name[name_of(name)]
        return record | {"State": "Deleting"}

    def records(self) -> list[Provider]:
        """Return all capacity providers, with their tags."""
        return list(self._by_name.values())

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a capacity provider."""
        return self._record(arn)["tags"]

    def handle(self, request: Request, name: str | None, operation: str | None) -> Answer:
        """Answer a call of the capacity provider API."""
        match request.method, name, operation:
            case "GET", None, None:
                descriptions = [record["description"] for record in self.records()]
                state = request.one("State")
                found = [each for each in descriptions if state in (None, each["State"])]
                return answer(_page(request, "CapacityProviders", found))
            case "POST", None, None:
                content = request.json()
                return _one(self.create(content["CapacityProviderName"], content, content.get("Tags") or {}), 202)
            case "GET", str(), None:
                return _one(self.describe(name), 200)
            case "PUT", str(), None:
                return _one(self.update(name, request.json()), 202)
            case "DELETE", str(), None:
                return _one(self.delete(name), 202)
            case "GET", str(), "function-versions":
                arn = self.describe(name)["CapacityProviderArn"]
                page = _page(request, "FunctionVersions", list(_attached_versions(arn)))
                return answer({"CapacityProviderArn": arn} | page)
            case _:
                raise ApiError("UnknownOperationException", f"{request.method} {request.path} is not emulated", 404)

    def _record(self, name_or_arn: str) -> Provider:
        name = name_of(name_or_arn)
        if name not in self._by_name:
            raise not_found(f"Capacity provider {name}")
        return self._by_name[name]


def name_of(name_or_arn: str) -> str:
    """Return the name in a capacity provider's ARN."""
    return name_or_arn.rpartition(":capacity-provider:")[2]


def _attached_versions(arn: str) -> Iterator[dict[str, str]]:
    """List the versions that use a capacity provider, and the published latest of each function that does."""
    for function in ministack.functions.values():
        if provider_of(function["config"]) == arn:
            yield {"FunctionArn": f"{function['config']['FunctionArn']}:{LATEST_PUBLISHED}", "State": "Active"}
        for version in function["versions"].values():
            if provider_of(version["config"]) == arn:
                yield {"FunctionArn": version["config"]["FunctionArn"], "State": "Active"}


def _page(request: Request, name: str, items: Sequence[object]) -> Json:
    return request.page(name, items, limits.CAPACITY_PROVIDERS_PAGE)


def _one(description: Json, status: int) -> Answer:
    return answer({"CapacityProvider": description}, status)


def _now() -> str:
    return datetime.now(UTC).isoformat()
