"""What the role of each purpose may do in an environment."""

from infra import naming
from infra.environment import Environment
from infra.policies import drift
from infra.policies.purposes import Purpose
from infra.policies.resources import (
    CAPACITY_PROVIDER,
    FUNCTION,
    Statement,
    allow,
    deployed_stacks,
    orders_names,
    orders_stacks,
    platform_names,
    resolve,
    stack_arns,
    toolkit_roles,
)

EXECUTIONS = [
    "lambda:GetDurableExecution",
    "lambda:GetDurableExecutionHistory",
    "lambda:ListDurableExecutionsByFunction",
    "lambda:StopDurableExecution",
]


def permissions(purpose: Purpose, environment: Environment, account: list[Environment]) -> list[Statement]:
    """Return what the role of a purpose may do.

    Args:
        purpose: what its workflow does.
        environment: where.
        account: all environments of its account, in the order of their names.
    """
    if purpose == "drift":
        return drift.detecting(environment, account)
    by_purpose = {"deploy": _deploying, "read": _reading, "prune": _pruning, "teardown": _tearing_down}
    return by_purpose[purpose](environment)


def _deploying(environment: Environment) -> list[Statement]:
    """Return what deploying takes: the CDK's own roles, an order to try it with, and the way back."""
    stacks = stack_arns(environment, *deployed_stacks(environment))
    return [
        allow(["sts:AssumeRole"], toolkit_roles(environment, "deploy", "file-publishing")),
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


def _reading(environment: Environment) -> list[Statement]:
    """Return what comparing templates takes. Not the CDK's lookup role: that may read everything in the account."""
    return [allow(["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], _stacks(environment))]


def _pruning(environment: Environment) -> list[Statement]:
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


def _tearing_down(environment: Environment) -> list[Statement]:
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


def _looking(environment: Environment) -> list[Statement]:
    """Return what it takes to see an environment's stacks, and what uses its capacity provider."""
    described = ["DescribeStackEvents", "DescribeStackResources", "DescribeStacks", "ListStackResources"]
    return [
        allow(["cloudformation:ListStacks"], ["*"]),
        allow([f"cloudformation:{action}" for action in described], _stacks(environment)),
        allow(["lambda:ListFunctionVersionsByCapacityProvider"], _capacity_provider(environment)),
    ]


def _stacks(environment: Environment) -> list[str]:
    return stack_arns(environment, naming.platform_stack(environment), orders_stacks(environment))


def _capacity_provider(environment: Environment) -> list[str]:
    return resolve(CAPACITY_PROVIDER, platform_names(environment))


def _function(environment: Environment) -> list[str]:
    return resolve(FUNCTION, orders_names(environment))
