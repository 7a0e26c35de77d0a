"""The main job on one machine: deploy the local environment to a local AWS, and send an event through its functions.

A local AWS that `make local` has started is used. Otherwise one is started, and ended afterwards.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from infra.aws.target import Target
from infra.console.progress import console
from infra.console.report import Report, show
from infra.environment import Environment, load
from infra.errors import CommandError
from infra.local.aws import LocalAws, RunningAws
from infra.local.built import build
from infra.local.deployment import bring, command, using
from infra.local.ending import ended
from infra.local.running import find
from infra.pipeline import invoke
from infra.pipeline.arguments import add_function
from infra.project import LOCAL


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 when all executions succeeded, 1 when one or anything before it failed, 2 when the input is wrong."""
    parser = ArgumentParser("python -m infra.local.run", description=__doc__)
    add_function(parser)
    parser.add_argument("--event", type=Path, metavar="FILE", help="JSON file (default: what the contract has)")
    parser.add_argument("--json", action="store_true", help="print the executions as one JSON object")
    parsed = parser.parse_args(arguments)
    return ended(lambda: _checked(parsed), interrupted=130)


def _checked(parsed: Namespace) -> int:
    environment = load(LOCAL)
    # Before anything is started: the same is said after a deployment, many seconds later.
    invoke.tell_unlike(Target(environment, only=parsed.function), parsed.event)
    return run(environment, parsed)


def run(environment: Environment, parsed: Namespace) -> int:
    """Deploy to a local AWS, send the events, show what became of them, and return the exit code.

    Raises:
        LocalAwsError: no local AWS could be started.
    """
    if running := find():
        console.print(f"Using the local AWS on {running.endpoint}")
        return _show(running, _report(running, environment, parsed), parsed)
    with LocalAws.begin() as aws:
        console.print(f"Starting a local AWS on {aws.endpoint}")
        # It takes requests from now on, and answers them when it is ready: nothing has to wait for it to begin.
        report = _report(aws, environment, parsed)
        if report.code != 0:
            aws.await_start()
        return _show(aws, report, parsed)


def _report(aws: RunningAws, environment: Environment, parsed: Namespace) -> Report:
    try:
        built = build(environment)
        with using(aws, environment) as target:
            bring(target, built, aws)
            options = ["--event", str(parsed.event)] if parsed.event else []
            return command(invoke, replace(target, only=parsed.function), *options)
    except (BotoCoreError, ClientError) as error:
        return Report.of_failure(1, f"AWS: {error}")
    except CommandError as error:
        return Report.of_failure(1, str(error))


def _show(aws: RunningAws, report: Report, parsed: Namespace) -> int:
    show(report, as_json=parsed.json)
    if report.code != 0:
        console.print(f"The local AWS logged to {aws.log}", soft_wrap=True)
    return report.code


if __name__ == "__main__":
    sys.exit(main())
