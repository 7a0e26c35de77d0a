"""Point the live alias back at an earlier version. Running executions stay on the version that they started on."""

from argparse import ArgumentParser, Namespace

from infra import naming
from infra.aws.alias import check_open, live_version, set_live_version
from infra.aws.session import open_session
from infra.console.output import show
from infra.environment import Environment
from infra.errors import CommandError
from infra.pipeline.arguments import add_pull_request


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `roll-back` takes."""
    add_pull_request(parser)
    parser.add_argument("--version", default="", help="the version to go back to; empty after a first deployment")


def run(environment: Environment, arguments: Namespace) -> int:
    """Move the alias, or say that there is nothing to go back to."""
    function = naming.orders_stack(environment.name, arguments.pull_request)
    client = open_session(environment).client("lambda")
    check_open(client, function)
    failed = live_version(client, function)
    if not arguments.version or arguments.version == failed:
        message = f"{function}: no other version was live before; the alias stays at {failed or 'none'}"
        show(arguments, {"version": failed, "rolled_back_from": None}, [message], message)
        return 0
    try:
        # Pruning may have scaled it down.
        client.put_function_scaling_config(
            FunctionName=function,
            Qualifier=arguments.version,
            FunctionScalingConfig={
                "MinExecutionEnvironments": environment.function.minimum_environments,
                "MaxExecutionEnvironments": environment.function.maximum_environments,
            },
        )
        set_live_version(client, function, arguments.version)
    except client.exceptions.ResourceNotFoundException as error:
        raise CommandError(f"{function} has no version {arguments.version} to go back to") from error
    message = (
        f"{function}: the alias {naming.ALIAS} went back from version {failed} to {arguments.version}. The next "
        "deployment that changes the function moves it on."
    )
    show(arguments, {"version": arguments.version, "rolled_back_from": failed}, [message], message)
    return 0
