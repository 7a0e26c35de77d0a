"""What the role of each purpose may do to which resource: all that is not said here, it may not."""

from itertools import product

import pytest

from infra.environment import Environment
from infra.policies.purposes import Purpose
from infra.policies.roles import permissions
from tests.access.environments import ACCOUNTS, DEV, PREVIEW, PROD
from tests.infra.policies.iam import May, assert_allowed
from tests.infra.policies.things import ANYWHERE, GITHUB, bucket, toolkit_role

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

ORDER = (
    "lambda:InvokeFunction lambda:GetDurableExecution lambda:GetDurableExecutionHistory "
    "lambda:ListDurableExecutionsByFunction lambda:StopDurableExecution lambda:GetAlias "
    "lambda:PutFunctionScalingConfig lambda:UpdateAlias"
)
DRAIN = (
    "lambda:GetDurableExecution lambda:GetDurableExecutionHistory lambda:ListDurableExecutionsByFunction "
    "lambda:StopDurableExecution lambda:CreateAlias lambda:DeleteAlias lambda:GetAlias lambda:GetPolicy "
    "lambda:UpdateAlias"
)
PRUNE = (
    "lambda:GetAlias lambda:GetFunctionScalingConfig lambda:ListAliases lambda:ListDurableExecutionsByFunction "
    "lambda:ListVersionsByFunction lambda:PutFunctionScalingConfig"
)
LOOK = (
    "cloudformation:DescribeStackEvents cloudformation:DescribeStackResources cloudformation:DescribeStacks "
    "cloudformation:ListStackResources"
)
DETECT = (
    "cloudformation:DescribeStackResourceDrifts cloudformation:DescribeStacks cloudformation:DetectStackDrift "
    "cloudformation:DetectStackResourceDrift cloudformation:ListStackResources"
)
READ_ROLE = "iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListRolePolicies"
READ_POLICY = "iam:GetPolicy iam:GetPolicyVersion iam:ListEntitiesForPolicy"
READ_FUNCTION = (
    "lambda:GetFunction lambda:GetFunctionCodeSigningConfig lambda:GetFunctionConfiguration "
    "lambda:GetFunctionRecursionConfig lambda:GetFunctionScalingConfig lambda:GetPolicy "
    "lambda:GetRuntimeManagementConfig lambda:ListTags"
)
READ_VERSIONS = f"{READ_FUNCTION} lambda:GetAlias lambda:GetProvisionedConcurrencyConfig lambda:ListVersionsByFunction"
READ_BUCKET = (
    "s3:GetAccelerateConfiguration s3:GetAnalyticsConfiguration s3:GetBucketAbac s3:GetBucketCORS "
    "s3:GetBucketLogging s3:GetBucketMetadataTableConfiguration s3:GetBucketNotification "
    "s3:GetBucketObjectLockConfiguration s3:GetBucketOwnershipControls s3:GetBucketPolicy "
    "s3:GetBucketPublicAccessBlock s3:GetBucketTagging s3:GetBucketVersioning s3:GetBucketWebsite "
    "s3:GetEncryptionConfiguration s3:GetIntelligentTieringConfiguration s3:GetInventoryConfiguration "
    "s3:GetLifecycleConfiguration s3:GetMetricsConfiguration s3:GetReplicationConfiguration s3:ListBucket "
    "s3:ListTagsForResource"
)
# Of what has no ARN of its own, or can't be narrowed to it.
READ_ANYWHERE = (
    "cloudformation:BatchDescribeTypeConfigurations cloudformation:DescribeStackDriftDetectionStatus "
    "ec2:DescribeNetworkAcls ec2:DescribeRouteTables ec2:DescribeSecurityGroupRules ec2:DescribeSecurityGroups "
    "ec2:DescribeSubnets ec2:DescribeVpcEncryptionControls ec2:DescribeVpcEndpoints ec2:DescribeVpcs "
    "logs:DescribeIndexPolicies logs:DescribeLogGroups logs:DescribeResourcePolicies ssm:DescribeParameters"
)
READ_NAT = (
    "ec2:DescribeAddresses ec2:DescribeInternetGateways ec2:DescribeNatGateways ec2:DescribeVpnGateways"  # with NAT
)


def of_stacks(names: list[str], actions: str) -> May:
    return {f"cloudformation:stack/{name}/1": actions for name in names}


def of_function(name: str, actions: str) -> May:
    return {f"lambda:function:{name}{qualifier}": actions for qualifier in ("", ":3", ":live")}


def of_deploying(stacks: list[str], function: str, qualifier: str) -> May:
    return {
        toolkit_role(qualifier, "deploy"): "sts:AssumeRole",
        toolkit_role(qualifier, "file-publishing"): "sts:AssumeRole",
        **of_stacks(stacks, "cloudformation:CancelUpdateStack cloudformation:DescribeStacks"),
        **of_function(function, ORDER),
    }


def of_reading(stacks: list[str]) -> May:
    return of_stacks(stacks, "cloudformation:DescribeStacks cloudformation:GetTemplate")


def of_pruning(platform: str, function: str) -> May:
    return {
        ANYWHERE: "cloudformation:ListStacks",
        f"lambda:capacity-provider:{platform}-C": "lambda:ListFunctionVersionsByCapacityProvider",
        **of_stacks([platform, function], LOOK),
        **of_function(function, f"{PRUNE} lambda:DeleteFunction"),
        f"lambda:function:{function}": PRUNE,
    }


