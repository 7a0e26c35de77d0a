"""What tests of the CDK app share: synthesis in their own process, and walks through what comes of it."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, cast

import aws_cdk as cdk

from infra import ROOT
from infra.environment import Environment
from tests.infra.fakes.environments import PREVIEW_OF_TWO, TWO, environment

COMMIT = "0123456789abcdef0123456789abcdef01234567"

# The tests' own, each with two functions: dev has NAT, prod has endpoints and retains its data, and in it one function
# differs.
_COMMON = environment("prod", TWO)
_ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
PROD = environment(
    "prod",
    TWO,
    network={"cidr": "10.0.32.0/20", "zones": _ZONES, "nat_gateways": 0, "flow_logs": True},
    protection={"termination_protection": True, "removal_policy": "retain"},
    functions={
        "refunds": _COMMON.settings("refunds").model_copy(
            update={
                "runtime": "python3.14",
                "memory_mb": 8192,
                "memory_gib_per_vcpu": 8.0,
                "concurrency": 4,
                "timeout_seconds": 30,
                "minimum_environments": 1,
                "maximum_environments": 2,
                "log_level": "ERROR",
                "log_retention_days": 30,
                "durable": _COMMON.durable.model_copy(update={"execution_timeout_seconds": 7200, "retention_days": 9}),
            }
        )
    },
)
DEV = environment("dev", TWO, network={"zones": _ZONES})
ENVIRONMENTS = {each.name: each for each in (DEV, PREVIEW_OF_TWO, PROD)}

Resource: TypeAlias = dict[str, Any]
Resources: TypeAlias = dict[str, Resource]


@dataclass(frozen=True)
class Stack:
    """A synthesized stack: its template, and how the manifest of its assembly says to deploy it."""

    name: str
    template: dict[str, Any]
    manifest: dict[str, Any]

    @property
    def resources(self) -> Resources:
        return self.template["Resources"]

    @property
    def target(self) -> str:
        """The account and region, such as `aws://111111111111/eu-west-1`."""
        return self.manifest["environment"]

    @property
    def properties(self) -> dict[str, Any]:
        return self.manifest["properties"]


@dataclass(frozen=True)
class Assembly:
    """A cloud assembly, read from its files: jsii's objects may lose their class once they have been a base class."""

    folder: Path

    @property
    def manifest(self) -> dict[str, Any]:
        return json.loads((self.folder / "manifest.json").read_text())

    @property
    def stacks(self) -> list[Stack]:
        return [
            Stack(name, json.loads((self.folder / artifact["properties"]["templateFile"]).read_text()), artifact)
            for name, artifact in self.manifest["artifacts"].items()
            if artifact["type"] == "aws:cloudformation:stack"
        ]

    def stack(self, name: str) -> Stack:
        [stack] = [stack for stack in self.stacks if stack.name == name]
        return stack


Synthesize: TypeAlias = Callable[..., Assembly]
"""Synthesizes `(environment, pull_request=None)`, the first by its name, each once per process."""


def make_app(folder: Path, **context: str | None) -> cdk.App:
    """Return an app as the CDK CLI starts it: with the context of cdk.json and of the command line."""
    flags = json.loads((ROOT / "cdk.json").read_text())["context"]
    given = {key: value for key, value in context.items() if value is not None}
    return cdk.App(outdir=str(folder), context=flags | given)


def changed(environment: Environment, table: str, **values: object) -> Environment:
    """Return an environment with other values in one of its tables, unchecked."""
    return environment.model_copy(update={table: getattr(environment, table).model_copy(update=values)})


def synthesized(app: cdk.App) -> Assembly:
    return Assembly(Path(app.synth().directory))


def resources_of(stack: cdk.Stack | Stack) -> Resources:
    """Return the resources of a stack by their logical ids, synthesizing it if need be."""
    if isinstance(stack, cdk.Stack):
        stack = synthesized(cast("cdk.App", stack.node.root)).stack(stack.stack_name)
    return stack.resources


def of_type(resources: Resources, kind: str) -> Resources:
    return {name: resource for name, resource in resources.items() if resource["Type"] == kind}


def the_only(resources: Resources, kind: str) -> Resource:
    [resource] = of_type(resources, kind).values()
    return resource


def referred(value: object) -> Iterator[str]:
    """Yield the logical ids that a value refers to, and a resource's dependencies."""
    if isinstance(value, list):
        for item in cast("list[object]", value):
            yield from referred(item)
    elif isinstance(value, dict):
        for key, item in cast("dict[str, Any]", value).items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0]
            elif key == "DependsOn":
                yield from [item] if isinstance(item, str) else item
            else:
                yield from referred(item)


def made_before(resources: Resources, name: str) -> set[str]:
    """Return the logical ids of all that CloudFormation makes before a resource, and removes after it."""
    found: set[str] = set()
    pending = [name]
    while pending:
        new = {other for other in referred(resources[pending.pop()]) if other in resources} - found
        found |= new
        pending += new
    return found
