import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from infra import functions, needs
from infra import project as projects
from infra.environment import Environment, Settings, load
from infra.policies.resources import KEPT, function_stacks
from infra.stacks.function import FunctionStack
from tests.infra.fakes.environments import ACCOUNT, PROJECT, REGION, environment
from tests.infra.policies.iam import may
from tests.infra.synthesis import (
    COMMIT,
    DEV,
    ENVIRONMENTS,
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

DEPLOYED = [
    ("dev", None, "billing"),
    ("prod", None, "billing"),
    ("prod", None, "refunds"),  # which has settings of its own
    ("preview", "123", "billing"),
]


@dataclass(frozen=True)
class Deployed:
    """A synthesized stack of a function with the environment that it is for."""

    environment: Environment
    folder: str
    stack: Stack

    @property
    def settings(self) -> Settings:
        return self.environment.settings(self.folder)

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
def deployed(request: pytest.FixtureRequest, synthesize: Synthesize) -> Deployed:
    """The stacks of functions in environments that have some, and in a preview."""
    name, pull_request, folder = request.param
    place = "pr-123" if pull_request else name
    return Deployed(ENVIRONMENTS[name], folder, synthesize(name, pull_request).stack(f"acme-{place}-{folder}"))


def test_the_function_is_called_as_its_stack(deployed: Deployed) -> None:
    assert deployed.function["FunctionName"] == deployed.name


def test_the_function_runs_the_handler_as_configured(deployed: Deployed) -> None:
    settings = deployed.settings
    assert deployed.function["Handler"] == f"{deployed.folder}.handler.handler"
    assert deployed.function["Runtime"] == settings.runtime
    assert deployed.function["MemorySize"] == settings.memory_mb
    assert deployed.function["Timeout"] == settings.timeout_seconds


def test_the_function_has_the_architecture_of_its_instances(deployed: Deployed, synthesize: Synthesize) -> None:
    platform = synthesize(deployed.environment.name).stack(f"acme-platform-{deployed.environment.name}")
    provider = the_only(platform.resources, "AWS::Lambda::CapacityProvider")["Properties"]
    assert deployed.function["Architectures"] == provider["InstanceRequirements"]["Architectures"]


def test_executions_last_and_are_remembered_as_long_as_configured(deployed: Deployed) -> None:
    assert deployed.function["DurableConfig"] == {
        "ExecutionTimeout": deployed.settings.durable.execution_timeout_seconds,
        "RetentionPeriodInDays": deployed.settings.durable.retention_days,
    }


def test_the_function_runs_on_the_platforms_capacity_provider_with_explicit_numbers(deployed: Deployed) -> None:
    [config] = deployed.function["CapacityProviderConfig"].values()
    assert config["ExecutionEnvironmentMemoryGiBPerVCpu"] == deployed.settings.memory_gib_per_vcpu
    assert config["PerExecutionEnvironmentMaxConcurrency"] == deployed.settings.concurrency
    assert deployed.template["Parameters"][config["CapacityProviderArn"]["Ref"]] == {
        "Type": "AWS::SSM::Parameter::Value<String>",
        "Default": f"/acme-platform-{deployed.environment.name}/capacity-provider-arn",
    }


def test_the_function_has_no_network_and_no_concurrency_of_its_own(deployed: Deployed) -> None:
    # Neither goes together with a capacity provider.
    assert not {"VpcConfig", "ReservedConcurrentExecutions"} & deployed.function.keys()


def test_nothing_is_kept_running_of_the_unversioned_function(deployed: Deployed) -> None:
    assert deployed.function["FunctionScalingConfig"] == {"MinExecutionEnvironments": 0, "MaxExecutionEnvironments": 0}
    assert deployed.function["PublishToLatestPublished"] is False


def test_the_version_keeps_as_many_environments_as_configured(deployed: Deployed) -> None:
    assert deployed.version["Properties"]["FunctionScalingConfig"] == {
        "MinExecutionEnvironments": deployed.settings.minimum_environments,
        "MaxExecutionEnvironments": deployed.settings.maximum_environments,
    }


def test_versions_outlive_their_deployment(deployed: Deployed) -> None:
    assert (deployed.version["DeletionPolicy"], deployed.version["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_the_alias_live_names_the_version_and_no_other(deployed: Deployed) -> None:
    [version] = of_type(deployed.resources, "AWS::Lambda::Version")
    [function] = of_type(deployed.resources, "AWS::Lambda::Function")
    assert the_only(deployed.resources, "AWS::Lambda::Alias")["Properties"] == {
        "Name": "live",
        "FunctionName": {"Ref": function},
        "FunctionVersion": {"Fn::GetAtt": [version, "Version"]},
    }


def test_logs_are_json_at_the_configured_level_in_a_group_that_is_there_first(deployed: Deployed) -> None:
    [function] = of_type(deployed.resources, "AWS::Lambda::Function")
    [group] = of_type(deployed.resources, "AWS::Logs::LogGroup")
    assert deployed.function["LoggingConfig"] == {
        "LogFormat": "JSON",
        "ApplicationLogLevel": deployed.settings.log_level,
        "SystemLogLevel": "INFO",
        "LogGroup": {"Ref": group},
    }
    assert group in made_before(deployed.resources, function)


def test_logs_are_kept_for_as_long_as_configured_and_survive_only_where_data_is_retained(deployed: Deployed) -> None:
    group = the_only(deployed.resources, "AWS::Logs::LogGroup")
    policy = {"retain": "Retain", "destroy": "Delete"}[deployed.environment.protection.removal_policy]
    assert group["Properties"]["RetentionInDays"] == deployed.settings.log_retention_days
    assert "LogGroupName" not in group["Properties"]
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == (policy, policy)


def test_the_function_may_checkpoint_its_own_versions_executions_and_write_its_own_logs_and_nothing_else(
    deployed: Deployed,
) -> None:
    environment = deployed.environment
    role = deployed.resources[deployed.function["Role"]["Fn::GetAtt"][0]]["Properties"]
    assert not {"ManagedPolicyArns", "Policies"} & role.keys()
    [group] = of_type(deployed.resources, "AWS::Logs::LogGroup")
    policy = the_only(deployed.resources, "AWS::IAM::Policy")["Properties"]
    assert policy["Roles"] == [{"Ref": deployed.function["Role"]["Fn::GetAtt"][0]}]
    assert policy["PolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"],
            "Resource": f"arn:aws:lambda:{environment.region}:{environment.account}:function:{deployed.name}:*",
        },
        {
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": [group, "Arn"]},
        },
    ]


def test_lambda_alone_may_act_as_the_function(deployed: Deployed) -> None:
    role = the_only(deployed.resources, "AWS::IAM::Role")["Properties"]
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Principal"]) == ("sts:AssumeRole", {"Service": "lambda.amazonaws.com"})


def test_the_function_is_made_after_its_permissions(deployed: Deployed) -> None:
    [function] = of_type(deployed.resources, "AWS::Lambda::Function")
    [policy] = of_type(deployed.resources, "AWS::IAM::Policy")
    assert policy in made_before(deployed.resources, function)


def test_the_stack_tells_what_the_pipeline_asks_for_and_exports_nothing(deployed: Deployed) -> None:
    [function] = of_type(deployed.resources, "AWS::Lambda::Function")
    [version] = of_type(deployed.resources, "AWS::Lambda::Version")
    [alias] = of_type(deployed.resources, "AWS::Lambda::Alias")
    [group] = of_type(deployed.resources, "AWS::Logs::LogGroup")
    assert deployed.template["Outputs"] == {
        "FunctionName": {"Value": {"Ref": function}},
        "AliasArn": {"Value": {"Ref": alias}},
        "Version": {"Value": {"Fn::GetAtt": [version, "Version"]}},
        "LogGroupName": {"Value": {"Ref": group}},
        "Commit": {"Value": COMMIT},
    }


def test_the_stack_imports_nothing_from_its_platform(deployed: Deployed) -> None:
    assert "Fn::ImportValue" not in json.dumps(deployed.template)


def test_the_stack_is_protected_from_termination_where_configured(deployed: Deployed) -> None:
    assert deployed.stack.properties["terminationProtection"] is deployed.environment.protection.termination_protection


def test_the_stack_goes_to_the_configured_account_and_region(deployed: Deployed) -> None:
    assert deployed.stack.target == f"aws://{deployed.environment.account}/{deployed.environment.region}"


def test_two_previews_share_no_name(synthesize: Synthesize) -> None:
    names = [{stack.name for stack in synthesize("preview", number).stacks} for number in ("123", "124")]
    assert names == [{"acme-pr-123-billing", "acme-pr-123-refunds"}, {"acme-pr-124-billing", "acme-pr-124-refunds"}]


def test_the_stack_says_of_which_function_it_is(deployed: Deployed) -> None:
    assert deployed.stack.properties["tags"]["function"] == deployed.folder
    assert deployed.template["Description"] == f"The durable function {deployed.folder}"


def test_a_function_may_checkpoint_no_executions_of_one_that_is_called_nearly_so(deployed: Deployed) -> None:
    policy = the_only(deployed.resources, "AWS::IAM::Policy")["Properties"]["PolicyDocument"]
    [statement] = [each for each in policy["Statement"] if "lambda:CheckpointDurableExecution" in each["Action"]]
    narrowed = [statement | {"Resource": [statement["Resource"]]}]
    own = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{deployed.name}"
    others = [own, f"{own}-eu:3", f"{own}_eu:3", f"{own}2:3", own.replace("acme", "acme2") + ":3"]
    assert may(narrowed, "lambda:CheckpointDurableExecution", f"{own}:3")
    assert not [arn for arn in others if may(narrowed, "lambda:CheckpointDurableExecution", arn)]


def test_as_much_is_left_of_the_names_that_cloudformation_cuts_as_tells_environments_apart() -> None:
    longest = environment("e" * 10, project=PROJECT.model_copy(update={"name": "p" * 12}))
    previews = longest.model_copy(update={"preview_days": 1})
    for each in (longest, previews):
        assert len(function_stacks(each).removesuffix("*")) <= KEPT


MakeTemplate = Callable[..., str]


@pytest.fixture
def template_of(tmp_path: Path) -> MakeTemplate:
    """Returns the template of a function in an environment, with some code and some tags, as text."""

    def template_of(
        environment: Environment, folder: str = "billing", code: str = "code", tags: dict[str, str] | None = None
    ) -> str:
        archive = tmp_path / f"{code}.zip"
        archive.write_text(code)
        app = make_app(tmp_path / "assembly")
        bundle = lambda_.Code.from_asset(str(archive))
        nothing = needs.load(folder, tmp_path)
        stack = FunctionStack(app, environment, folder, cdk.DefaultStackSynthesizer(), bundle, infrastructure=nothing)
        for key, value in (tags or {}).items():
            cdk.Tags.of(app).add(key, value)
        return json.dumps(resources_of(stack))

    return template_of


def version_in(template: str) -> str:
    """Return the logical id of the version in a template."""
    [version] = of_type(json.loads(template), "AWS::Lambda::Version")
    return version


def test_the_same_function_is_the_same_version(template_of: MakeTemplate) -> None:
    assert template_of(DEV) == template_of(DEV)


def test_a_change_of_the_code_makes_a_version(template_of: MakeTemplate) -> None:
    assert version_in(template_of(DEV, code="before")) != version_in(template_of(DEV, code="after"))


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
    template_of: MakeTemplate, table: str, key: str, value: object
) -> None:
    assert version_in(template_of(changed(DEV, table, **{key: value}))) != version_in(template_of(DEV))


