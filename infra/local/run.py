"""The main job on one machine: deploy the local environment to a local AWS, and send an event through its functions."""

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.aws.target import Target
from infra.console.progress import console, doing
from infra.environment import Environment, load
from infra.errors import UsageError
from infra.local.aws import LocalAws, LocalAwsError
from infra.pipeline.arguments import add_function
from infra.pipeline.invoke import events
from infra.project import LOCAL


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when all executions succeeded, 1 when one or anything before it failed, 2 when the input is wrong."""
    parser = ArgumentParser("python -m infra.local.run", description=__doc__)
    add_function(parser)
    parser.add_argument("--event", type=Path, metavar="FILE", help="JSON file (default: what the contract has)")
    parser.add_argument("--json", action="store_true", help="print the executions as one JSON object")
    parsed = parser.parse_args(arguments)
    # Also for SIGINT, which a shell lets its background jobs ignore.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    try:
        environment = load(LOCAL)
        # Before anything is started: the same is said after a deployment, half a minute later.
        events(Target(environment, only=parsed.function), parsed.event)
        return run(environment, _options(parsed))
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(environment: Environment, invoke_options: Sequence[str]) -> int:
    """Start a local AWS, run the pipeline's own commands against it, and end it again."""
    with doing("Starting the local AWS"):
        aws = LocalAws.start()
    with aws, TemporaryDirectory() as folder:
        environ = os.environ | aws.environ(environment.account, environment.region)
        for command in (
            ["build", "--output", folder],
            ["access", "--yes"],
            ["bootstrap", "--yes"],
            ["deploy", "--assembly", folder],
            ["invoke", *invoke_options],
        ):
            code = _pipeline(command, environ)
            if code != 0:
                console.print(f"The local AWS logged to {aws.log}", soft_wrap=True)
                return code
    return 0


def _options(parsed: Namespace) -> list[str]:
    given = {"--function": parsed.function, "--event": parsed.event}
    options = [text for name, value in given.items() if value for text in (name, str(value))]
    return [*options, *(["--json"] if parsed.json else [])]


def _pipeline(command: Sequence[str], environ: Mapping[str, str]) -> int:
    # What a person asked for are the executions; the rest shows its progress alone.
    output = None if command[0] == "invoke" else subprocess.DEVNULL
    options = ["-m", "infra.pipeline", *command, "--environment", LOCAL]
    return subprocess.run([sys.executable, *options], env=environ, stdout=output, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