def of_removing(platform: str, function: str, removed: list[str]) -> May:
    return {
        ANYWHERE: "cloudformation:ListStacks tag:GetResources",
        f"lambda:capacity-provider:{platform}-C": "lambda:ListFunctionVersionsByCapacityProvider",
        **of_stacks([platform, function], LOOK),
        **of_stacks(removed, f"{LOOK} cloudformation:DeleteStack"),
        **of_function(function, DRAIN),
    }


def of_platform(platform: str, anywhere: str) -> May:
    return {
        ANYWHERE: anywhere,
        "ec2:vpc/vpc-1": "ec2:DescribeVpcAttribute",
        f"iam:role/{platform}-Op": f"{READ_ROLE} iam:ListRoleTags",
        f"lambda:capacity-provider:{platform}-C": "lambda:GetCapacityProvider lambda:ListTags",
        f"logs:log-group:{platform}-Logs": "logs:GetDataProtectionPolicy logs:ListTagsForResource",
        f"ssm:parameter/{platform}/capacity-provider-arn": "ssm:GetParameter ssm:GetParameters ssm:ListTagsForResource",
    }


def of_orders(name: str) -> May:
    return {
        f"iam:role/{name}-Role1": f"{READ_ROLE} iam:ListRoleTags",
        f"logs:log-group:{name}-Logs": "logs:GetDataProtectionPolicy logs:ListTagsForResource",
        **of_function(name, READ_VERSIONS),
    }


def of_toolkit(qualifier: str) -> May:
    return {
        **{toolkit_role(qualifier, role): READ_ROLE for role in ("cfn-exec", "deploy", "file-publishing")},
        f"ssm:parameter/cdk-bootstrap/{qualifier}/version": "ssm:GetParameters ssm:ListTagsForResource",
        bucket(qualifier): READ_BUCKET,
    }


def of_access(environments: list[str], policies: list[str]) -> May:
    purposes = ("deploy", "read", "drift", "prune", "teardown")
    return {
        GITHUB: "iam:GetOpenIDConnectProvider",
        **{f"iam:role/orders-{name}-{purpose}": READ_ROLE for name, purpose in product(environments, purposes)},
        **{f"iam:policy/orders-{policy}": READ_POLICY for policy in policies},
    }


DRIFT_OF_DEV = (
    of_stacks(["platform-dev", "orders-dev", "CDKToolkit-own-dev", "access"], DETECT)
    | of_platform("platform-dev", f"{READ_ANYWHERE} {READ_NAT}")
    | of_function("platform-dev-Custom", READ_FUNCTION)
    | of_orders("orders-dev")
    | of_toolkit("own-dev")
    | of_access(["dev", "preview"], ["dev-execution", "preview-execution", "preview-boundary"])
)
DRIFT_OF_PREVIEW = (
    of_stacks(["platform-preview", "CDKToolkit-own-pre"], DETECT)
    | of_platform("platform-preview", f"{READ_ANYWHERE} {READ_NAT}")
    | of_function("platform-preview-Custom", READ_FUNCTION)
    | of_toolkit("own-pre")
)
DRIFT_OF_PROD = (
    of_stacks(["platform-prod", "orders-prod", "CDKToolkit-own-prd", "access"], DETECT)
    | of_platform("platform-prod", f"{READ_ANYWHERE} ec2:DescribeFlowLogs")
    | of_orders("orders-prod")
    | of_toolkit("own-prd")
    | of_access(["prod"], ["prod-execution"])
)

MAY: list[tuple[Environment, Purpose, May]] = [
    (DEV, "deploy", of_deploying(["platform-dev", "orders-dev"], "orders-dev", "own-dev")),
    (DEV, "read", of_reading(["platform-dev", "orders-dev"])),
    (DEV, "drift", DRIFT_OF_DEV),
    (DEV, "prune", of_pruning("platform-dev", "orders-dev")),
    (DEV, "teardown", of_removing("platform-dev", "orders-dev", ["platform-dev", "orders-dev"])),
    (PREVIEW, "deploy", of_deploying(["orders-pr-7"], "orders-pr-7", "own-pre")),
    (PREVIEW, "read", of_reading(["platform-preview", "orders-pr-7"])),
    (PREVIEW, "drift", DRIFT_OF_PREVIEW),
    (PREVIEW, "prune", of_pruning("platform-preview", "orders-pr-7")),
    (PREVIEW, "teardown", of_removing("platform-preview", "orders-pr-7", ["orders-pr-7"])),
    (PROD, "deploy", of_deploying(["platform-prod", "orders-prod"], "orders-prod", "own-prd")),
    (PROD, "read", of_reading(["platform-prod", "orders-prod"])),
    (PROD, "drift", DRIFT_OF_PROD),
    (PROD, "prune", of_pruning("platform-prod", "orders-prod")),
    (PROD, "teardown", of_removing("platform-prod", "orders-prod", ["platform-prod", "orders-prod"])),
]


@pytest.mark.parametrize(("environment", "purpose", "table"), MAY, ids=[f"{each.name}-{what}" for each, what, _ in MAY])
def test_a_role_may_do_this_and_nothing_else(environment: Environment, purpose: Purpose, table: May) -> None:
    statements = permissions(purpose, environment, ACCOUNTS[environment.account])
    assert_allowed(statements, TRIED, environment.account, table, {})
