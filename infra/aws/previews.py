"""The previews of pull requests that an environment hosts, known by the exact form of their names and by tags."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import boto3

from infra import naming
from infra.aws.stack import carries, describe
from infra.console import age
from infra.environment import Environment
from infra.errors import UsageError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef


@dataclass(frozen=True)
class Preview:
    """The stack of one preview."""

    pull_request: int
    stack: "StackTypeDef"

    @property
    def name(self) -> str:
        """The name of its stack, and of its function."""
        return self.stack["StackName"]

    @property
    def age(self) -> timedelta:
        """The time since it was made; later deployments do not make it younger."""
        return age.since(self.stack["CreationTime"])

    def is_of(self, environment: Environment) -> bool:
        """Tell whether its tags say as well that it is a preview of this project."""
        return carries(self.stack, naming.tags(environment.name, self.pull_request))


def check_hosted(environment: Environment) -> None:
    """Refuse an environment that hosts no previews.

    Raises:
        UsageError: it hosts none.
    """
    if not environment.hosts_previews:
        raise UsageError(f"{environment.name} hosts no previews (preview_days in environments/{environment.name}.toml)")


def find(session: boto3.Session, environment: Environment) -> list[Preview]:
    """Return the stacks that are named like previews, oldest pull request first; their tags are not looked at."""
    numbers = sorted(number for name in _stack_names(session) if (number := pull_request(environment, name)))
    names = ((number, naming.orders_stack(environment.name, number)) for number in numbers)
    return [Preview(number, stack) for number, name in names if (stack := describe(session, name))]


def pull_request(environment: Environment, stack_name: str) -> int | None:
    """Return the pull request whose preview has this name, if it is exactly that of one."""
    match = re.search(r"[1-9][0-9]*\Z", stack_name)
    number = int(match[0]) if match else None
    return number if number and stack_name == naming.orders_stack(environment.name, number) else None


def _stack_names(session: boto3.Session) -> Iterator[str]:
    pages = session.client("cloudformation").get_paginator("list_stacks").paginate()
    for page in pages:
        for stack in page["StackSummaries"]:
            if stack["StackStatus"] != "DELETE_COMPLETE":
                yield stack["StackName"]
