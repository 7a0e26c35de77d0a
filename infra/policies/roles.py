"""What the role of each purpose may do in an environment."""

from infra import naming
from infra.environment import Environment
from infra.policies import drift
from infra.policies.places import Templates
from infra.policies.purposes import Purpose
from infra.policies.resources import (
    CAPACITY_PROVIDER,
    FUNCTION,
    LISTING,
    LOG_GROUP,
    VERSION_OR_ALIAS,
    Statement,
    allow,
    deployed_stacks,
    function_stacks,
    names_of_functions,
    names_of_platform,
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
ON_PROVIDER = "lambda:ListFunctionVersionsByCapacityProvider"
# An alias under another name is how a drain refuses new executions.
DRAINING = [
    *EXECUTIONS,
    "lambda:CreateAlias",
    "lambda:DeleteAlias",
    "lambda:GetAlias",
    "lambda:GetPolicy",
    "lambda:UpdateAlias",
]


def permissions(purpose: Purpose, environment: Environment, templates: Templates) -> list[Statement]:
    """Return what the role of a purpose may do in an environment, whose stacks have these templates.

    Raises:
        UsageError: they hold what workflows may not make.
    """
    if purpose == "drift":
        return drift.detecting(environment, templates)
    by_purpose = {
        "deploy": _deploying,
        "read": _reading,
        "prune": _pruning,
        "teardown": _tearing_down,
    }
    return by_purpose[purpose](environment)


def _deploying(environment: Environment) -> list[Statement]:
    """Return what deploying takes: the CDK's own roles, an execution to try it with, and the way back.

    With that goes the removal of functions that the code no longer has, and of nothing else.
    """
    stacks = stack_arns(environment, *deployed_stacks(environment))
    # What a deployment would replace is read before it, and why it failed, after.
    read = ["DescribeChangeSet", "DescribeStackEvents", "DescribeStacks", "GetTemplate"]
    removed = ["DeleteStack", "UpdateTerminationProtection"]
    # Nothing but people deploy the platform below previews.
    own = [] if environment.hosts_previews else [allow([ON_PROVIDER], _capacity_provider(environment))]
    return [
        allow(["sts:AssumeRole"], toolkit_roles(environment, "deploy", "file-publishing")),
        allow(LISTING, ["*"]),
        # A deployment that was cancelled is taken back while it is under way.
        allow([f"cloudformation:{action}" for action in ("CancelUpdateStack", *read)], stacks),
        allow([f"cloudformation:{action}" for action in removed], _function_stacks(environment)),
        *own,
        # Durable executions belong to versions, so the function's own ARN is not enough (Lambda developer guide,
        # security of durable functions); listing them takes it. A smoke execution's callbacks are answered. A version
        # that is asleep is woken, and waited for.
        allow(
            [
                *DRAINING,
                "lambda:GetFunctionConfiguration",
                "lambda:GetFunctionScalingConfig",
                "lambda:InvokeFunction",
                "lambda:PutFunctionScalingConfig",
                "lambda:SendDurableExecutionCallbackSuccess",
            ],
            _functions(environment),
        ),
        # Why an execution failed stands in its function's log alone.
        allow(["logs:FilterLogEvents"], resolve(LOG_GROUP, names_of_functions(environment))),
    ]


def _reading(environment: Environment) -> list[Statement]:
    """Return what comparing templates takes, and seeing which functions would go.

    Not the CDK's lookup role: that may read everything in the account. The access stack tells what CloudFormation may
    make, and holds no secret.
    """
    access = stack_arns(environment, naming.access_stack(environment))
    return [
        allow(LISTING, ["*"]),
        allow(["cloudformation:DescribeStacks", "cloudformation:GetTemplate"], [*_stacks(environment), *access]),
    ]


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
            _functions(environment),
        ),
        allow(["lambda:DeleteFunction"], resolve(VERSION_OR_ALIAS, names_of_functions(environment))),
    ]


def _tearing_down(environment: Environment) -> list[Statement]:
    """Return what removing takes. CloudFormation deletes a stack with the role that the stack was made with."""
    return [
        *_looking(environment),
        allow(["tag:GetResources"], ["*"]),
        allow(["cloudformation:DeleteStack"], stack_arns(environment, *deployed_stacks(environment))),
        allow(DRAINING, _functions(environment)),
    ]


def _looking(environment: Environment) -> list[Statement]:
    """Return what it takes to see an environment's stacks, and what uses its capacity provider."""
    described = ["DescribeStackEvents", "DescribeStackResources", "DescribeStacks", "ListStackResources"]
    return [
        allow(LISTING, ["*"]),
        allow([f"cloudformation:{action}" for action in described], _stacks(environment)),
        allow([ON_PROVIDER], _capacity_provider(environment)),
    ]


def _stacks(environment: Environment) -> list[str]:
    return [*stack_arns(environment, naming.platform_stack(environment)), *_function_stacks(environment)]


def _function_stacks(environment: Environment) -> list[str]:
    return stack_arns(environment, function_stacks(environment))


def _capacity_provider(environment: Environment) -> list[str]:
    return resolve(CAPACITY_PROVIDER, names_of_platform(environment))


def _functions(environment: Environment) -> list[str]:
    return resolve(FUNCTION, names_of_functions(environment))
