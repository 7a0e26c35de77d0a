"""What the night watches, and that CloudFormation may read all of it by its schemas."""

from fnmatch import fnmatchcase
from importlib import import_module
from typing import Any

import pytest

from infra.environment import Environment
from infra.policies.drift import detecting, watched_stacks
from infra.policies.execution import execution
from infra.policies.resources import Statement
from tests.infra.policies.iam import may
from tests.infra.policies.things import DEV, GITHUB, OF_DEV, OF_PREVIEW, OF_PROD, PREVIEW, PROD, everything, templates

OF_TOOLKIT = ("AWS::IAM::Role", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SSM::Parameter")
OF_ACCESS = ("AWS::IAM::ManagedPolicy", "AWS::IAM::OIDCProvider", "AWS::IAM::Role")
SCHEMAS: Any = import_module("cfnlint.schema.manager").PROVIDER_SCHEMA_MANAGER  # which has no types
# What the schemas list of properties that nothing here has: a key of one's own, and endpoints of VPC Lattice.
UNUSED = {"kms:Decrypt", "vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation"}


@pytest.mark.parametrize(
    ("environment", "stacks"),
    [
        (
            DEV,
            [
                "acme-platform-dev",
                "acme-dev-billing",
                "acme-dev-billing-eu",
                f"CDKToolkit-{OF_DEV}",
                "acme-access-dev",
            ],
        ),
        (PREVIEW, ["acme-platform-preview", f"CDKToolkit-{OF_PREVIEW}", "acme-access-preview"]),
        (
            PROD,
            [
                "acme-platform-prod",
                "acme-prod-billing",
                "acme-prod-refunds",
                f"CDKToolkit-{OF_PROD}",
                "acme-access-prod",
            ],
        ),
    ],
    ids=["dev", "preview", "prod"],
)
def test_these_stacks_are_watched(environment: Environment, stacks: list[str]) -> None:
    assert watched_stacks(environment) == stacks


def reads(kind: str) -> set[str]:
    """Return what CloudFormation calls to read resources of a type; a type without handlers has none in its schema."""
    schema: dict[str, Any] = SCHEMAS.get_resource_schema("eu-west-1", kind).schema
    return set(schema.get("handlers", {}).get("read", {}).get("permissions", []))


def actions(statements: list[Statement]) -> set[str]:
    return {action for each in statements for action in each["Action"]}


def made(environment: Environment, *, by_workflows: bool = False) -> set[str]:
    """Return the types of what is in the stacks of an environment's platform and functions, but for previews."""
    found = templates(environment)
    stacks = [] if by_workflows and environment.hosts_previews else [found.platform]
    stacks += found.functions.values() if by_workflows or not environment.hosts_previews else []
    return {each["Type"] for stack in stacks for each in stack.values()}


@pytest.mark.parametrize("environment", [DEV, PREVIEW, PROD], ids=["dev", "preview", "prod"])
def test_what_the_schemas_of_its_resource_types_read_is_allowed(environment: Environment) -> None:
    kinds = {*made(environment), *OF_TOOLKIT, *OF_ACCESS}
    needed = set[str]().union(*(reads(kind) for kind in kinds)) - UNUSED
    assert len(needed) > 40
    assert needed <= actions(detecting(environment, templates(environment)))


@pytest.mark.parametrize("environment", [DEV, PREVIEW, PROD], ids=["dev", "preview", "prod"])
def test_so_it_is_for_what_cloudformation_runs_with(environment: Environment) -> None:
    needed = set[str]().union(*(reads(kind) for kind in made(environment, by_workflows=True))) - UNUSED
    assert len(needed) > 10
    assert needed <= actions(execution(environment, templates(environment))[1:])


# What the night reads: the stacks above with what they made, and no version of an archive, nor a value of a secret.
WATCHED = {
    "dev": ("acme-dev-billing", OF_DEV, "acme-*-dev"),
    "preview": ("acme-*-preview", OF_PREVIEW, "acme-*-preview"),  # of no preview
    "prod": ("acme-prod-billing", OF_PROD, "acme-*-prod"),
}
VERBS = ("BatchDescribe", "Describe", "Detect", "Get", "List")


@pytest.mark.parametrize("environment", [DEV, PREVIEW, PROD], ids=["dev", "preview", "prod"])
def test_it_reads_what_is_watched_and_nothing_else(environment: Environment) -> None:
    statements = detecting(environment, templates(environment))
    assert all(action.partition(":")[2].startswith(VERBS) for action in actions(statements))
    assert not {"s3:GetObject", "s3:GetObjectVersion", "secretsmanager:GetSecretValue"} & actions(statements)
    narrow = [each for each in statements if each["Resource"] != ["*"]]
    read = {
        name
        for name, arn in everything(environment.account).items()
        if any(may(narrow, action, arn) for action in actions(narrow))
    }
    functions, qualifier, by_hand = WATCHED[environment.name]
    beginnings = (f"*[:/]{functions}*", f"*cdk-{qualifier}-*", f"*CDKToolkit-{qualifier}/*", f"*[:/]{by_hand}[-/]*")
    other = {*(each for each in read if not any(fnmatchcase(each, beginning) for beginning in beginnings))}
    assert other == {GITHUB, "ec2:vpc/vpc-1", f"ssm:parameter/cdk-bootstrap/{qualifier}/version"}
    for kind in ("platform", "access"):
        assert f"cloudformation:stack/acme-{kind}-{environment.name}/1" in read
    assert f"iam:role/acme-access-{environment.name}-operator" in read
    assert f"iam:policy/acme-access-{environment.name}-boundary" in read


def test_what_iam_can_not_narrow_is_read_everywhere() -> None:
    (anywhere, *_) = [each["Action"] for each in detecting(DEV, templates(DEV))[1:] if each["Resource"] == ["*"]]
    assert {"logs:DescribeIndexPolicies", "logs:DescribeResourcePolicies"} <= {*anywhere}
    assert detecting(DEV, templates(DEV))[0]["Action"][0] == "cloudformation:BatchDescribeTypeConfigurations"
