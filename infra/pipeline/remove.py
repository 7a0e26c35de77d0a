"""Remove the preview of a pull request: end its running orders, delete its stack by name, and see it gone.

Nothing is synthesized: it works whatever became of the pull request's code.
"""

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from botocore.exceptions import WaiterError

from infra import naming
from infra.environment import Environment
from infra.pipeline.arguments import add_pull_request
from infra.pipeline.errors import CommandError, UsageError
from infra.pipeline.execution import running, stop
from infra.pipeline.output import show
from infra.pipeline.progress import doing
from infra.pipeline.session import open_session
from infra.pipeline.stack import describe

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.type_defs import StackTypeDef

POLL_SECONDS = 5
# CloudFormation waits up to an hour for the function's executions (CDK, durable functions), then for the rest.
POLLS = 75 * 60 // POLL_SECONDS


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `remove` takes."""
    add_pull_request(parser, required=True)


def run(environment: Environment, arguments: Namespace) -> int:
    """Remove. Exit code 0 only once it is gone; a preview that never was is gone."""
    if not environment.hosts_previews:
        raise UsageError(
            f"{environment.name} hosts no previews (preview_days in environments/{environment.name}.toml)"
        )
    name = naming.orders_stack(environment.name, arguments.pull_request)
    session = open_session(environment)
    stack = describe(session, name)
    if stack is None:
        show(
            arguments, {"removed": False, "stopped": 0}, [f"There is no stack {name}"], f"There was no preview {name}."
        )
        return 0
    _check_tags(stack, environment, arguments.pull_request)
    client = session.client("lambda")
    executions = running(client, name)
    for execution in executions:
        stop(client, execution, f"the preview {name} is being removed")
    cloudformation = session.client("cloudformation")
    with doing(f"Deleting {name}"):
        cloudformation.delete_stack(StackName=name)
        try:
            cloudformation.get_waiter("stack_delete_complete").wait(
                StackName=stack.get("StackId", name), WaiterConfig={"Delay": POLL_SECONDS, "MaxAttempts": POLLS}
            )
        except WaiterError as error:
            raise CommandError(
                f"{name} could not be deleted: {error}; CloudFormation's events of it say why"
            ) from error
    message = f"{name} is gone; {len(executions)} running orders were stopped"
    show(arguments, {"removed": True, "stopped": len(executions)}, [message], message)
    return 0


def _check_tags(stack: "StackTypeDef", environment: Environment, pull_request: int) -> None:
    expected = naming.tags(environment.name, pull_request)
    tags = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}
    if wrong := {key: tags.get(key) for key, value in expected.items() if tags.get(key) != value}:
        raise CommandError(
            f"{stack['StackName']} was not made by this project: its tags are {wrong}, expected {expected}"
        )
