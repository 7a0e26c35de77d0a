"""CloudFormation resource types that ministack does not know, or of which it drops what this project sets."""

import time
from uuid import uuid4

from infra import create_only
from infra.create_only import CAPACITY_PROVIDER, FUNCTION
from infra.local.server import ministack, network_types
from infra.local.server.capacity_providers import CapacityProviders, name_of
from infra.local.server.durable import DurableExecutions
from infra.local.server.ministack import Json, ResourceHandler
from infra.local.server.request import FunctionName
from infra.local.server.resource_handlers import Created, call, field, handler, numbered, tags
from infra.local.server.scaling import LATEST_PUBLISHED, provider_of, put_scaling

VERSION = "AWS::Lambda::Version"
FUNCTION_SETTINGS = ("DurableConfig", "CapacityProviderConfig")


def teach(executions: DurableExecutions, providers: CapacityProviders) -> None:
    """Make ministack's CloudFormation know them."""
    ministack.resource_handlers |= network_types.HANDLERS | {
        "AWS::IAM::OIDCProvider": handler(_create_oidc_provider, _delete_oidc_provider, _update_oidc_provider),
        CAPACITY_PROVIDER: _ProviderType(providers).handler(),
        FUNCTION: _FunctionType(executions, providers).handler(ministack.resource_handlers[FUNCTION]),
        VERSION: _version_handler(ministack.resource_handlers[VERSION]),
    }
    taught = (*network_types.TAGGED, "AWS::IAM::OIDCProvider", CAPACITY_PROVIDER)
    ministack.tag_properties |= dict.fromkeys(taught, ("Tags", "list"))
    # What a change set says of them, and what an update does.
    ministack.replacing_properties |= create_only.PROPERTIES
    ministack.named_properties[CAPACITY_PROVIDER] = {"name": "CapacityProviderName"}
    ministack.replace("services.cloudformation.stacks", "_runs_on_worker_thread", _may_block)


def _may_block(resource_type: str) -> bool:
    """Tell what CloudFormation must keep off its event loop: a function's removal, too, waits for its executions."""
    return resource_type == FUNCTION or ministack.runs_on_thread(resource_type)


# IAM.


def _create_oidc_provider(_logical_id: str, properties: Json, _stack: str) -> Created:
    parameters = (
        {"Url": properties["Url"]}
        | numbered("ClientIDList.member", properties.get("ClientIdList") or [])
        | numbered("ThumbprintList.member", properties.get("ThumbprintList") or [])
        | {f"Tags.member.{number}.Key": key for number, key in enumerate(tags(properties), 1)}
        | {f"Tags.member.{number}.Value": value for number, value in enumerate(tags(properties).values(), 1)}
    )
    text = call(ministack.iam_actions, "CreateOpenIDConnectProvider", parameters)
    arn = field(text, "OpenIDConnectProviderArn")
    return arn, {"Arn": arn}


def _delete_oidc_provider(arn: str, _properties: Json) -> None:
    call(ministack.iam_actions, "DeleteOpenIDConnectProvider", {"OpenIDConnectProviderArn": arn})


def _update_oidc_provider(
    arn: str, earlier: Json, properties: Json, stack: str, logical_id: str | None = None
) -> Created:
    if earlier["Url"] == properties["Url"]:
        # Its ARN follows from the URL, so it is the same provider afterwards.
        _delete_oidc_provider(arn, earlier)
    return _create_oidc_provider(logical_id or "", properties, stack)


# Lambda.


class _ProviderType:
    """AWS::Lambda::CapacityProvider."""

    def __init__(self, providers: CapacityProviders) -> None:
        self._providers = providers

    def handler(self) -> ResourceHandler:
        """Return its handler."""
        return handler(self._create, self._delete, self._update)

    def _create(self, logical_id: str, properties: Json, stack: str) -> Created:
        # Another each time, as CloudFormation names what has to stand beside an earlier one for a while.
        name = properties.get("CapacityProviderName") or f"{stack}-{logical_id}-{uuid4().hex[:12]}"
        return _provider_created(self._providers.create(name, _as_the_api_has_it(properties), tags(properties)))

    def _update(
        self, name: str, _earlier: Json, properties: Json, _stack: str, _logical_id: str | None = None
    ) -> Created:
        return _provider_created(self._providers.update(name, _as_the_api_has_it(properties), tags(properties)))

    def _delete(self, name: str, _properties: Json) -> None:
        self._providers.delete(name)


