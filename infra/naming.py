"""What everything is called. Names follow from the environment and the pull request alone, never from who deploys."""

PROJECT = "orders"
ALIAS = "live"


def platform_stack(environment: str) -> str:
    """Name the stack that an environment's functions run on."""
    return f"platform-{environment}"


def orders_stack(environment: str, pull_request: int | None = None) -> str:
    """Name the stack of the function, and the function itself: one per environment, or one per pull request."""
    return f"orders-{environment}" if pull_request is None else f"orders-pr-{pull_request}"


def capacity_provider_parameter(environment: str) -> str:
    """Name the SSM parameter in which an environment's platform leaves its capacity provider's ARN."""
    return f"/{platform_stack(environment)}/capacity-provider-arn"
