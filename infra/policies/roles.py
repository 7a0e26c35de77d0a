"""What the role of each purpose may do in an environment."""

from infra import naming
from infra.environment import Environment
from infra.policies import execution as execution_policies
from infra.policies.execution import (
    CAPACITY_PROVIDER,
    FUNCTION,
    Statement,
    allow,
    orders_names,
    orders_stacks,
    platform_names,
    resolve,
    stack_arns,
)

EXECUTIONS = [
    "lambda:GetDurableExecution",
    "lambda:GetDurableExecutionHistory",
    "lambda:ListDurableExecutionsByFunction",
    "lambda:StopDurableExecution",
]


def deploying(environment: Environment) -> list[Statement]:
    """Return what deploying takes: the CDK's own roles, an order to try it with, and the way back."""
    roles = ("deploy", "file-publishing")
    bootstrap = [
        f"arn:aws:iam::{environment.account}:role/cdk-{environment.qualifier}-{role}-role-"
        f"{environment.account}-{environment.region}"
        for role in roles
    ]
    stacks = stack_arns(environment, *deployed_stacks(environment))
    return [
        allow(["sts:AssumeRole"], bootstrap),
        # A deployment that was cancelled is taken back while it is under way.
        allow(["cloudformation:CancelUpdateStack", "cloudformation:DescribeStacks"], stacks),
        # Durable executions belong to versions, so the function's own ARN is not enough (Lambda developer guide,
        # security of durable functions); listing them takes it.
        allow(
            [
                *EXECUTIONS,
                "lambda:InvokeFunction",
                "lambda:GetAlias",
                "lambda:PutFunctionScalingConfig",
                "lambda:UpdateAlias",
            ],
            _function(environment),
        ),
    ]


def reading(environment: Environment) -> list[Statement]:
    """Return what comparing takes. Not the CDK's lookup role: that may read everything in the account."""
    stacks = stack_arns(environment, naming.platform_stack(environment.name), orders_stacks(environment))
    return [
        allow(
            [
                "cloudformation:DescribeStackDriftDetectionStatus",
                "cloudformation:ListStacks",
                "tag:GetResources",
            ],
            ["*"],
        ),
        allow(
            [
                "cloudformation:DescribeStackEvents",
                "cloudformation:DescribeStackResourceDrifts",
                "cloudformation:DescribeStackResources",
                "cloudformation:DescribeStacks",
                "cloudformation:DetectStackDrift",
                "cloudformation:DetectStackResourceDrift",
                "cloudformation:GetTemplate",
                "cloudformation:ListStackResources",
            ],
            stacks,
        ),
        *execution_policies.reading(environment),
        allow(["lambda:ListDurableExecutionsByFunction"], _function(environment)),
        allow(["lambda:ListFunctionVersionsByCapacityProvider"], _capacity_provider(environment)),
    ]


def pruning(environment: Environment) -> list[Statement]:
    """Return what pruning takes: versions, never a function, an alias or a stack."""
    return [
        *_looking(environment),
        allow(
            [
                "lambda:GetAlias",
                "lambda:GetFunctionScalingConfig",
                "lambda:ListAliases",
                "lambda:ListDurableExecutionsByFunction",
                "lambda:ListVersionsByFunction",
                "lambda:PutFunctionScalingConfig",
            ],
            _function(environment),
        ),
        allow(["lambda:DeleteFunction"], _function(environment)[1:]),
    ]


def tearing_down(environment: Environment) -> list[Statement]:
    """Return what removing takes. CloudFormation deletes a stack with the role that the stack was made with."""
    return [
        *_looking(environment),
        allow(["tag:GetResources"], ["*"]),
        allow(["cloudformation:DeleteStack"], stack_arns(environment, *deployed_stacks(environment))),
        # An alias under another name is how a drain refuses new executions.
        allow(
            [
                *EXECUTIONS,
                "lambda:CreateAlias",
                "lambda:DeleteAlias",
                "lambda:GetAlias",
                "lambda:GetPolicy",
                "lambda:UpdateAlias",
            ],
            _function(environment),
        ),
    ]


PERMISSIONS = {"deploy": deploying, "read": reading, "prune": pruning, "teardown": tearing_down}


def deployed_stacks(environment: Environment) -> list[str]:
    """Name the stacks that workflows deploy and remove: below previews, the platform is a person's."""
    orders = orders_stacks(environment)
    return [orders] if environment.hosts_previews else [naming.platform_stack(environment.name), orders]


def _looking(environment: Environment) -> list[Statement]:
    """Return what it takes to see an environment's stacks, and what uses its capacity provider."""
    stacks = stack_arns(environment, naming.platform_stack(environment.name), orders_stacks(environment))
    described = ["DescribeStackEvents", "DescribeStackResources", "DescribeStacks", "ListStackResources"]
    return [
        allow(["cloudformation:ListStacks"], ["*"]),
        allow([f"cloudformation:{action}" for action in described], stacks),
        allow(["lambda:ListFunctionVersionsByCapacityProvider"], _capacity_provider(environment)),
    ]


def _capacity_provider(environment: Environment) -> list[str]:
    return resolve(CAPACITY_PROVIDER, platform_names(environment))


def _function(environment: Environment) -> list[str]:
    return resolve(FUNCTION, orders_names(environment))
