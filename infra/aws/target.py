"""What a command works on: an environment, or the preview of one pull request in it, and what follows from that."""

from dataclasses import dataclass, field
from functools import cached_property

import boto3

from infra import naming
from infra.aws.clock import SYSTEM, Clock
from infra.aws.function import DeployedFunction
from infra.aws.session import open_session
from infra.aws.stacks import Stacks
from infra.environment import Environment
from infra.errors import UsageError


@dataclass(frozen=True)
class Target:
    """An environment, or a preview, checked once where a command begins.

    Args:
        environment: the environment.
        pull_request: the number of the pull request whose preview it is, or None for the environment itself.
        given_session: a session to use in place of one on the caller's credentials.
        clock: what is waited on.

    Raises:
        UsageError: the environment hosts no previews, and a pull request is named.
    """

    environment: Environment
    pull_request: int | None = None
    given_session: boto3.Session | None = field(default=None, repr=False, compare=False)
    clock: Clock = field(default=SYSTEM, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.pull_request is not None:
            self.check_hosts_previews()

    def check_hosts_previews(self) -> None:
        """Refuse an environment that hosts no previews.

        Raises:
            UsageError: it hosts none.
        """
        name = self.environment.name
        if not self.environment.hosts_previews:
            raise UsageError(f"{name} hosts no previews (preview_days in environments/{name}.toml)")

    @property
    def has_function(self) -> bool:
        """Whether there is one: the platform below previews has none of its own."""
        return self.pull_request is not None or not self.environment.hosts_previews

    @property
    def function_name(self) -> str:
        """The name of its function, and of that one's stack.

        Raises:
            UsageError: it has none.
        """
        if not self.has_function:
            name = self.environment.name
            raise UsageError(f"{name} has a function for each preview alone: say which, by --pull-request N")
        return naming.orders_stack(self.environment.name, self.pull_request)

    @property
    def stack_names(self) -> list[str]:
        """The names of its stacks, in the order in which they are deployed."""
        platform = [naming.platform_stack(self.environment.name)] if self.pull_request is None else []
        return [*platform, *([self.function_name] if self.has_function else [])]

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which its stacks are known to be ours."""
        return naming.tags(self.environment.name, self.pull_request)

    @cached_property
    def session(self) -> boto3.Session:
        """A session in its account and region.

        Raises:
            UsageError: there are no usable credentials, or they are of another account.
        """
        return self.given_session or open_session(self.environment)

    @cached_property
    def stacks(self) -> Stacks:
        """The stacks of its account and region."""
        return Stacks(self.session.client("cloudformation"), self.clock)

    @cached_property
    def function(self) -> DeployedFunction:
        """Its function, whether or not it is deployed."""
        name = self.function_name
        return DeployedFunction(self.session.client("lambda"), name, self.clock)

    def preview(self, pull_request: int) -> "Target":
        """Return the preview of a pull request, in the same session."""
        return Target(self.environment, pull_request, self.session, self.clock)
