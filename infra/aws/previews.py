"""The previews of pull requests that an environment hosts, known by the exact form of their names and by tags."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from infra import naming
from infra.aws.stacks import Stack
from infra.aws.target import Target


@dataclass(frozen=True)
class Preview:
    """The preview of a pull request, and its stacks: one for each function, and at least one."""

    target: Target
    stacks: list[Stack]

    @property
    def pull_request(self) -> int:
        """The number of its pull request."""
        return self.target.pull_request or 0

    @property
    def created(self) -> datetime:
        """When the oldest of its stacks was made; later deployments do not change that."""
        return min(stack.created for stack in self.stacks)

    @property
    def age(self) -> timedelta:
        """The time since it was made."""
        return self.target.clock.now() - self.created

    @property
    def is_ours(self) -> bool:
        """Whether the tags of all its stacks say as well that it is a preview of this project."""
        return all(stack.carries(self.target.tags) for stack in self.stacks)


def find(host: Target) -> list[Preview]:
    """Return what is named like previews, oldest pull request first; tags are not looked at."""
    stacks: dict[int, list[Stack]] = {}
    for name in sorted(host.stacks.names()):
        named = naming.read_function(host.environment, name)
        if named and named.pull_request and (stack := host.stacks.find(name)):
            stacks.setdefault(named.pull_request, []).append(stack)
    return [Preview(host.preview(number), found) for number, found in sorted(stacks.items())]


def with_functions(target: Target) -> list[Target]:
    """Return what of a target has functions: itself, or the previews that it hosts, as far as they are ours."""
    if target.has_functions:
        return [target]
    return [preview.target for preview in find(target) if preview.is_ours]


def none_found(target: Target) -> str:
    """Say that nothing of a target has a function."""
    if not target.has_functions:
        return f"{target.environment.name} has no preview"
    return f"There is no function {'' if target.only else 'of '}{target.name}"
