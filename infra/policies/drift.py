"""What the night compares with its templates, and what CloudFormation reads for that with the credentials it is given.

The reads are those of the resource types' schemas. Of a stack with a service role CloudFormation reads with that role,
whose policy allows them as well.
"""

from collections.abc import Iterator
from itertools import product

from infra import naming
from infra.environment import Environment
from infra.policies import resources, trust
from infra.policies.purposes import PURPOSES, role_arn
from infra.policies.resource_types import ORDERS_TYPES, Grant, granted, platform_types, statements
from infra.policies.resources import (
    Statement,
    allow,
    orders_names,
    platform_names,
    policy_arn,
    resolve,
    stack_arns,
    toolkit_roles,
)

DETECTING = [
    "cloudformation:DescribeStackResourceDrifts",
    "cloudformation:DescribeStacks",
    "cloudformation:DetectStackDrift",
    "cloudformation:DetectStackResourceDrift",
    "cloudformation:ListStackResources",
]
# What IAM can't narrow to a stack.
EVERYWHERE = ["cloudformation:BatchDescribeTypeConfigurations", "cloudformation:DescribeStackDriftDetectionStatus"]

READING = ("Describe", "Get", "List")

# Per resource type of the stacks that a person deploys.
ROLE = ("iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies")
POLICY = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListEntitiesForPolicy")
PROVIDER = ("iam:GetOpenIDConnectProvider",)
PARAMETER = ("ssm:GetParameters", "ssm:ListTagsForResource")
# With its policy.
BUCKET = (
    "s3:GetAccelerateConfiguration",
    "s3:GetAnalyticsConfiguration",
    "s3:GetBucketAbac",
    "s3:GetBucketCORS",
    "s3:GetBucketLogging",
    "s3:GetBucketMetadataTableConfiguration",
    "s3:GetBucketNotification",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetBucketWebsite",
    "s3:GetEncryptionConfiguration",
    "s3:GetIntelligentTieringConfiguration",
    "s3:GetInventoryConfiguration",
    "s3:GetLifecycleConfiguration",
    "s3:GetMetricsConfiguration",
    "s3:GetReplicationConfiguration",
    "s3:ListBucket",
    "s3:ListTagsForResource",
)

# Those that infra/pipeline/bootstrap.py leaves of the CDK's.
TOOLKIT_ROLES = ("cfn-exec", "deploy", "file-publishing")


def watched_stacks(environment: Environment, account: list[Environment]) -> list[str]:
    """Name the stacks of which drift is told in an environment: its own, its toolkit's, and in one `access`.

    That lies in the region of the account's first environment, which so is the one that watches it.

    Args:
        environment: the environment.
        account: all of its account, in the order of their names.
    """
    own = [naming.platform_stack(environment)]
    if not environment.hosts_previews:
        own.append(naming.orders_stack(environment.name))
    access = [naming.ACCESS_STACK] if _holds_access(environment, account) else []
    return [*own, naming.toolkit_stack(environment), *access]


def detecting(environment: Environment, account: list[Environment]) -> list[Statement]:
    """Return what it takes to tell drift of the watched stacks: reads, and no object of a bucket."""
    reads = [*_of_own(environment), *_of_toolkit(environment)]
    if _holds_access(environment, account):
        reads += _of_access(environment, account)
    return [
        allow(EVERYWHERE, ["*"]),
        allow(DETECTING, stack_arns(environment, *watched_stacks(environment, account))),
        *statements(reads, lambda _: {}),
    ]


def _holds_access(environment: Environment, account: list[Environment]) -> bool:
    return account[0].name == environment.name


def _of_own(environment: Environment) -> Iterator[Grant]:
    everything = [*granted(platform_types(environment), platform_names(environment))]
    if not environment.hosts_previews:
        everything += granted(ORDERS_TYPES, orders_names(environment))
    for action, resource in everything:
        service, _, name = action.partition(":")
        if name.startswith(READING) and service != "s3":
            yield action, resource


def _of_toolkit(environment: Environment) -> Iterator[Grant]:
    names = platform_names(environment)
    yield from product(ROLE, toolkit_roles(environment, *TOOLKIT_ROLES))
    yield from product(BUCKET, resolve(resources.BUCKET, names))
    yield from product(PARAMETER, resolve(resources.BOOTSTRAP_VERSION, names))


def _of_access(environment: Environment, account: list[Environment]) -> Iterator[Grant]:
    yield from product(PROVIDER, [trust.provider_arn(environment.account)])
    for each in account:
        policies = [naming.execution_policy(each), *([naming.boundary(each)] if each.hosts_previews else [])]
        yield from product(ROLE, [role_arn(each, purpose) for purpose in PURPOSES])
        yield from product(POLICY, [policy_arn(each, policy) for policy in policies])
