"""One event through a function's handler in this process, for a debugger: breakpoints stop it, and nothing is deployed.

AWS's own local runner of durable executions runs it, and runs it again after each wait, as Lambda does; waits and the
pauses between retries end at once unless they are asked for. There is no limit of time.

What the handler calls of AWS is real code that calls for real, so by default it reaches nothing: no credentials, and an
address where nobody listens. With `--aws local` it reaches the local AWS that `make dev` or `make local` has started,
with the variables that the function has there; with `--aws shell`, whatever the shell's own credentials open.
"""

import json
import logging
import os
import sys
import termios
from argparse import ArgumentParser, Namespace
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch
from uuid import uuid4

from aws_durable_execution_sdk_python.lambda_service import InvocationStatus
from aws_durable_execution_sdk_python_testing import DurableFunctionTestRunner
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import StartDurableExecutionInput
from botocore.exceptions import BotoCoreError, ClientError

from infra import contract
from infra.aws.target import Target
from infra.environment import load
from infra.errors import UsageError
from infra.execution_arn import ExecutionArn
from infra.local.deployment import using
from infra.local.ending import ended
from infra.local.running import find
from infra.pipeline import invoke
from infra.pipeline.arguments import add_function
from infra.project import LOCAL
from infra.replay.code import imported
from infra.replay.resume import Handler

# A person thinks longer than any function may run.
PATIENCE_SECONDS = 7 * 86_400
# Of what logs while a handler runs, these tell how and not what.
CHATTY = ("botocore", "boto3", "urllib3", "asyncio")
RUNNER = "aws_durable_execution_sdk_python_testing"
NOWHERE = {
    "AWS_ENDPOINT_URL": "http://127.0.0.1:1",  # a port below those that programs listen on
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
TOLD = {
    "nowhere": "What it calls of AWS reaches nothing (AWS=local or AWS=shell reach something)",
    "local": "What it calls of AWS reaches the local AWS",
    "shell": "What it calls of AWS reaches whatever this shell's credentials open",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when the execution succeeded, 1 when it failed, 2 when the input is wrong, 130 when interrupted."""
    parser = ArgumentParser("python -m infra.local.debug", description=__doc__)
    add_function(parser)
    parser.add_argument("--event", type=Path, metavar="FILE", help="JSON file (default: what the contract has)")
    parser.add_argument("--aws", choices=TOLD, default="nowhere", help="which AWS it reaches (default: nowhere)")
    parser.add_argument("--wait", action="store_true", help="let waits take their time")
    parsed = parser.parse_args(arguments)
    return ended(lambda: debug(Target(load(LOCAL), only=parsed.function), parsed), interrupted=130)


def debug(target: Target, parsed: Namespace) -> int:
    """Run one event through a handler, tell how it ended, and return the exit code.

    Raises:
        UsageError: it isn't said which function, or an event or a handler can't be read.
    """
    names = target.function_names
    if len(names) > 1:
        raise UsageError(f"say which function: FUNCTION=NAME, of {', '.join(names)}")
    invoke.tell_unlike(target, parsed.event)
    event = invoke.events(target, parsed.event)[names[0]]
    _log()
    print(TOLD[parsed.aws], file=sys.stderr)
    with _aws(parsed.aws, target, names[0]), imported(names[0], target.environment.project.root) as handler:
        return _run(handler, event.decode(), target, names[0], skip_time=not parsed.wait)


def _run(handler: Handler, event: str, target: Target, function: str, *, skip_time: bool) -> int:
    environment = target.environment
    arn = f"arn:aws:lambda:{environment.region}:{environment.account}:function:{target.function_name(function)}"
    name = contract.load(function, environment.project.root).example
    with (
        patch.object(Execution, "new", staticmethod(partial(_execution, arn))),
        DurableFunctionTestRunner(handler, invocation_timeout=PATIENCE_SECONDS, skip_time=skip_time) as runner,
    ):
        started = runner.run_async(input=event, execution_timeout=PATIENCE_SECONDS, execution_name=name)
        result = runner.wait_for_result(started, timeout=PATIENCE_SECONDS)
    if result.status is InvocationStatus.SUCCEEDED:
        print(f"result  {json.dumps(json.loads(result.result or 'null'))}")
        return 0
    print(f"error   {result.error.type}: {result.error.message}" if result.error else f"error   {result.status.value}")
    return 1


def _execution(function_arn: str, input: StartDurableExecutionInput) -> Execution:  # noqa: A002 - named by the runner
    """Begin an execution under an ARN as AWS makes it, which ends with the id of the operation that has the event."""
    arn = ExecutionArn(function_arn, "1", str(input.execution_name), str(uuid4()))
    return Execution(str(arn), replace(input, invocation_id=arn.id), operations=[])


@contextmanager
def _aws(which: str, target: Target, function: str) -> Generator[None]:
    """Let this process reach one AWS, or none, while the context lasts.

    Raises:
        UsageError: the local AWS is meant, and there is none, or the function is not deployed there.
    """
    environment = target.environment
    here = {"AWS_REGION": environment.region, "AWS_DEFAULT_REGION": environment.region}
    if which == "local":
        if not (running := find()):
            raise UsageError("no local AWS runs for this checkout; `make dev` or `make local` starts one")
        with using(running, environment) as there, patch.dict(os.environ, _variables(there, function)):
            yield
        return
    with patch.dict(os.environ, here | NOWHERE if which == "nowhere" else {}):
        if which == "nowhere":
            for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
                os.environ.pop(name, None)
        yield


def _variables(target: Target, function: str) -> dict[str, str]:
    client, name = target.session.client("lambda"), target.function_name(function)
    try:
        config = client.get_function_configuration(FunctionName=name)
    except (BotoCoreError, ClientError) as error:
        raise UsageError(
            f"{name} is not on the local AWS, where `make dev` or `make run` brings it: {error}"
        ) from error
    return dict(config.get("Environment", {}).get("Variables", {}))


def _log() -> None:
    """Show what the handler logs, tracebacks too."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)-7s %(message)s")
    for name in CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
    # The runner logs as an error what is told in the end.
    logging.getLogger(RUNNER).setLevel(logging.CRITICAL)


def _end() -> NoReturn:
    """Run, and end at once: Python would wait for a thread of the handler that stands at a breakpoint."""
    terminal = termios.tcgetattr(sys.stdin) if sys.stdin.isatty() else None
    code = main()
    if terminal:
        # The prompt of a debugger changes it for as long as it reads.
        termios.tcsetattr(sys.stdin, termios.TCSANOW, terminal)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    _end()
