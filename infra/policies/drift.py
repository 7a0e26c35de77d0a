"""What the night compares with its templates, and what CloudFormation reads for that with the credentials it is given.

The reads are those of the resource types' schemas. Of a stack with a service role CloudFormation reads with that role,
whose policy allows them as well.
"""

from collections.abc import Iterator
from itertools import product

from infra import naming
from infra.environment import Environment
from infra.errors import UsageError
from infra.policies import added as added_types
from infra.policies import resources, trust
from infra.policies.places import NOTHING, Added
from infra.policies.purposes import PURPOSES, role_arn
from infra.policies.resource_types import FUNCTION_TYPES, Grant, granted, platform_types, statements
from infra.policies.resources import (
    Statement,
    allow,
    function_stacks,
    names_of_functions,
    names_of_platform,
    policy_arn,
    policy_size,
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
EVERYWHERE = [
    "cloudformation:BatchDescribeTypeConfigurations",
    "cloudformation:DescribeStackDriftDetectionStatus",
    *resources.LISTING,
]

# IAM quota of a role's own policies, in characters without white space.
LONGEST_OF_ROLE = 10240

# What a schema lists among its reads that tells more than a resource's properties.
VALUES = ("secretsmanager:GetSecretValue",)
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


def watched_stacks(environment: Environment) -> list[str]:
    """Name the stacks of which drift is told in an environment: its own, and the two that a person deploys for them."""
    names = () if environment.hosts_previews else environment.function_names
    return _watched(environment, [naming.function(environment, name) for name in names])


def detecting(environment: Environment, added: Added = NOTHING) -> list[Statement]:
    """Return what it takes to tell drift of the watched stacks: reads, and no object of a bucket, nor a secret's value.

    Raises:
        UsageError: functions add to their stacks what workflows may not make.
    """
    functions = [] if environment.hosts_previews else [function_stacks(environment)]
    reads = [*_of_own(environment), *_of_toolkit(environment), *_of_access(environment), *_of_added(environment, added)]
    found = [
        allow(EVERYWHERE, ["*"]),
        allow(DETECTING, stack_arns(environment, *_watched(environment, functions))),
        *statements(reads, lambda _: {}),
    ]
    if policy_size(found) > LONGEST_OF_ROLE:
        raise UsageError(
            f"functions add so many resource types that the role which detects drift would have {policy_size(found):,} "
            f"characters of permissions, and IAM takes {LONGEST_OF_ROLE:,}; have fewer in functions/*/infrastructure.py"
        )
    return found


def _watched(environment: Environment, functions: list[str]) -> list[str]:
    by_hand = [naming.toolkit_stack(environment), naming.access_stack(environment)]
    return [naming.platform_stack(environment), *functions, *by_hand]


def _of_own(environment: Environment) -> Iterator[Grant]:
    everything = [*granted(platform_types(environment), names_of_platform(environment))]
    if not environment.hosts_previews:
        everything += granted(FUNCTION_TYPES, names_of_functions(environment))
    for action, resource in everything:
        service, _, name = action.partition(":")
        if name.startswith(READING) and service != "s3":
            yield action, resource


def _of_added(environment: Environment, added: Added) -> Iterator[Grant]:
    if not environment.hosts_previews:
        for kind in added_types.types(added):
            yield from (grant for grant in added_types.reading(environment, added, kind) if grant[0] not in VALUES)


def _of_toolkit(environment: Environment) -> Iterator[Grant]:
    names = names_of_platform(environment)
    yield from product(ROLE, toolkit_roles(environment, *TOOLKIT_ROLES))
    yield from product(BUCKET, resolve(resources.BUCKET, names))
    yield from product(PARAMETER, resolve(resources.BOOTSTRAP_VERSION, names))


def _of_access(environment: Environment) -> Iterator[Grant]:
    # All of them: how many there are follows from what functions add.
    policies = [f"{naming.execution_policy(environment)}*"]
    if environment.hosts_previews:
        policies.append(naming.boundary(environment))
    yield from product(PROVIDER, [trust.provider_arn(environment.account)])
    yield from product(ROLE, [role_arn(environment, purpose) for purpose in PURPOSES])
    yield from product(POLICY, [policy_arn(environment, policy) for policy in policies])
