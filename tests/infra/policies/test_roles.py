"""What the role of each purpose may do to which resource: all that is not said here, it may not."""

import pytest

from infra.environment import Environment
from infra.policies.purposes import Purpose
from infra.policies.roles import permissions
from tests.infra.policies.iam import May, assert_allowed
from tests.infra.policies.things import (
    ANYWHERE,
    DEV,
    GITHUB,
    OF_DEV,
    OF_PREVIEW,
    OF_PROD,
    PREVIEW,
    PROD,
    PURPOSES,
    bucket,
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
RELEASE = f"{DRAIN} lambda:InvokeFunction lambda:PutFunctionScalingConfig lambda:SendDurableExecutionCallbackSuccess"
REMOVE = "cloudformation:DeleteStack cloudformation:DescribeStackEvents cloudformation:UpdateTerminationProtection"
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
    f"{LIST} cloudformation:BatchDescribeTypeConfigurations cloudformation:DescribeStackDriftDetectionStatus "
    "ec2:DescribeNetworkAcls ec2:DescribeRouteTables ec2:DescribeSecurityGroupRules ec2:DescribeSecurityGroups "
    "ec2:DescribeSubnets ec2:DescribeVpcEncryptionControls ec2:DescribeVpcEndpoints ec2:DescribeVpcs "
    "logs:DescribeIndexPolicies logs:DescribeLogGroups logs:DescribeResourcePolicies ssm:DescribeParameters"
)
READ_NAT = (
    "ec2:DescribeAddresses ec2:DescribeInternetGateways ec2:DescribeNatGateways ec2:DescribeVpnGateways"  # with NAT
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
    under_way = "cloudformation:CancelUpdateStack cloudformation:DescribeStacks"
    return {
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


def of_platform(platform: str, anywhere: str) -> May:
    return {
        ANYWHERE: anywhere,
        "ec2:vpc/vpc-1": "ec2:DescribeVpcAttribute",
        f"iam:role/{platform}-Role1": f"{READ_ROLE} iam:ListRoleTags",
        f"lambda:capacity-provider:{platform}-C": "lambda:GetCapacityProvider lambda:ListTags",
        f"logs:log-group:{platform}-Logs": "logs:GetDataProtectionPolicy logs:ListTagsForResource",
        f"ssm:parameter/{platform}/capacity-provider-arn": "ssm:GetParameter ssm:GetParameters ssm:ListTagsForResource",
    }


def of_watching(names: list[str]) -> May:
    reads = of_functions(names, READ_VERSIONS)
    for name in names:
        reads[f"iam:role/{name}-Role1"] = f"{READ_ROLE} iam:ListRoleTags"
        reads[f"logs:log-group:{name}-Logs"] = "logs:GetDataProtectionPolicy logs:ListTagsForResource"
    return reads


def of_toolkit(qualifier: str) -> May:
    return {
        **{toolkit_role(qualifier, role): READ_ROLE for role in ("cfn-exec", "deploy", "file-publishing")},
        f"ssm:parameter/cdk-bootstrap/{qualifier}/version": "ssm:GetParameters ssm:ListTagsForResource",
        bucket(qualifier): READ_BUCKET,
    }


def of_access(stack: str, policies: list[str]) -> May:
    return {
        GITHUB: "iam:GetOpenIDConnectProvider",
        **{f"iam:role/{stack}-{purpose}": READ_ROLE for purpose in PURPOSES},
        **{f"iam:policy/{stack}-{policy}": READ_POLICY for policy in policies},
    }


DRIFT_OF_DEV = (
    of_stacks(["acme-platform-dev", *functions("acme-dev"), f"CDKToolkit-{OF_DEV}", "acme-access-dev"], DETECT)
    | of_platform("acme-platform-dev", f"{READ_ANYWHERE} {READ_NAT}")
    | of_watching(functions("acme-dev"))
    | of_toolkit(OF_DEV)
    | of_access("acme-access-dev", ["execution"])
)
# Of no preview.
DRIFT_OF_PREVIEW = (
    of_stacks(["acme-platform-preview", f"CDKToolkit-{OF_PREVIEW}", "acme-access-preview"], DETECT)
    | of_platform("acme-platform-preview", f"{READ_ANYWHERE} {READ_NAT}")
    | of_toolkit(OF_PREVIEW)
    | of_access("acme-access-preview", ["execution", "boundary"])
)
DRIFT_OF_PROD = (
    of_stacks(["acme-platform-prod", *functions("acme-prod"), f"CDKToolkit-{OF_PROD}", "acme-access-prod"], DETECT)
    | of_platform("acme-platform-prod", f"{READ_ANYWHERE} ec2:DescribeFlowLogs")
    | of_watching(functions("acme-prod"))
    | of_toolkit(OF_PROD)
    | of_access("acme-access-prod", ["execution"])
)

MAY: list[tuple[Environment, Purpose, May]] = [
    (DEV, "deploy", of_deploying(["acme-platform-dev"], "acme-dev", OF_DEV)),
    (DEV, "read", of_reading("acme-platform-dev", "acme-dev")),
    (DEV, "drift", DRIFT_OF_DEV),
    (DEV, "prune", of_pruning("acme-platform-dev", "acme-dev")),
    (DEV, "teardown", of_removing("acme-platform-dev", "acme-dev", ["acme-platform-dev"])),
    (PREVIEW, "deploy", of_deploying([], "acme-pr-7", OF_PREVIEW)),
    (PREVIEW, "read", of_reading("acme-platform-preview", "acme-pr-7")),
    (PREVIEW, "drift", DRIFT_OF_PREVIEW),
    (PREVIEW, "prune", of_pruning("acme-platform-preview", "acme-pr-7")),
    (PREVIEW, "teardown", of_removing("acme-platform-preview", "acme-pr-7", [])),
    (PROD, "deploy", of_deploying(["acme-platform-prod"], "acme-prod", OF_PROD)),
    (PROD, "read", of_reading("acme-platform-prod", "acme-prod")),
    (PROD, "drift", DRIFT_OF_PROD),
    (PROD, "prune", of_pruning("acme-platform-prod", "acme-prod")),
    (PROD, "teardown", of_removing("acme-platform-prod", "acme-prod", ["acme-platform-prod"])),
]


@pytest.mark.parametrize(("environment", "purpose", "table"), MAY, ids=[f"{each.name}-{what}" for each, what, _ in MAY])
def test_a_role_may_do_this_and_nothing_else(environment: Environment, purpose: Purpose, table: May) -> None:
    assert_allowed(permissions(purpose, environment), TRIED, environment.account, table, {})
