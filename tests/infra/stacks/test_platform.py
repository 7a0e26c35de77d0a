from collections.abc import Callable

import pytest

from infra import naming
from infra.environment import Environment
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


def test_an_earlier_capacity_provider_stays_as_it_was_beside_the_one_for_new_versions(
    make_platform: MakePlatform,
) -> None:
    before = make_platform(DEV)
    later = changed(DEV, "capacity_provider", generation=2, architecture="x86_64")
    both = make_platform(later.model_copy(update={"retiring": {"1": DEV.capacity_provider}}))
    kept = {name for name in before if name in both}
    assert [name for name in before if before[name] != both.get(name)] == []
    [new] = of_type(both, "AWS::Lambda::CapacityProvider").keys() - kept
    assert both[new]["Properties"]["InstanceRequirements"]["Architectures"] == ["x86_64"]
    [parameter] = (each["Properties"] for name, each in both.items() if name not in kept | {new})
    assert (parameter["Name"], parameter["Value"]) == (
        "/acme-platform-dev/capacity-provider-arn-2",
        {"Fn::GetAtt": [new, "Arn"]},
    )
    alone = make_platform(later)
    assert (new in alone, len(of_type(alone, "AWS::Lambda::CapacityProvider"))) == (True, 1)


def test_instances_are_tagged_as_their_environment_is(environment: Environment, platform: Resources) -> None:
    propagated = capacity_provider(platform)["PropagateTags"]
    assert propagated["Mode"] == "Explicit"
    # The commit is none of them: instances outlive deployments.
    assert {each["Key"]: each["Value"] for each in propagated["ExplicitTags"]} == naming.tags(environment)


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_instances_have_the_configured_architecture(make_platform: MakePlatform, architecture: str) -> None:
    environment = changed(DEV, "capacity_provider", architecture=architecture)
    assert capacity_provider(make_platform(environment))["InstanceRequirements"]["Architectures"] == [architecture]


def test_the_instances_are_run_with_the_role_that_a_person_has_made(
    environment: Environment, platform: Resources
) -> None:
    role = f"arn:aws:iam::{environment.account}:role/acme-access-{environment.name}-operator"
    assert capacity_provider(platform)["PermissionsConfig"] == {"CapacityProviderOperatorRoleArn": role}


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


def test_the_stack_is_protected_from_termination_where_configured(
    environment: Environment, synthesize: Synthesize
) -> None:
    stack = synthesize(environment.name).stack(f"acme-platform-{environment.name}")
    assert stack.properties["terminationProtection"] is environment.protection.termination_protection


def test_the_stack_goes_to_the_configured_account_and_region(environment: Environment, synthesize: Synthesize) -> None:
    stack = synthesize(environment.name).stack(f"acme-platform-{environment.name}")
    assert stack.target == f"aws://{environment.account}/{environment.region}"
