import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack, eventually

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

NewStack = Callable[[], DurableStack]

NETWORK: Any = {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}
PERMISSIONS: Any = {"CapacityProviderOperatorRoleArn": f"arn:aws:iam::{ACCOUNT}:role/operator"}


def attached(stack: DurableStack) -> list[str]:
    pages = stack.lambda_.get_paginator("list_function_versions_by_capacity_provider").paginate(
        CapacityProviderName=stack.name, PaginationConfig={"PageSize": 1}
    )
    versions = [version["FunctionArn"] for page in pages for version in page["FunctionVersions"]]
    return [version.removeprefix(f"{stack.function_arn}:") for version in versions]


def of(stack: DurableStack) -> list[dict[str, Any]]:
    """Return the capacity providers that were made for a stack, in the order in which they were."""
    listed = stack.lambda_.list_capacity_providers()["CapacityProviders"]
    return [dict(each) for each in listed if f":capacity-provider:{stack.name}" in each["CapacityProviderArn"]]


def test_a_capacity_provider_that_versions_use_can_not_be_deleted(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    stack.deploy("two")
    assert attached(stack) == ["$LATEST.PUBLISHED", "1", "2"]
    with pytest.raises(stack.lambda_.exceptions.ResourceConflictException, match=rf"{stack.function_arn}:1, .*:2 use"):
        stack.lambda_.delete_capacity_provider(CapacityProviderName=stack.name)
    stack.lambda_.delete_function(FunctionName=stack.name, Qualifier="1")
    assert attached(stack) == ["$LATEST.PUBLISHED", "2"]


def test_a_stack_whose_capacity_provider_another_stack_uses_fails_to_delete(new_stack: NewStack) -> None:
    platform, user = new_stack(), new_stack()
    platform.deploy("one")
    provider = platform.lambda_.get_capacity_provider(CapacityProviderName=platform.name)["CapacityProvider"]
    managed = {"LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": provider["CapacityProviderArn"]}}
    user.deploy("one", CapacityProviderConfig=managed)

    platform.cloudformation.delete_stack(StackName=platform.name)
    platform.await_status("DELETE_FAILED")
    assert f"{user.function_arn}:1 use it" in platform.reasons()

    user.cloudformation.delete_stack(StackName=user.name)
    user.await_status("DELETE_COMPLETE")
    platform.cloudformation.delete_stack(StackName=platform.name)
    platform.await_status("DELETE_COMPLETE")


def changed(stack: DurableStack, provider: dict[str, Any]) -> dict[str, Any]:
    """Return what a change set says of the stack's capacity provider with these properties."""
    template = stack.template()
    template["Resources"]["Provider"]["Properties"] = provider
    of_stack: Any = {"StackName": stack.name, "ChangeSetName": f"a{uuid4().hex}"}
    stack.cloudformation.create_change_set(**of_stack, TemplateBody=json.dumps(template))
    eventually(lambda: stack.cloudformation.describe_change_set(**of_stack)["Status"].endswith(("_COMPLETE", "FAILED")))
    found = [each["ResourceChange"] for each in stack.cloudformation.describe_change_set(**of_stack)["Changes"]]
    stack.cloudformation.delete_change_set(**of_stack)
    return next(dict(each) for each in found if each.get("LogicalResourceId") == "Provider")


