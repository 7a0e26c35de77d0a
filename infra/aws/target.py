"""What a command works on: an environment, or the preview of one pull request in it, and what follows from that."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from infra import functions, naming
from infra.aws.callbacks import Callbacks
from infra.aws.clock import SYSTEM, Clock
from infra.aws.function import DeployedFunction
from infra.aws.session import open_session
from infra.aws.stacks import Stack, Stacks
from infra.environment import Environment
from infra.errors import UsageError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


@dataclass(frozen=True)
class Target:
    """An environment, or a preview, checked once where a command begins.

    Args:
        environment: the environment.
        pull_request: the number of the pull request whose preview it is, or None for the environment itself.
        only: the one function that is meant, or None for all that there are.
        given_session: a session to use in place of one on the caller's credentials.
        clock: what is waited on.

    Raises:
        UsageError: the environment hosts no previews, and a pull request is named; or no function can be named so.
    """

    environment: Environment
    pull_request: int | None = None
    only: str | None = None
    given_session: boto3.Session | None = field(default=None, repr=False, compare=False)
    clock: Clock = field(default=SYSTEM, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.pull_request is not None:
            self.check_hosts_previews()
        if self.only is not None:
            functions.check_name(self.only)

    def check_hosts_previews(self) -> None:
        """Refuse an environment that hosts no previews.

        Raises:
            UsageError: it hosts none.
        """
        name = self.environment.name
        if not self.environment.hosts_previews:
            raise UsageError(f"{name} hosts no previews (preview_days in environments/{name}.toml)")

    @property
    def has_functions(self) -> bool:
        """Whether there are any: the platform below previews has none of its own."""
        return self.pull_request is not None or not self.environment.hosts_previews

    @property
    def name(self) -> str:
        """What it is called in its account; the names of its functions begin so. With one function, that one's name."""
        if self.only:
            return self.function_name(self.only)
        return naming.whole(self.environment, self.pull_request)

    @property
    def function_names(self) -> list[str]:
        """The functions that this checkout has for it, by their folders.

        Raises:
            UsageError: the one that is meant is not among them.
        """
        if not self.has_functions:
            return []
        known = self.environment.function_names
        if self.only and self.only not in known:
            raise UsageError(f"there is no function {self.only} in functions/; there are {', '.join(known)}")
        return [self.only] if self.only else list(known)

    @property
    def stack_names(self) -> list[str]:
        """The names of the stacks that this checkout has for it, in the order in which they are deployed."""
        has_platform = self.pull_request is None and not self.only
        platform = [naming.platform_stack(self.environment)] if has_platform else []
        return [*platform, *map(self.function_name, self.function_names)]

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which its stacks are known to be ours."""
        return naming.tags(self.environment, self.pull_request)

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

    @property
    def callbacks(self) -> Callbacks:
        """The callbacks of its account and region."""
        return Callbacks(self._client)

    @property
    def functions(self) -> list[DeployedFunction]:
        """The functions that this checkout has for it, whether or not they are deployed.

        Raises:
            UsageError: it has none, or not the one that is meant.
        """
        self.check_has_functions()
        return [self.function(name) for name in self.function_names]

    def check_has_functions(self) -> None:
        """Refuse the platform below previews.

        Raises:
            UsageError: it is that, and no pull request is named.
        """
        if not self.has_functions:
            raise UsageError(f"{self.environment.name} has functions for each preview alone: add --pull-request N")

    def function_stacks(self) -> list[Stack]:
        """Return the stacks that are named like those of its functions, sorted by name; tags are not looked at."""
        found = sorted(name for name in self.stacks.names() if self._is_own(name))
        return [stack for name in found if (stack := self.stacks.find(name))]

    def deployed_functions(self) -> list[DeployedFunction]:
        """Return its functions whose stacks are there and tagged as ours, whatever this checkout has."""
        return [self.function_of(stack) for stack in self.function_stacks() if stack.carries(self.tags)]

    def removed_functions(self) -> list[DeployedFunction]:
        """Return those of its deployed functions whose folders this checkout no longer has."""
        return [each for each in self.deployed_functions() if each.folder not in self.function_names]

    def function_of(self, stack: Stack) -> DeployedFunction:
        """Return the function of a stack."""
        return DeployedFunction(self._client, stack.name, self._short(stack.name), self.clock)

    def function_name(self, function: str) -> str:
        """Name one of its functions as it is named on AWS, and that one's stack."""
        return naming.function(self.environment, function, self.pull_request)

    def function(self, function: str) -> DeployedFunction:
        """Return one of its functions, whether or not it is deployed."""
        return DeployedFunction(self._client, self.function_name(function), function, self.clock)

    def preview(self, pull_request: int) -> "Target":
        """Return the preview of a pull request, in the same session."""
        return replace(self, pull_request=pull_request, given_session=self.session)

    @cached_property
    def _client(self) -> "LambdaClient":
        return self.session.client("lambda")

    def _is_own(self, stack_name: str) -> bool:
        """Tell whether a stack is named like that of a function of it."""
        named = naming.read_function(self.environment, stack_name)
        return (
            named is not None
            and named.pull_request == self.pull_request
            and (self.only is None or named.function == self.only)
        )

    def _short(self, stack_name: str) -> str:
        named = naming.read_function(self.environment, stack_name)
        return named.function if named else stack_name
