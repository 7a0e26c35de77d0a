"""What the night watches, and that CloudFormation may read all of it by its schemas."""

from importlib import import_module
from typing import Any

import pytest

from infra.environment import Environment
from infra.policies.drift import detecting, watched_stacks
from infra.policies.execution import execution
from infra.policies.resource_types import ORDERS_TYPES, platform_types
from infra.policies.resources import Statement
from tests.access.environments import ACCOUNTS, DEV, PREVIEW, PROD

OF_TOOLKIT = ("AWS::IAM::Role", "AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::SSM::Parameter")
OF_ACCESS = ("AWS::IAM::ManagedPolicy", "AWS::IAM::OIDCProvider", "AWS::IAM::Role")
SCHEMAS: Any = import_module("cfnlint.schema.manager").PROVIDER_SCHEMA_MANAGER  # which has no types
CUSTOM = {"Custom::VpcRestrictDefaultSG"}  # which is no type of CloudFormation's
# What the schemas list of properties that nothing here has: a key of one's own, and endpoints of VPC Lattice.
UNUSED = {"kms:Decrypt", "vpc-lattice:DescribeServiceNetworkVpcEndpointAssociation"}


@pytest.mark.parametrize(
    ("environment", "stacks"),
    [
        (DEV, ["platform-dev", "orders-dev", "CDKToolkit-own-dev", "access"]),
        (PREVIEW, ["platform-preview", "CDKToolkit-own-pre"]),
        (PROD, ["platform-prod", "orders-prod", "CDKToolkit-own-prd", "access"]),
    ],
    ids=["dev", "preview", "prod"],
)
def test_these_stacks_are_watched(environment: Environment, stacks: list[str]) -> None:
    assert watched_stacks(environment, ACCOUNTS[environment.account]) == stacks


def reads(kind: str) -> set[str]:
    """Return what CloudFormation calls to read resources of a type; a type without handlers has none in its schema."""
    schema: dict[str, Any] = SCHEMAS.get_resource_schema("eu-west-1", kind).schema
    return set(schema.get("handlers", {}).get("read", {}).get("permissions", []))


def actions(statements: list[Statement]) -> set[str]:
    return {action for each in statements for action in each["Action"]}


@pytest.mark.parametrize("environment", [DEV, PREVIEW, PROD], ids=["dev", "preview", "prod"])
def test_what_the_schemas_of_its_resource_types_read_is_allowed(environment: Environment) -> None:
    account = ACCOUNTS[environment.account]
    own = {*platform_types(environment), *(() if environment.hosts_previews else ORDERS_TYPES)} - CUSTOM
    access = OF_ACCESS if account[0] is environment else ()
    needed = set[str]().union(*(reads(kind) for kind in {*own, *OF_TOOLKIT, *access})) - UNUSED
    assert len(needed) > 40
    assert needed <= actions(detecting(environment, account))


@pytest.mark.parametrize("environment", [DEV, PREVIEW, PROD], ids=["dev", "preview", "prod"])
def test_so_it_is_for_what_cloudformation_runs_with(environment: Environment) -> None:
    platform = () if environment.hosts_previews else platform_types(environment)
    needed = set[str]().union(*(reads(kind) for kind in {*ORDERS_TYPES, *platform} - CUSTOM)) - UNUSED
    assert len(needed) > 10
    assert needed <= actions(execution(environment))