def test_a_change_set_says_which_properties_replace_a_capacity_provider(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    scaled = changed(stack, stack.provider | {"CapacityProviderScalingConfig": {"MaxVCpuCount": 12}})
    assert (scaled["Action"], scaled["Replacement"]) == ("Modify", "False")
    moved = changed(stack, stack.provider | {"VpcConfig": {"SubnetIds": ["subnet-2"], "SecurityGroupIds": ["sg-1"]}})
    assert (moved["Action"], moved["Replacement"], moved["PolicyAction"]) == ("Modify", "True", "ReplaceAndDelete")
    assert [each["Target"]["Name"] for each in moved["Details"]] == ["VpcConfig"]


def test_a_capacity_provider_that_is_replaced_under_its_versions_stays_and_the_update_succeeds(
    new_stack: NewStack,
) -> None:
    stack = new_stack()
    del stack.provider["CapacityProviderName"]
    stack.deploy("one")
    [before] = of(stack)
    stack.provider["InstanceRequirements"] = {"Architectures": ["arm64"]}
    stack.deploy("two")
    assert stack.status() == "UPDATE_COMPLETE"
    assert f"{stack.function_arn}:1 use it" in stack.reasons()
    assert [(each == before, "InstanceRequirements" in each) for each in of(stack)] == [(True, False), (False, True)]


def test_a_capacity_provider_with_a_name_of_its_own_is_not_replaced(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    stack.provider["InstanceRequirements"] = {"Architectures": ["arm64"]}
    with pytest.raises(AssertionError):
        stack.deploy("two")
    assert "a custom-named resource requires replacing" in stack.reasons()


def test_a_capacity_provider_is_made_changed_listed_and_deleted(local_aws: LocalAws) -> None:
    client: LambdaClient = local_aws.session(str(uuid4().int)[:12], REGION).client("lambda")
    created = client.create_capacity_provider(
        CapacityProviderName="provider",
        VpcConfig=NETWORK,
        PermissionsConfig=PERMISSIONS,
        CapacityProviderScalingConfig={"MaxVCpuCount": 12},
        Tags={"project": "acme"},
    )["CapacityProvider"]
    arn = created["CapacityProviderArn"]
    assert (created["State"], client.list_tags(Resource=arn)["Tags"]) == ("Active", {"project": "acme"})
    with pytest.raises(client.exceptions.ResourceConflictException):
        client.create_capacity_provider(
            CapacityProviderName="provider", VpcConfig=NETWORK, PermissionsConfig=PERMISSIONS
        )
    client.update_capacity_provider(CapacityProviderName="provider", CapacityProviderScalingConfig={"MaxVCpuCount": 24})
    [listed] = client.list_capacity_providers()["CapacityProviders"]
    assert listed["CapacityProviderScalingConfig"]["MaxVCpuCount"] == 24
    assert listed["VpcConfig"] == NETWORK
    client.delete_capacity_provider(CapacityProviderName="provider")
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_capacity_provider(CapacityProviderName=arn)


def test_capacity_providers_and_their_versions_are_listed_by_page(local_aws: LocalAws) -> None:
    client: LambdaClient = local_aws.session(str(uuid4().int)[:12], REGION).client("lambda")
    for name in ("one", "two", "three"):
        client.create_capacity_provider(CapacityProviderName=name, VpcConfig=NETWORK, PermissionsConfig=PERMISSIONS)
    pages = [*client.get_paginator("list_capacity_providers").paginate(PaginationConfig={"PageSize": 2})]
    arns = [[provider["CapacityProviderArn"] for provider in page["CapacityProviders"]] for page in pages]
    assert [[arn.rpartition(":")[2] for arn in page] for page in arns] == [["one", "two"], ["three"]]
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Marker"):
        client.list_capacity_providers(Marker="rubbish")
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Marker"):
        client.list_function_versions_by_capacity_provider(CapacityProviderName="one", Marker="rubbish")


def test_a_page_holds_one_version_of_a_capacity_provider_where_that_is_asked_for(stack: DurableStack) -> None:
    page = stack.lambda_.list_function_versions_by_capacity_provider(CapacityProviderName=stack.name, MaxItems=1)
    assert len(page["FunctionVersions"]) == 1
    assert "NextMarker" in page


def test_each_version_has_a_scaling_of_its_own(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    client = stack.lambda_
    assert scaling(stack, "$LATEST.PUBLISHED") == (0, 0)
    assert scaling(stack, "1") == (1, 2)
    client.put_function_scaling_config(
        FunctionName=stack.name,
        Qualifier="1",
        FunctionScalingConfig={"MinExecutionEnvironments": 0, "MaxExecutionEnvironments": 0},
    )
    stack.deploy("two")
    assert (scaling(stack, "1"), scaling(stack, "2")) == ((0, 0), (1, 2))


def test_a_version_that_sleeps_takes_no_execution_until_it_is_woken(new_stack: NewStack) -> None:
    stack = new_stack()
    stack.deploy("one")
    client = stack.lambda_

    def scale(least: int, most: int) -> str:
        wanted: Any = {"MinExecutionEnvironments": least, "MaxExecutionEnvironments": most}
        answer = client.put_function_scaling_config(
            FunctionName=stack.name, Qualifier="1", FunctionScalingConfig=wanted
        )
        state = client.get_function_configuration(FunctionName=stack.name, Qualifier="1").get("State", "")
        assert answer["FunctionState"] == state
        return state

    assert scale(0, 0) == "Deactivated"
    with pytest.raises(client.exceptions.ResourceConflictException, match="in the following state: Deactivated"):
        stack.start({})
    assert scale(1, 2) == "Active"
    assert stack.ended(stack.start({}))["Status"] == "SUCCEEDED"


def test_the_tags_that_go_on_to_instances_are_those_of_the_template(stack: DurableStack) -> None:
    provider = stack.lambda_.get_capacity_provider(CapacityProviderName=stack.name)["CapacityProvider"]
    assert provider.get("PropagateTags") == {"Mode": "Explicit", "ExplicitTags": {"stack": stack.name}}


@pytest.mark.parametrize(("least", "most"), [(0, 3), (3, 2), (1, 15_001)])
def test_a_scaling_that_contradicts_itself_is_refused(stack: DurableStack, least: int, most: int) -> None:
    with pytest.raises(stack.lambda_.exceptions.InvalidParameterValueException):
        stack.lambda_.put_function_scaling_config(
            FunctionName=stack.name,
            Qualifier="1",
            FunctionScalingConfig={"MinExecutionEnvironments": least, "MaxExecutionEnvironments": most},
        )


def scaling(stack: DurableStack, qualifier: str) -> tuple[int, int]:
    found = stack.lambda_.get_function_scaling_config(FunctionName=stack.name, Qualifier=qualifier)
    applied = found["AppliedFunctionScalingConfig"]
    return applied.get("MinExecutionEnvironments", -1), applied.get("MaxExecutionEnvironments", -1)
