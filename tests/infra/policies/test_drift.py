"""What the night watches, and that CloudFormation may read all of it by its schemas."""

from importlib import import_module
from typing import Any

import pytest

from infra.environment import Environment
from infra.policies.drift import detecting, watched_stacks
from infra.policies.execution import execution
from infra.policies.resource_types import FUNCTION_TYPES, platform_types
from infra.policies.resources import Statement
from tests.infra.policies.things import DEV, OF_DEV, OF_PREVIEW, OF_PROD, PREVIEW, PROD

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


@pytest.mark.parametrize("environment", [DEV, PREVIEW, PROD], ids=["dev", "preview", "prod"])
def test_what_the_schemas_of_its_resource_types_read_is_allowed(environment: Environment) -> None:
    own = {*platform_types(environment), *(() if environment.hosts_previews else FUNCTION_TYPES)}
    needed = set[str]().union(*(reads(kind) for kind in {*own, *OF_TOOLKIT, *OF_ACCESS})) - UNUSED
    assert len(needed) > 40
    assert needed <= actions(detecting(environment))


@pytest.mark.parametrize("environment", [DEV, PREVIEW, PROD], ids=["dev", "preview", "prod"])
def test_so_it_is_for_what_cloudformation_runs_with(environment: Environment) -> None:
    platform = () if environment.hosts_previews else platform_types(environment)
    needed = set[str]().union(*(reads(kind) for kind in {*FUNCTION_TYPES, *platform})) - UNUSED
    assert len(needed) > 10
    assert needed <= actions(execution(environment))
