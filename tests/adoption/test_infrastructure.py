"""A table, a queue and an environment variable, used by one more step."""

import json
from pathlib import Path
from typing import Any

from infra import naming
from infra.environment import Environment
from tests.adoption import changes
from tests.adoption.fork import Fork

NEW = "adopted"
SERVICES = {"dynamodb", "sqs"}


def test_a_step_with_a_table_and_a_queue_touches_files_of_its_function_alone(fork: Fork) -> None:
    changes.add_function(fork, NEW)
    fork.ours = fork.commit("A function of our own")
    edited = changes.add_resources(fork, NEW)
    # An execution writes to both on the local AWS, or its contract is broken.
    fork.check()
    fork.run("make", "types")
    # At most: of what is recorded, some is as it was before the step.
    assert fork.touched() <= edited
    check_environments(fork)


def check_environments(fork: Fork) -> None:
    """See that each environment makes both, retains what it retains, and reaches what the step calls."""
    fork.python("infra.pipeline", "build-all", "--pull-request", "1", "--commit", fork.ours)
    for name in (*fork.project.promote, fork.project.previews):
        environment = fork.environments[name]
        number = 1 if environment.hosts_previews else None
        folder = fork.folder / "build" / "assembly" / (f"{name}-pr-1" if number else name)
        resources = resources_of(folder, naming.function(environment, NEW, number))
        policy = {"retain": "Retain", "destroy": "Delete"}[environment.protection.removal_policy]
        for kind in ("AWS::DynamoDB::Table", "AWS::SQS::Queue"):
            assert [each["DeletionPolicy"] for each in of_type(resources, kind)] == [policy]
        if not number:
            check_network(environment, resources_of(folder, naming.platform_stack(environment)))


def check_network(environment: Environment, platform: dict[str, Any]) -> None:
    endpoints = of_type(platform, "AWS::EC2::VPCEndpoint")
    reached = {service for service in SERVICES if f'.{service}"' in json.dumps(endpoints)}
    assert reached >= ({"dynamodb"} if environment.network.nat_gateways else SERVICES)


def resources_of(folder: Path, stack: str) -> dict[str, Any]:
    return json.loads((folder / f"{stack}.template.json").read_text())["Resources"]


def of_type(resources: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [each for each in resources.values() if each["Type"] == kind]
