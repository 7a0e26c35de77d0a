"""A local AWS in the foreground, until Ctrl-C."""

import shlex
import sys
from argparse import ArgumentParser, Namespace
from typing import Never

from infra.environment import Environment, load
from infra.local.aws import LocalAws, RunningAws
from infra.local.ending import ended
from infra.local.running import announced
from infra.project import LOCAL

TOLD = """\
A local AWS listens on {endpoint} until Ctrl-C, and logs to {log}

In another terminal, in this folder:

    make run
        deploys this checkout to it, and sends each function an event
    . {variables}
        lets that shell use it and no other AWS: boto3, the AWS CLI, the CDK CLI, and the pipeline's commands:
    .venv/bin/python -m infra.pipeline status --environment {environment}
"""


def main() -> int:
    """Return 0 after Ctrl-C or SIGTERM, 1 when it could not be started or ended by itself, 2 when a file is wrong."""
    parser = ArgumentParser("python -m infra.local", description=__doc__)
    parser.add_argument("--skip-time", action="store_true", help="let durable waits end at once")
    parser.add_argument("--enforce-iam", action="store_true", help="check the permissions of every caller")
    arguments = parser.parse_args()
    return ended(lambda: _stay(arguments), interrupted=0)


def _stay(arguments: Namespace) -> Never:
    environment = load(LOCAL)
    with (
        LocalAws.start(skip_time=arguments.skip_time, enforce_iam=arguments.enforce_iam) as aws,
        announced(aws),
    ):
        print(told(aws, environment), flush=True)
        aws.await_end()


def told(aws: RunningAws, environment: Environment) -> str:
    """Return what a person is told who started it: where it is, and what can be done with it."""
    variables = aws.folder / "variables.sh"
    lines = [
        f"export {name}={shlex.quote(value)}"
        for name, value in aws.environ(environment.account, environment.region).items()
    ]
    variables.write_text("\n".join(lines) + "\n")
    return TOLD.format(
        endpoint=aws.endpoint, log=aws.log, environment=environment.name, variables=shlex.quote(str(variables))
    )


if __name__ == "__main__":
    sys.exit(main())
