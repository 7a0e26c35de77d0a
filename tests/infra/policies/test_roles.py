"""What the role of each purpose may do to which resource: all that is not said here, it may not.

That of drift, which follows from templates, is in test_drift.py.
"""

import pytest

from infra.environment import Environment
from infra.policies.purposes import Purpose
from infra.policies.roles import permissions
from tests.infra.policies.iam import May, assert_allowed
from tests.infra.policies.things import (
    ANYWHERE,
    DEV,
    OF_DEV,
    OF_PREVIEW,
    OF_PROD,
    PREVIEW,
    PROD,
    templates,
    toolkit_role,
)

# Tried on every resource beside what the policies themselves name: what a role would take to get further.
TRIED = (
    "cloudformation:CreateChangeSet cloudformation:CreateStack cloudformation:DeleteStack "
    "cloudformation:ExecuteChangeSet cloudformation:GetTemplate cloudformation:UpdateStack "
    "cloudformation:UpdateTerminationProtection iam:AttachRolePolicy iam:CreatePolicyVersion iam:CreateRole "
    "iam:PassRole iam:PutRolePolicy iam:UpdateAssumeRolePolicy lambda:AddPermission lambda:CreateFunction "
    "lambda:DeleteAlias lambda:DeleteFunction lambda:GetFunction lambda:InvokeFunction lambda:UpdateAlias "
    "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration s3:DeleteObject s3:GetObject s3:PutBucketPolicy "
    "s3:PutObject ssm:PutParameter sts:AssumeRole tag:GetResources"
)

LIST = "cloudformation:ListStacks"
DRAIN = (
    "lambda:GetDurableExecution lambda:GetDurableExecutionHistory lambda:ListDurableExecutionsByFunction "
    "lambda:StopDurableExecution lambda:CreateAlias lambda:DeleteAlias lambda:GetAlias lambda:GetPolicy "
    "lambda:UpdateAlias"
)
RELEASE = (
    f"{DRAIN} lambda:GetFunctionConfiguration lambda:GetFunctionScalingConfig lambda:InvokeFunction "
    "lambda:PutFunctionScalingConfig lambda:SendDurableExecutionCallbackSuccess"
)
REMOVE = "cloudformation:DeleteStack cloudformation:UpdateTerminationProtection"
PRUNE = (
    "lambda:GetAlias lambda:GetFunctionScalingConfig lambda:ListAliases lambda:ListDurableExecutionsByFunction "
    "lambda:ListVersionsByFunction lambda:PutFunctionScalingConfig"
)
LOOK = (
    "cloudformation:DescribeStackEvents cloudformation:DescribeStackResources cloudformation:DescribeStacks "
    "cloudformation:ListStackResources"
)


def functions(place: str) -> list[str]:
    """Name two functions of an environment, or of a preview; a policy tells none of them apart."""
    return [f"{place}-billing", f"{place}-billing-eu"]


def of_stacks(names: list[str], actions: str) -> May:
    return {f"cloudformation:stack/{name}/1": actions for name in names}


def of_functions(names: list[str], actions: str, of_itself: str = "") -> May:
    """Say what may be done with functions, and what with those themselves, where it differs from their versions."""
    qualified = {f"lambda:function:{name}{qualifier}": actions for name in names for qualifier in (":3", ":live")}
    return qualified | {f"lambda:function:{name}": of_itself or actions for name in names}


def of_deploying(stacks: list[str], place: str, qualifier: str) -> May:
    under_way = (
        "cloudformation:CancelUpdateStack cloudformation:DescribeChangeSet cloudformation:DescribeStackEvents "
        "cloudformation:DescribeStacks cloudformation:GetTemplate"
    )
    return {
        **{f"lambda:capacity-provider:{stack}-C": "lambda:ListFunctionVersionsByCapacityProvider" for stack in stacks},
        ANYWHERE: LIST,
        toolkit_role(qualifier, "deploy"): "sts:AssumeRole",
        toolkit_role(qualifier, "file-publishing"): "sts:AssumeRole",
        **of_stacks(stacks, under_way),
        **of_stacks(functions(place), f"{under_way} {REMOVE}"),
        **of_functions(functions(place), RELEASE),
        **{f"logs:log-group:{name}-Logs": "logs:FilterLogEvents" for name in functions(place)},
    }


def of_reading(platform: str, place: str) -> May:
    access = platform.replace("platform", "access")
    return {
        ANYWHERE: LIST,
        **of_stacks([platform, access, *functions(place)], "cloudformation:DescribeStacks cloudformation:GetTemplate"),
    }


def of_pruning(platform: str, place: str) -> May:
    return {
        ANYWHERE: LIST,
        f"lambda:capacity-provider:{platform}-C": "lambda:ListFunctionVersionsByCapacityProvider",
        **of_stacks([platform, *functions(place)], LOOK),
        **of_functions(functions(place), f"{PRUNE} lambda:DeleteFunction", of_itself=PRUNE),
    }


def of_removing(platform: str, place: str, also_removed: list[str]) -> May:
    return {
        ANYWHERE: f"{LIST} tag:GetResources",
        f"lambda:capacity-provider:{platform}-C": "lambda:ListFunctionVersionsByCapacityProvider",
        **of_stacks([platform], LOOK),
        **of_stacks([*also_removed, *functions(place)], f"{LOOK} cloudformation:DeleteStack"),
        **of_functions(functions(place), DRAIN),
    }


MAY: list[tuple[Environment, Purpose, May]] = [
    (DEV, "deploy", of_deploying(["acme-platform-dev"], "acme-dev", OF_DEV)),
    (DEV, "read", of_reading("acme-platform-dev", "acme-dev")),
    (DEV, "prune", of_pruning("acme-platform-dev", "acme-dev")),
    (DEV, "teardown", of_removing("acme-platform-dev", "acme-dev", ["acme-platform-dev"])),
    (PREVIEW, "deploy", of_deploying([], "acme-pr-7", OF_PREVIEW)),
    (PREVIEW, "read", of_reading("acme-platform-preview", "acme-pr-7")),
    (PREVIEW, "prune", of_pruning("acme-platform-preview", "acme-pr-7")),
    (PREVIEW, "teardown", of_removing("acme-platform-preview", "acme-pr-7", [])),
    (PROD, "deploy", of_deploying(["acme-platform-prod"], "acme-prod", OF_PROD)),
    (PROD, "read", of_reading("acme-platform-prod", "acme-prod")),
    (PROD, "prune", of_pruning("acme-platform-prod", "acme-prod")),
    (PROD, "teardown", of_removing("acme-platform-prod", "acme-prod", ["acme-platform-prod"])),
]


@pytest.mark.parametrize(("environment", "purpose", "table"), MAY, ids=[f"{each.name}-{what}" for each, what, _ in MAY])
def test_a_role_may_do_this_and_nothing_else(environment: Environment, purpose: Purpose, table: May) -> None:
    assert_allowed(permissions(purpose, environment, templates(environment)), TRIED, environment.account, table, {})
