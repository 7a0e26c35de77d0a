import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from infra.environment import Environment, load, names
from infra.stacks.orders import Orders
from tests.infra.synthesis import (
    Resource,
    Resources,
    Stack,
    Synthesize,
    changed,
    made_before,
    make_app,
    of_type,
    resources_of,
    the_only,
)

DEPLOYED = [(name, None) for name in names() if not load(name).hosts_previews] + [("preview", "123")]


@dataclass(frozen=True)
class Deployed:
    """A synthesized orders stack with the environment that it is for."""

    environment: Environment
    stack: Stack

    @property
    def name(self) -> str:
        return self.stack.name

    @property
    def template(self) -> dict[str, Any]:
        return self.stack.template

    @property
    def resources(self) -> Resources:
        return self.stack.resources

    @property
    def function(self) -> Resource:
        return the_only(self.resources, "AWS::Lambda::Function")["Properties"]

    @property
    def version(self) -> Resource:
        return the_only(self.resources, "AWS::Lambda::Version")


@pytest.fixture(params=DEPLOYED, ids=str)
def orders(request: pytest.FixtureRequest, synthesize: Synthesize) -> Deployed:
    """The orders stack of each environment that has one, and of a preview."""
    name, pull_request = request.param
    stack_name = "orders-pr-123" if pull_request else f"orders-{name}"
    return Deployed(load(name), synthesize(name, pull_request).stack(stack_name))


def test_the_function_is_called_as_its_stack(orders: Deployed) -> None:
    assert orders.function["FunctionName"] == orders.name


def test_the_function_runs_the_handler_as_configured(orders: Deployed) -> None:
    settings = orders.environment.function
    assert orders.function["Handler"] == "orders.handler.handler"
    assert orders.function["Runtime"] == settings.runtime
    assert orders.function["MemorySize"] == settings.memory_mb
    assert orders.function["Timeout"] == settings.timeout_seconds


def test_the_function_has_the_architecture_of_its_instances(orders: Deployed, synthesize: Synthesize) -> None:
    platform = synthesize(orders.environment.name).stack(f"platform-{orders.environment.name}")
    provider = the_only(platform.resources, "AWS::Lambda::CapacityProvider")["Properties"]
    assert orders.function["Architectures"] == provider["InstanceRequirements"]["Architectures"]


def test_executions_last_and_are_remembered_as_long_as_configured(orders: Deployed) -> None:
    assert orders.function["DurableConfig"] == {
        "ExecutionTimeout": orders.environment.durable.execution_timeout_seconds,
        "RetentionPeriodInDays": orders.environment.durable.retention_days,
    }


def test_the_function_runs_on_the_platforms_capacity_provider_with_explicit_numbers(orders: Deployed) -> None:
    [config] = orders.function["CapacityProviderConfig"].values()
    assert config["ExecutionEnvironmentMemoryGiBPerVCpu"] == orders.environment.function.memory_gib_per_vcpu
    assert config["PerExecutionEnvironmentMaxConcurrency"] == orders.environment.function.concurrency
    assert orders.template["Parameters"][config["CapacityProviderArn"]["Ref"]] == {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": f"/platform-{orders.environment.name}/capacity-provider-arn",
    }


def test_the_function_has_no_network_and_no_concurrency_of_its_own(orders: Deployed) -> None:
    # Neither goes together with a capacity provider.
    assert not {"VpcConfig", "ReservedConcurrentExecutions"} & orders.function.keys()


def test_nothing_is_kept_running_of_the_unversioned_function(orders: Deployed) -> None:
    assert orders.function["FunctionScalingConfig"] == {"MinExecutionEnvironments": 0, "MaxExecutionEnvironments": 0}


def test_the_version_keeps_as_many_environments_as_configured(orders: Deployed) -> None:
    assert orders.version["Properties"]["FunctionScalingConfig"] == {
        "MinExecutionEnvironments": orders.environment.function.minimum_environments,
        "MaxExecutionEnvironments": orders.environment.function.maximum_environments,
    }


def test_versions_outlive_their_deployment(orders: Deployed) -> None:
    assert (orders.version["DeletionPolicy"], orders.version["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_alias_live_names_the_version_and_no_other(orders: Deployed) -> None:
    [version] = of_type(orders.resources, "AWS::Lambda::Version")
    [function] = of_type(orders.resources, "AWS::Lambda::Function")
    assert the_only(orders.resources, "AWS::Lambda::Alias")["Properties"] == {
        "Name": "live",
        "FunctionName": {"Ref": function},
        "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
    }


def test_logs_are_json_at_the_configured_level_in_a_group_that_is_there_first(orders: Deployed) -> None:
    [function] = of_type(orders.resources, "AWS::Lambda::Function")
    [group] = of_type(orders.resources, "AWS::Logs::LogGroup")
    assert orders.function["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": orders.environment.function.log_level,
        "SystemLogLevel": "INFO",
        "LogGroup": {"Ref": group},
    }
    assert group in made_before(orders.resources, function)


def test_logs_are_kept_for_as_long_as_configured_and_survive_only_where_data_is_retained(orders: Deployed) -> None:
    group = the_only(orders.resources, "AWS::Logs::LogGroup")
    policy = {"retain": "Retain", "destroy": "Delete"}[orders.environment.protection.removal_policy]
    assert group["Properties"]["RetentionInDays"] == orders.environment.function.log_retention_days
    assert "LogGroupName" not in group["Properties"]
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == (policy, policy)


def test_the_function_may_checkpoint_its_own_versions_executions_and_write_its_own_logs_and_nothing_else(
    orders: Deployed,
) -> None:
    environment = orders.environment
    role = orders.resources[orders.function["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert not {"ManagedPolicyArns", "Policies"} & role.keys()
    [group] = of_type(orders.resources, "AWS::Logs::LogGroup")
    policy = the_only(orders.resources, "AWS::IAM::Policy")["Properties"]
    assert policy["Roles"] == [{"Ref": orders.function["Role"]["Fn::GetAtt"][0]}]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"],
            "Resource": f"arn:aws:lambda:{environment.region}:{environment.account}:function:{orders.name}:*",
        },
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [group, "Arn"]},
        },
    ]


