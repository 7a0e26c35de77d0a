from collections.abc import Callable

import pytest

from infra.environment import Environment
from infra.stacks.names import LONGEST, RANDOM
from tests.infra.synthesis import (
    COMMIT,
    DEV,
    Resource,
    Resources,
    Synthesize,
    changed,
    made_before,
    of_type,
    the_only,
)

MakePlatform = Callable[[Environment], Resources]


def capacity_provider(resources: Resources) -> Resource:
    return the_only(resources, "AWS::Lambda::CapacityProvider")["Properties"]


def test_the_capacity_provider_is_as_large_and_of_the_architecture_that_is_configured(
    environment: Environment, platform: Resources
) -> None:
    settings = environment.capacity_provider
    assert capacity_provider(platform)["InstanceRequirements"] == {"Architectures": [settings.architecture]}
    assert capacity_provider(platform)["CapacityProviderScalingConfig"] == {
        "MaxVCpuCount": settings.maximum_vcpus,
        "ScalingMode": "Auto",
    }


def test_manual_scaling_follows_the_configured_utilization(make_platform: MakePlatform) -> None:
    environment = changed(DEV, "capacity_provider", scaling="manual", target_cpu_percent=70)
    assert capacity_provider(make_platform(environment))["CapacityProviderScalingConfig"] == {
        "MaxVCpuCount": environment.capacity_provider.maximum_vcpus,
        "ScalingMode": "Manual",
        "ScalingPolicies": [{"PredefinedMetricType": "LambdaCapacityProviderAverageCPUUtilization", "TargetValue": 70}],
    }


def test_only_configured_instance_types_are_allowed(make_platform: MakePlatform) -> None:
    environment = changed(DEV, "capacity_provider", instance_types=["m8g.large", "c8g.xlarge"])
    requirements = capacity_provider(make_platform(environment))["InstanceRequirements"]
    assert requirements["AllowedInstanceTypes"] == ["m8g.large", "c8g.xlarge"]


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_instances_have_the_configured_architecture(make_platform: MakePlatform, architecture: str) -> None:
    environment = changed(DEV, "capacity_provider", architecture=architecture)
    assert capacity_provider(make_platform(environment))["InstanceRequirements"]["Architectures"] == [architecture]


def test_lambda_alone_may_run_the_instances_and_only_as_awss_own_policy_has_it(platform: Resources) -> None:
    role = platform[
        capacity_provider(platform)["PermissionsConfig"]["CapacityProviderOperatorRoleArn"]["Fn::GetAtt"][0]
    ]
    [statement] = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    [policy] = role["Properties"]["ManagedPolicyArns"]
    assert policy["Fn::Join"][1][-1] == ":iam::aws:policy/AWSLambdaManagedEC2ResourceOperator"


def test_the_operator_may_write_to_its_log_group_and_to_no_other(platform: Resources) -> None:
    provider = capacity_provider(platform)
    group = provider["TelemetryConfig"]["LoggingConfig"]["LogGroup"]["Ref"]
    role = provider["PermissionsConfig"]["CapacityProviderOperatorRoleArn"]["Fn::GetAtt"][0]
    [policy] = [
        policy["Properties"]
        for policy in of_type(platform, "AWS::IAM::Policy").values()
        if policy["Properties"]["Roles"] == [{"Ref": role}]
    ]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert statement["Resource"] == {"Fn::GetAtt": [group, "Arn"]}


def test_the_capacity_provider_logs_to_a_group_that_is_there_before_it(platform: Resources) -> None:
    [name] = of_type(platform, "AWS::Lambda::CapacityProvider")
    logging = capacity_provider(platform)["TelemetryConfig"]["LoggingConfig"]
    assert logging["SystemLogLevel"] == "INFO"
    assert platform[logging["LogGroup"]["Ref"]]["Type"] == "AWS::Logs::LogGroup"
    assert logging["LogGroup"]["Ref"] in made_before(platform, name)


def test_log_groups_are_kept_for_as_long_as_configured_and_survive_only_where_data_is_retained(
    environment: Environment, platform: Resources
) -> None:
    policy = {"retain": "Retain", "destroy": "Delete"}[environment.protection.removal_policy]
    groups = of_type(platform, "AWS::Logs::LogGroup").values()
    assert groups
    for group in groups:
        assert group["Properties"]["RetentionInDays"] == environment.function.log_retention_days
        assert "LogGroupName" not in group["Properties"]
        assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == (policy, policy)


def test_functions_find_the_capacity_provider_in_a_parameter(environment: Environment, platform: Resources) -> None:
    [provider] = of_type(platform, "AWS::Lambda::CapacityProvider")
    parameter = the_only(platform, "AWS::SSM::Parameter")["Properties"]
    assert parameter["Name"] == f"/acme-platform-{environment.name}/capacity-provider-arn"
    assert parameter["Value"] == {"Fn::GetAtt": [provider, "Arn"]}


def test_the_stack_tells_its_capacity_providers_arn_and_its_commit_and_exports_nothing(
    environment: Environment, synthesize: Synthesize
) -> None:
    template = synthesize(environment.name).stack(f"acme-platform-{environment.name}").template
    [provider] = of_type(template["Resources"], "AWS::Lambda::CapacityProvider")
    assert template["Outputs"] == {
        "CapacityProviderArn": {"Value": {"Fn::GetAtt": [provider, "Arn"]}},
        "Commit": {"Value": COMMIT},
    }


def test_names_that_cloudformation_makes_up_begin_with_the_stacks_however_long_that_is(platform: Resources) -> None:
    longest = f"{'p' * 12}-platform-{'e' * 10}"
    named = of_type(platform, "AWS::IAM::Role")
    assert named
    for logical_id in named:
        assert len(f"{longest}-{logical_id}") + RANDOM <= LONGEST, f"{logical_id} needs a shorter id: name_short"


def test_the_stack_is_protected_from_termination_where_configured(
    environment: Environment, synthesize: Synthesize
) -> None:
    stack = synthesize(environment.name).stack(f"acme-platform-{environment.name}")
    assert stack.properties["terminationProtection"] is environment.protection.termination_protection


def test_the_stack_goes_to_the_configured_account_and_region(environment: Environment, synthesize: Synthesize) -> None:
    stack = synthesize(environment.name).stack(f"acme-platform-{environment.name}")
    assert stack.target == f"aws://{environment.account}/{environment.region}"