def test_a_change_of_tags_makes_no_version(template_of: MakeTemplate) -> None:
    one, other = (template_of(DEV, tags={"team": team}) for team in ("1", "2"))
    assert one != other
    assert version_in(one) == version_in(other)


def test_a_change_of_the_number_of_environments_makes_no_version(template_of: MakeTemplate) -> None:
    environment = changed(DEV, "function", minimum_environments=2, maximum_environments=3)
    assert version_in(template_of(environment)) == version_in(template_of(DEV))


def test_a_change_of_one_functions_settings_changes_nothing_of_another(template_of: MakeTemplate) -> None:
    larger = DEV.settings("refunds").model_copy(update={"memory_mb": 8192, "log_retention_days": 30})
    environment = DEV.model_copy(update={"functions": {"refunds": larger}})
    assert template_of(environment, "billing") == template_of(DEV, "billing")
    assert version_in(template_of(environment, "refunds")) != version_in(template_of(DEV, "refunds"))


def test_the_functions_of_this_checkout_have_the_settings_of_its_files(synthesize_checkout: Synthesize) -> None:
    for name in projects.load().promote:
        environment = load(name)
        found = {
            stack.properties["tags"]["function"]: properties
            for stack in synthesize_checkout(name).stacks
            if "function" in stack.properties["tags"]
            for properties in (
                each["Properties"] for each in of_type(stack.resources, "AWS::Lambda::Function").values()
            )
            if "DurableConfig" in properties  # an infrastructure.py may add others
        }
        assert sorted(found) == sorted(functions.names())
        for folder, function in found.items():
            assert function["MemorySize"] == environment.settings(folder).memory_mb, f"{name}: {folder}"
            assert function["Runtime"] == environment.settings(folder).runtime, f"{name}: {folder}"
