"""AWS's local runner of durable executions, with executions that are named as AWS names them.

A process of its own, because the runner and ministack want different versions of botocore. It prints the port that it
listens on once it is ready.
"""

import os
import sys
from argparse import ArgumentParser
from dataclasses import replace
from uuid import uuid4

from aws_durable_execution_sdk_python_testing.child_dispatcher import FunctionConfigs
from aws_durable_execution_sdk_python_testing.execution import Execution
from aws_durable_execution_sdk_python_testing.model import Event, StartDurableExecutionInput
from aws_durable_execution_sdk_python_testing.runner import WebRunner, WebRunnerConfig
from aws_durable_execution_sdk_python_testing.web.server import WebServer, WebServiceConfig

from infra import limits
from infra.execution_arn import ExecutionArn
from infra.local import chained_invokes, history, pausing
from infra.local.orphan import when_orphaned


def created(input: StartDurableExecutionInput) -> Execution:  # noqa: A002 - the runner passes it by this name
    """Create an execution with AWS's ARN, where the runner would number it.

    Whoever starts one gives the function's ARN as its name and the version as its qualifier, so that one runner serves
    every account and region, and executions stay on their version.
    """
    id_ = input.invocation_id or str(uuid4())
    arn = ExecutionArn(input.function_name, input.function_qualifier, input.execution_name, id_)
    return Execution(str(arn), input, [])


def function_arn(self: Execution, default_region: str) -> str:  # noqa: ARG001 - the runner passes the region of its own
    """Return the ARN of the version that an execution runs on."""
    return ExecutionArn.parse(self.durable_execution_arn).version_arn


def numbered(event: Event, event_id: int) -> Event:
    """Give an event of a history its number. The runner's own way loses when an invocation began and ended."""
    return replace(event, event_id=event_id)


class Runner(WebRunner):
    """The runner, which tells its port, and lets executions be paused."""

    def start(self) -> None:
        """Listen, without serving yet."""
        super().start()
        if self._server and self._executor and self._invoker:
            pausing.offer(self._server, self._executor)
            history.offer(self._server, self._executor, self._invoker)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        if self._server is None:
            raise RuntimeError("the runner has not been started")
        return self._server.server_port


def main() -> None:
    """Run until the process that started this one closes standard input, or ends."""
    parser = ArgumentParser("python -m infra.local.durable_executions", description=__doc__)
    parser.add_argument("--lambda-endpoint", required=True)
    parser.add_argument("--skip-time", action="store_true")
    arguments = parser.parse_args()
    when_orphaned(lambda: os._exit(0))
    Execution.new = staticmethod(created)
    Execution.function_arn = function_arn
    Event.from_event_with_id = staticmethod(numbered)
    chained_invokes.teach()
    WebServer.request_queue_size = 128  # of socketserver; its 5 drop connections when many executions start at once
    config = WebRunnerConfig(
        WebServiceConfig(host="127.0.0.1", port=0),
        lambda_endpoint=arguments.lambda_endpoint,
        # The emulated Lambda ends a function before.
        invocation_timeout_seconds=limits.TIMEOUT_SECONDS.most,
        skip_time=arguments.skip_time,
        function_configs=FunctionConfigs({}),  # that there are some lets it invoke any
    )
    with Runner(config) as runner:
        print(runner.port, flush=True)
        runner.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
