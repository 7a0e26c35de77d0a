"""What everything is called. Names follow from the environment and the pull request alone, never from who deploys."""

PROJECT = "orders"
ALIAS = "live"
# What the alias is called while a drain refuses new executions.
CLOSED_ALIAS = "closed"
ACCESS_STACK = "access"


class Output:
    """The keys of what stacks tell of themselves."""

    FUNCTION_NAME = "FunctionName"
    ALIAS_ARN = "AliasArn"
    VERSION = "Version"
    LOG_GROUP_NAME = "LogGroupName"
    CAPACITY_PROVIDER_ARN = "CapacityProviderArn"


def platform_stack(environment: str) -> str:
    """Name the stack that an environment's functions run on."""
    return f"platform-{environment}"


def orders_stack(environment: str, pull_request: int | None = None) -> str:
    """Name the stack of the function, and the function itself: one per environment, or one per pull request."""
    return f"orders-{environment}" if pull_request is None else f"orders-pr-{pull_request}"


def capacity_provider_parameter(environment: str) -> str:
    """Name the SSM parameter in which an environment's platform leaves its capacity provider's ARN."""
    return f"/{platform_stack(environment)}/capacity-provider-arn"


def tags(environment: str, pull_request: int | None = None) -> dict[str, str]:
    """Return the tags by which a stack is known to be ours; the commit comes on top."""
    known = {"project": PROJECT, "environment": environment}
    return known if pull_request is None else known | {"pull-request": str(pull_request)}


def execution_policy(environment: str) -> str:
    """Name the policy of what CloudFormation may make in an environment."""
    return f"{PROJECT}-{environment}-execution"


def boundary(environment: str) -> str:
    """Name the permissions boundary of every role that a preview makes."""
    return f"{PROJECT}-{environment}-boundary"


def toolkit_stack(qualifier: str) -> str:
    """Name the stack of the CDK's bootstrap."""
    return f"CDKToolkit-{qualifier}"
