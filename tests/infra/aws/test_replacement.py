"""What a deployment is refused for before it begins, and which are none of it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from infra.aws import replacement
from infra.aws.assembly import Assembly
from infra.create_only import CAPACITY_PROVIDER, FUNCTION
from infra.errors import CommandError
from infra.pipeline import diff
from tests.infra.fakes import assemblies
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV

PLATFORM, BILLING = "acme-platform-dev", "acme-dev-billing"
VERSIONS = [f"arn:aws:lambda:eu-west-1:111111111111:function:{BILLING}:{number}" for number in range(1, 8)]

RESOURCES: dict[str, Any] = {
    "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "some"}},
    "Other": {"Type": "AWS::SSM::Parameter", "Properties": {"Value": {"Fn::GetAtt": ["Provider", "Arn"]}}},
    "Provider": {
        "Type": CAPACITY_PROVIDER,
        "Properties": {
            "CapacityProviderScalingConfig": {"MaxVCpuCount": 12},
            "VpcConfig": {"SecurityGroupIds": [{"Fn::GetAtt": ["Group", "GroupId"]}], "SubnetIds": ["subnet-1"]},
        },
    },
    "Function": {"Type": FUNCTION, "Properties": {"FunctionName": BILLING, "DurableConfig": {"ExecutionTimeout": 60}}},
    "Plain": {"Type": FUNCTION, "Properties": {"FunctionName": "plain"}},
}


def changed(name: str, **properties: Any) -> dict[str, Any]:
    """Return the resources with other properties of one; None takes a property away."""
    own = {**RESOURCES[name]["Properties"], **properties}
    kept = {key: value for key, value in own.items() if value is not None}
    return RESOURCES | {name: {"Type": RESOURCES[name]["Type"], "Properties": kept}}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in RESOURCES.items() if key != name}


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        (RESOURCES, []),
        (changed("Provider", CapacityProviderScalingConfig={"MaxVCpuCount": 24}), []),
        (changed("Provider", VpcConfig={"SubnetIds": ["subnet-2"]}), ["Provider"]),
        (changed("Provider", InstanceRequirements={"Architectures": ["arm64"]}), ["Provider"]),
        (changed("Group", GroupDescription="other"), ["Provider"]),
        (changed("Other", Value="other"), []),
        (without("Provider"), ["Provider"]),
        (changed("Function", DurableConfig={"ExecutionTimeout": 90}), []),
        (changed("Function", DurableConfig=None), ["Function"]),
        (changed("Function", FunctionName="other"), ["Function"]),
        (changed("Function", Code={"S3Key": "other"}), []),
        (without("Function"), ["Function"]),
        (changed("Plain", FunctionName="other"), []),
        (without("Plain"), []),
    ],
)
def test_templates_tell_where_cloudformation_has_to_be_asked(after: dict[str, Any], lost: list[str]) -> None:
    assert replacement.may_be_lost(RESOURCES, after) == lost


def test_a_reference_in_a_text_counts() -> None:
    before = changed("Provider", PermissionsConfig={"CapacityProviderOperatorRoleArn": {"Fn::Sub": "${Role.Arn}"}})
    role = {"Type": "AWS::IAM::Role", "Properties": {"Path": "/"}}
    other = {"Type": "AWS::IAM::Role", "Properties": {"Path": "/other/"}}
    assert replacement.may_be_lost(before | {"Role": role}, before | {"Role": other}) == ["Provider"]


class Cli:
    """Stands in for the CDK CLI, which makes change sets."""

    def __init__(self) -> None:
        self.called: list[list[str]] = []

    def __call__(self, arguments: Sequence[str], **_: Any) -> str:
        self.called.append([*arguments])
        return ""


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Cli:
    cli = Cli()
    monkeypatch.setattr(replacement, "cdk", cli)
    return cli


@pytest.fixture
def aws() -> FakeAws:
    """An AWS in which everything is deployed, with versions on the capacity provider."""
    aws = FakeAws()
    for name in (PLATFORM, BILLING):
        aws.formation.stack(name, {})
    aws.formation.templates[PLATFORM] = {"Resources": RESOURCES}
    aws.lambda_.on_provider["provider-1"] = VERSIONS[:2]
    return aws


def refuse(aws: FakeAws, folder: Path, after: dict[str, Any], *changes: dict[str, Any]) -> None:
    """Deploy a platform with these resources, of which CloudFormation says this."""
    on = target(aws, DEV)
    path = assemblies.write(folder, on)
    (path / f"{PLATFORM}.template.json").write_text(json.dumps({"Resources": after}))
    aws.formation.changes[PLATFORM] = [*changes]
    assembly = Assembly(path)
    deployed = {name: diff.deployed_template(on, assembly, name) for name in assembly.stack_names}
    replacement.refuse(on, assembly, deployed)


def change(name: str, kind: str, physical: str, **more: Any) -> dict[str, Any]:
    return {"LogicalResourceId": name, "ResourceType": kind, "PhysicalResourceId": physical} | more


STATIC = {"Target": {"Attribute": "Properties", "Name": "VpcConfig", "RequiresRecreation": "Always"}}
MOVED = changed("Provider", VpcConfig={"SubnetIds": ["subnet-2"]})
REPLACED = change(
    "Provider",
    CAPACITY_PROVIDER,
    "provider-1",
    Action="Modify",
    Replacement="True",
    Details=[STATIC | {"Evaluation": "Static"}],
)
KEPT: dict[str, Any] = REPLACED | {"Replacement": "False", "Details": []}
REMOVED = change("Provider", CAPACITY_PROVIDER, "provider-1", Action="Remove", PolicyAction="Delete")


def test_a_capacity_provider_that_would_be_replaced_under_versions_is_refused(
    aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    with pytest.raises(CommandError) as refused:
        refuse(aws, tmp_path, MOVED, REPLACED)
    what = "replace, for its VpcConfig, the capacity provider provider-1"
    assert str(refused.value).splitlines() == [
        f"{PLATFORM}: this would {what}, and 2 versions are on it:",
        f"  {BILLING}:1",
        f"  {BILLING}:2",
        "Nothing was deployed. docs/environments.md says how it is done.",
    ]
    ((command, stack, *options),) = cli.called
    assert (command, stack) == ("deploy", PLATFORM)
    assert {"--exclusively", "prepare-change-set"} <= {*options}
    assert not {operation for operation, _ in aws.calls if not operation.startswith(("Get", "List", "Describe"))}


@pytest.mark.usefixtures("cli")
def test_of_many_versions_some_are_named(aws: FakeAws, tmp_path: Path) -> None:
    aws.lambda_.on_provider["provider-1"] = VERSIONS
    with pytest.raises(CommandError, match=rf"(?s)7 versions are on it:\n.*{BILLING}:5\n  and 2 more\n") as refused:
        refuse(aws, tmp_path, MOVED, REPLACED)
    assert f"{BILLING}:6" not in str(refused.value)


@pytest.mark.usefixtures("cli")
def test_one_that_would_go_is_refused_as_well_unless_it_is_retained(aws: FakeAws, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="this would remove the capacity provider provider-1"):
        refuse(aws, tmp_path, without("Provider"), REMOVED)
    refuse(aws, tmp_path, without("Provider"), REMOVED | {"PolicyAction": "Retain"})


@pytest.mark.usefixtures("cli")
def test_one_that_no_version_is_on_may_be_replaced_and_go(aws: FakeAws, tmp_path: Path) -> None:
    aws.lambda_.on_provider["provider-1"] = []
    refuse(aws, tmp_path, MOVED, REPLACED)
    refuse(aws, tmp_path, without("Provider"), REMOVED)


def test_what_cloudformation_keeps_is_deployed(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    refuse(aws, tmp_path, changed("Group", GroupDescription="other"), KEPT)
    assert len(cli.called) == 1


@pytest.mark.usefixtures("cli")
@pytest.mark.parametrize("action", [{"Action": "Remove"}, {"Action": "Modify", "Replacement": "True"}])
def test_a_durable_function_that_would_be_replaced_or_go_is_refused(
    action: dict[str, str], aws: FakeAws, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=f"the durable function {BILLING}, .*: a new folder in functions/"):
        refuse(aws, tmp_path, without("Function"), change("Function", FUNCTION, BILLING, **action))


def test_where_the_templates_leave_nothing_open_cloudformation_is_not_asked(
    aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    refuse(aws, tmp_path, changed("Provider", CapacityProviderScalingConfig={"MaxVCpuCount": 24}))
    aws.formation.stacks[PLATFORM]["StackStatus"] = "ROLLBACK_COMPLETE"
    refuse(aws, tmp_path, MOVED)
    del aws.formation.stacks[PLATFORM]
    refuse(aws, tmp_path, MOVED)
    assert not cli.called
