"""The main job on one machine: deploy the local environment to a local AWS, and send an order through it."""

import os
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.console.progress import console, doing
from infra.environment import load
from infra.errors import UsageError
from infra.local.aws import LocalAws, LocalAwsError
from infra.pipeline.invoke import read_order

ENVIRONMENT = "local"


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when the order succeeded, 1 when it or anything before it failed, 2 when the order can't be read."""
    parser = ArgumentParser("python -m infra.local.run", description=__doc__)
    parser.add_argument("--order", type=Path, help="JSON file with the event (default: the sample's order)")
    parser.add_argument("--json", action="store_true", help="print the execution as one JSON object")
    parsed = parser.parse_args(arguments)
    # Also for SIGINT, which a shell lets its background jobs ignore.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    order = ["--order", str(parsed.order)] if parsed.order else []
    try:
        if parsed.order:
            read_order(parsed.order)
        return run([*order, *(["--json"] if parsed.json else [])])
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except LocalAwsError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def run(invoke_options: Sequence[str]) -> int:
    """Start a local AWS, run the pipeline's own commands against it, and end it again."""
    environment = load(ENVIRONMENT)
    with doing("Starting the local AWS"):
        aws = LocalAws.start()
    with aws, TemporaryDirectory() as folder:
        environ = os.environ | aws.environ(environment.account, environment.region)
        for command in (
            ["build", "--output", folder],
            ["access", "--yes"],
            ["bootstrap"],
            ["deploy", "--assembly", folder],
            ["invoke", *invoke_options],
        ):
            code = _pipeline(command, environ)
            if code != 0:
                console.print(f"The local AWS logged to {aws.log}", soft_wrap=True)
                return code
    return 0


def _pipeline(command: Sequence[str], environ: Mapping[str, str]) -> int:
    # What a person asked for is the order; the rest shows its progress alone.
    output = None if command[0] == "invoke" else subprocess.DEVNULL
    options = ["-m", "infra.pipeline", *command, "--environment", ENVIRONMENT]
    return subprocess.run([sys.executable, *options], env=environ, stdout=output, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
