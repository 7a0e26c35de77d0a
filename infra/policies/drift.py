"""What the night compares with its templates, and what CloudFormation reads for that with the credentials it is given.

The reads are those of the resource types' schemas. Of a stack with a service role CloudFormation reads with that role,
whose policy allows them as well.
"""

from collections.abc import Iterator

from infra import naming
from infra.environment import Environment
from infra.errors import UsageError
from infra.policies import authorities, making, resources, trust
from infra.policies.given_to_platform import platform_roles, role_arn
from infra.policies.grants import Grant, statements
from infra.policies.places import Places, Templates
from infra.policies.purposes import PURPOSES, role
from infra.policies.resources import (
    LONGEST_OF_ROLE,
    Statement,
    allow,
    function_stacks,
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

# Those that infra/pipeline/bootstrap.py leaves of the CDK's.
TOOLKIT_ROLES = ("cfn-exec", "deploy", "file-publishing")


def watched_stacks(environment: Environment) -> list[str]:
    """Name the stacks of which drift is told in an environment: its own, and the two that a person deploys for them."""
    names = () if environment.hosts_previews else environment.function_names
    return _watched(environment, [naming.function(environment, name) for name in names])


def detecting(environment: Environment, templates: Templates) -> list[Statement]:
    """Return what it takes to tell drift of the watched stacks: reads, and no object of a bucket, nor a secret's value.

    Raises:
        UsageError: functions add to their stacks what workflows may not make.
    """
    functions = [] if environment.hosts_previews else [function_stacks(environment)]
    reads = [*_of_stacks(environment, templates), *_of_toolkit(environment), *_of_access(environment)]
    found = [
        allow(EVERYWHERE, ["*"]),
        allow(DETECTING, stack_arns(environment, *_watched(environment, functions))),
        *statements(reads),
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


def _of_stacks(environment: Environment, templates: Templates) -> Iterator[Grant]:
    platform, functions = Places.of_platform(environment, templates), Places.of_functions(environment, templates)
    for places in [platform] if environment.hosts_previews else [platform, functions]:
        for kind in making.types(places):
            yield from making.reading(places, kind)


def _of_toolkit(environment: Environment) -> Iterator[Grant]:
    names = names_of_platform(environment)
    yield from _reading("AWS::IAM::Role", toolkit_roles(environment, *TOOLKIT_ROLES), environment)
    yield from _reading("AWS::S3::Bucket", resolve(resources.BUCKET, names), environment)
    yield from _reading("AWS::S3::BucketPolicy", resolve(resources.BUCKET, names), environment)
    yield from _reading("AWS::SSM::Parameter", resolve(resources.BOOTSTRAP_VERSION, names), environment)


def _of_access(environment: Environment) -> Iterator[Grant]:
    names = [role(environment, purpose) for purpose in PURPOSES]
    names += [each.name for each in platform_roles(environment)]
    # All of them: how many there are follows from what functions add.
    policies = [f"{naming.execution_policy(environment)}*", naming.boundary(environment)]
    yield from _reading("AWS::IAM::OIDCProvider", [trust.provider_arn(environment.account)], environment)
    yield from _reading("AWS::IAM::Role", [role_arn(environment, name) for name in names], environment)
    yield from _reading("AWS::IAM::ManagedPolicy", [policy_arn(environment, each) for each in policies], environment)


def _reading(kind: str, named: list[str], environment: Environment) -> Iterator[Grant]:
    """Yield what reading resources of a type takes that are named here, of actions that IAM can narrow to them."""
    for action in authorities.handlers(kind, environment.region)["read"]:
        if authorities.is_known(action):
            yield from (Grant(action, each) for each in (named if authorities.kinds_of(action) else ["*"]))
