"""The previews of pull requests that an environment hosts, known by the exact form of their names and by tags."""

import re
from dataclasses import dataclass
from datetime import timedelta

from infra import naming
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.environment import Environment


@dataclass(frozen=True)
class Preview:
    """The preview of a pull request, and its stack."""

    target: Target
    stack: Stack

    @property
    def pull_request(self) -> int:
        """The number of its pull request."""
        return self.target.pull_request or 0

    @property
    def age(self) -> timedelta:
        """The time since it was made; later deployments do not make it younger."""
        return self.target.clock.now() - self.stack.created

    @property
    def is_ours(self) -> bool:
        """Whether its tags say as well that it is a preview of this project."""
        return self.stack.carries(self.target.tags)


def find(host: Target) -> list[Preview]:
    """Return the stacks that are named like previews, oldest pull request first; their tags are not looked at."""
    numbers = sorted(number for name in host.stacks.names() if (number := pull_request(host.environment, name)))
    targets = [host.preview(number) for number in numbers]
    return [Preview(target, stack) for target in targets if (stack := host.stacks.find(target.function_name))]


def with_functions(target: Target) -> list[Target]:
    """Return what of a target has a function: itself, or the previews that it hosts, as far as they are ours."""
    if not target.has_function:
        return [preview.target for preview in find(target) if preview.is_ours]
    if target.pull_request is None:
        return [target]
    stack = target.stacks.find(target.function_name)
    return [target] if stack and stack.carries(target.tags) else []


def none_found(target: Target) -> str:
    """Say that nothing of a target has a function."""
    if not target.has_function:
        return f"{target.environment.name} has no preview"
    return f"There is no function {target.function_name}"


def pull_request(environment: Environment, stack_name: str) -> int | None:
    """Return the pull request whose preview has this name, if it is exactly that of one."""
    match = re.search(r"[1-9][0-9]*\Z", stack_name)
    number = int(match[0]) if match else None
    return number if number and stack_name == naming.orders_stack(environment.name, number) else None