def _as_the_api_has_it(properties: Json) -> Json:
    """Return properties with a map of the tags that CloudFormation has in a list."""
    propagated: Json = properties.get("PropagateTags", {})
    if "ExplicitTags" not in propagated:
        return properties
    explicit = tags({"Tags": propagated["ExplicitTags"]})
    return properties | {"PropagateTags": propagated | {"ExplicitTags": explicit}}


def _provider_created(description: Json) -> Created:
    arn = description["CapacityProviderArn"]
    return name_of(arn), {"Arn": arn, "State": description["State"]}


class _FunctionType:
    """AWS::Lambda::Function with what ministack drops of it, and with its rules for durable functions."""

    def __init__(self, executions: DurableExecutions, providers: CapacityProviders) -> None:
        self._executions = executions
        self._providers = providers

    def handler(self, inner: ResourceHandler) -> ResourceHandler:
        """Return a handler around ministack's."""

        def create(logical_id: str, properties: Json, stack: str) -> Created:
            name = properties.get("FunctionName")
            if name in ministack.functions:
                raise ValueError(f"{name} already exists")
            self._check_provider(properties)
            return self._configured(inner["create"](logical_id, properties, stack), properties)

        def update(name: str, earlier: Json, properties: Json, stack: str, logical_id: str | None = None) -> Created:
            _check_change(name, earlier, properties)
            self._check_provider(properties)
            # ministack would take any change of it for a new function, and drop the versions of the one that is there.
            same = earlier | ({"DurableConfig": properties["DurableConfig"]} if "DurableConfig" in properties else {})
            return self._configured(inner["update"](name, same, properties, stack, logical_id), properties)

        def delete(name: str, properties: Json) -> None:
            if name in ministack.functions:
                function = FunctionName.named(name)
                function.record()["config"]["State"] = "Deleting"
                self._executions.wait_until_drained(function, time.sleep)
                ministack.end_workers(name, None, function.account, function.region)
            inner["delete"](name, properties)

        return inner | handler(create, delete, update)

    def _configured(self, created: Created, properties: Json) -> Created:
        function = FunctionName.named(created[0])
        function.record()["config"] |= {key: properties[key] for key in FUNCTION_SETTINGS if key in properties}
        if scaling := properties.get("FunctionScalingConfig"):
            put_scaling(function, LATEST_PUBLISHED, scaling)
        return created

    def _check_provider(self, properties: Json) -> None:
        """Raise ApiError when the function's capacity provider does not exist."""
        if arn := provider_of(properties):
            self._providers.describe(arn)


def _check_change(name: str, earlier: Json, properties: Json) -> None:
    """Raise ValueError for a change that needs another function, or that Lambda refuses."""
    if ("DurableConfig" in earlier) != ("DurableConfig" in properties):
        raise ValueError(
            "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
            f"Rename {name} and update the stack again."
        )
    if "CapacityProviderConfig" in earlier and "CapacityProviderConfig" not in properties:
        raise ValueError(f"{name}: a function's capacity provider can be changed but not removed")


def _version_handler(inner: ResourceHandler) -> ResourceHandler:
    def create(logical_id: str, properties: Json, stack: str) -> Created:
        return _scaled(inner["create"](logical_id, properties, stack), properties)

    def update(arn: str, earlier: Json, properties: Json, stack: str, logical_id: str | None = None) -> Created:
        return _scaled(inner["update"](arn, earlier, properties, stack, logical_id), properties)

    def delete(arn: str, properties: Json) -> None:
        inner["delete"](arn, properties)
        function = FunctionName.named(arn)
        ministack.end_workers(function.name, function.qualifier, function.account, function.region)

    return inner | handler(create, delete, update)


def _scaled(created: Created, properties: Json) -> Created:
    if scaling := properties.get("FunctionScalingConfig"):
        function = FunctionName.named(created[0])
        put_scaling(function, str(function.qualifier), scaling)
    return created