def test_lambda_alone_may_act_as_the_function(orders: Deployed) -> None:
    role = the_only(orders.resources, "AWS::IAM::Role")["Properties"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Principal"]) == ("sts:AssumeRole", {"Service": "lambda.amazonaws.com"})


def test_the_function_is_made_after_its_permissions(orders: Deployed) -> None:
    [function] = of_type(orders.resources, "AWS::Lambda::Function")
    [policy] = of_type(orders.resources, "AWS::IAM::Policy")
    assert policy in made_before(orders.resources, function)


def test_the_stack_tells_what_the_pipeline_asks_for_and_exports_nothing(orders: Deployed) -> None:
    [function] = of_type(orders.resources, "AWS::Lambda::Function")
    [version] = of_type(orders.resources, "AWS::Lambda::Version")
    [alias] = of_type(orders.resources, "AWS::Lambda::Alias")
    [group] = of_type(orders.resources, "AWS::Logs::LogGroup")
    assert orders.template["Outputs"] == {
        "FunctionName": {"Value": {"Ref": function}},
        "AliasArn": {"Value": {"Ref": alias}},
        "Version": {"Value": {"Fn::GetAtt": [version, "Version"]}},
        "LogGroupName": {"Value": {"Ref": group}},
    }


def test_the_stack_imports_nothing_from_its_platform(orders: Deployed) -> None:
    assert "Fn::ImportValue" not in json.dumps(orders.template)


def test_the_stack_is_protected_from_termination_where_configured(orders: Deployed) -> None:
    assert orders.stack.properties["terminationProtection"] is orders.environment.protection.termination_protection


def test_the_stack_goes_to_the_configured_account_and_region(orders: Deployed) -> None:
    assert orders.stack.target == f"aws://{orders.environment.account}/{orders.environment.region}"


def test_two_previews_share_no_name(synthesize: Synthesize) -> None:
    functions = [
        the_only(synthesize("preview", number).stacks[0].resources, "AWS::Lambda::Function")["Properties"]
        for number in ("123", "124")
    ]
    assert [function["FunctionName"] for function in functions] == ["orders-pr-123", "orders-pr-124"]


Version = Callable[..., str]


@pytest.fixture
def version_of(tmp_path: Path) -> Version:
    """Returns the logical id of the version of an environment's function with some code and some tags."""

    def version_of(environment: Environment, code: str = "code", tags: dict[str, str] | None = None) -> str:
        archive = tmp_path / f"{code}.zip"
        archive.write_text(code)
        app = make_app(tmp_path / "assembly")
        stack = Orders(app, environment, cdk.DefaultStackSynthesizer(), archive)
        for key, value in (tags or {}).items():
            cdk.Tags.of(app).add(key, value)
        [version] = of_type(resources_of(stack), "AWS::Lambda::Version")
        return version

    return version_of


def test_the_same_function_is_the_same_version(version_of: Version) -> None:
    assert version_of(load("dev")) == version_of(load("dev"))


def test_a_change_of_the_code_makes_a_version(version_of: Version) -> None:
    assert version_of(load("dev"), code="before") != version_of(load("dev"), code="after")


@pytest.mark.parametrize(
    ("table", "key", "value"),
    [
        ("function", "memory_mb", 8192),
        ("function", "memory_gib_per_vcpu", 2.0),
        ("function", "concurrency", 4),
        ("function", "timeout_seconds", 61),
        ("function", "log_level", "ERROR"),
        ("function", "runtime", "python3.14"),
        ("durable", "execution_timeout_seconds", 61),
    ],
)
def test_a_change_of_what_a_version_freezes_makes_a_version(
    version_of: Version, table: str, key: str, value: object
) -> None:
    assert version_of(changed(load("dev"), table, **{key: value})) != version_of(load("dev"))


def test_a_change_of_tags_makes_no_version(version_of: Version) -> None:
    assert version_of(load("dev"), tags={"commit": "1"}) == version_of(load("dev"), tags={"commit": "2"})


def test_a_change_of_the_number_of_environments_makes_no_version(version_of: Version) -> None:
    environment = changed(load("dev"), "function", minimum_environments=2, maximum_environments=3)
    assert version_of(environment) == version_of(load("dev"))
