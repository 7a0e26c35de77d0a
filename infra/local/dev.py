"""A loop of seconds: what is saved is on a local AWS at once, and an event goes through it.

A local AWS that `make local` has started is used; otherwise one is started, on which waits end at once, and which ends
with Ctrl-C. A change of code takes the short way there: the bundle of the function alone, past CloudFormation. Any
other change takes the long way: everything is synthesized and deployed, as by `make run`.

Executions that run stay on the version that they began on, as everywhere, and are told of only if they fail.
"""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Never, cast

from botocore.exceptions import BotoCoreError, ClientError

from infra import ROOT
from infra.aws.assembly import Assembly
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.console.progress import console, doing
from infra.console.report import Report, show
from infra.environment import load
from infra.errors import CommandError, UsageError
from infra.local.aws import LocalAws, RunningAws
from infra.local.built import build
from infra.local.deployment import bring, command, using
from infra.local.ending import ended
from infra.local.running import announced, find
from infra.local.short_way import ShortWay, fingerprints
from infra.local.watching import Changed, Watch
from infra.pipeline import invoke
from infra.pipeline.arguments import add_function
from infra.project import LOCAL

# How often it is asked whether an execution has failed that nobody follows.
LOOKS_EVERY_SECONDS = 2
FAILED = ("FAILED", "TIMED_OUT")
CONTRACT = "contract.toml"
# What of functions/ is in no bundle, and decides what is deployed.
DEPLOYED = ("infrastructure.py", "requirements.txt")


def main(arguments: list[str] | None = None) -> int:
    """Return 130 once it is interrupted, 1 where no local AWS can be started, 2 where the input is wrong."""
    parser = ArgumentParser("python -m infra.local.dev", description=__doc__)
    add_function(parser)
    parser.add_argument("--event", type=Path, metavar="FILE", help="JSON file (default: what the contract has)")
    parsed = parser.parse_args(arguments)
    return ended(lambda: _loop(parsed), interrupted=130)


def _loop(parsed: Namespace) -> Never:
    # Before anything is started: the same is said after a deployment, many seconds later.
    invoke.events(Target(load(LOCAL), only=parsed.function), parsed.event)
    with _aws() as aws:
        Loop(aws, parsed.function, parsed.event).run()


@contextmanager
def _aws() -> Generator[RunningAws]:
    """Yield the local AWS that runs, or one of our own for as long as the context lasts."""
    if running := find():
        console.print(f"Using the local AWS on {running.endpoint}")
        yield running
        return
    with doing("Starting the local AWS"):
        aws = LocalAws.start(skip_time=True)
    with aws, announced(aws):
        yield aws


class Loop:
    """The loop.

    Args:
        aws: the local AWS.
        only: the one function that is sent events, or None for all.
        event: a file with its event, or None for what the contracts have.
        root: the folder that holds functions/.
    """

    def __init__(self, aws: RunningAws, only: str | None, event: Path | None, root: Path = ROOT) -> None:
        self._aws = aws
        self._only = only
        self._event = event
        self._root = root
        self._watch = Watch(self._files)
        # The executions of whose failure a person knows, by their ARNs.
        self._known: set[str] = set()

    def run(self) -> Never:
        """Go on until the process is interrupted."""
        while True:
            try:
                with _telling():
                    self._long_way()
                console.print("Nothing was deployed; waiting for another change")
                while True:
                    self._watch.sleep(LOOKS_EVERY_SECONDS)
            except Changed as change:
                self._tell(change)

    def _long_way(self) -> None:
        """Deploy everything, and go on with short ways.

        Raises:
            Changed: something that takes the long way again.
        """
        environment = load(LOCAL, self._root)
        with using(self._aws, environment) as target:
            code = fingerprints(target)
            built = build(environment)
            bring(target, built, self._aws)
            console.print("Deployed by the long way: everything is as its template says")
            self._known |= {arn for function in target.functions for arn in _failed(function)}
            # Whoever waits on this clock is interrupted by a change.
            watched = replace(target, given_session=target.session, clock=self._watch)
            self._short_ways(watched, ShortWay(watched, code, Assembly(built.stacks)))

    def _short_ways(self, target: Target, way: ShortWay) -> Never:
        chosen = replace(target, only=self._only).function_names
        sent = chosen
        while True:
            try:
                for name in sent:
                    with _telling():
                        self._send(replace(target, only=name))
                self._rest(target)
            except Changed as change:
                if self._takes_long_way(change.paths, target):
                    raise
                self._tell(change)
                sent = self._arrived(way, chosen)

    def _arrived(self, way: ShortWay, chosen: Sequence[str]) -> list[str]:
        """Take the short way with the functions whose code has changed, and return which of them are to be sent events.

        Where none has changed, the events have, or a file was saved as it was: then all are.
        """
        arrived: list[str] = []
        with _telling():
            if not (changed := way.changed()):
                return [*chosen]
            for name in changed:
                with _telling():
                    with doing(f"The code of {name} alone, by the short way"):
                        version = way.take(name)
                    console.print(f"{name}: version {version} is live; CloudFormation does not know of it")
                    arrived.append(name)
        return [name for name in arrived if name in chosen]

    def _send(self, target: Target) -> None:
        """Send a function its event, and tell what becomes of it."""
        invoke.tell_unlike(target, self._event)
        options = ["--event", str(self._event)] if self._event else []
        report = command(invoke, target, "--logs", *options)
        self._known |= {each["arn"] for each in cast("list[dict[str, str]]", report.facts["executions"])}
        show(report)

    def _rest(self, target: Target) -> Never:
        """Wait for a change, and tell meanwhile of executions that failed while nobody followed them."""
        console.print("Waiting for a change; Ctrl-C ends this")
        while True:
            with _telling():
                for function in target.functions:
                    for arn in _failed(function):
                        if arn not in self._known:
                            self._known.add(arn)
                            self._tell_failed(target, function, arn)
            self._watch.sleep(LOOKS_EVERY_SECONDS)

    def _tell_failed(self, target: Target, function: DeployedFunction, arn: str) -> None:
        ended, history = function.follow(arn, 0), function.history(arn)
        logged = invoke.log_of(target, function, arn)
        show(Report({}, [*invoke.lines(ended, history, function.folder, logged)]))

    def _takes_long_way(self, paths: Collection[Path], target: Target) -> bool:
        """Tell whether more has changed than events and the code of functions that are deployed."""
        there = {path.parent.name for path in (self._root / "functions").glob("*/handler.py")}
        if there != {*target.environment.function_names}:
            return True
        return any(path != self._event and path.name != CONTRACT and not _is_code(path) for path in paths)

    def _files(self) -> Iterator[Path]:
        yield from (self._root / "project.toml", self._root / "environments" / f"{LOCAL}.toml")
        if self._event:
            yield self._event
        for path in (self._root / "functions").rglob("*"):
            if path.name in (CONTRACT, *DEPLOYED) or _is_code(path):
                yield path

    def _tell(self, change: Changed) -> None:
        names = [path.relative_to(self._root) if path.is_relative_to(self._root) else path for path in change.paths]
        console.print(f"\nSaved: {', '.join(sorted(map(str, names)))}", soft_wrap=True)


def _is_code(path: Path) -> bool:
    return path.suffix == ".py" and path.name not in DEPLOYED


def _failed(function: DeployedFunction) -> list[str]:
    return [each.arn for each in function.executions(FAILED)]


@contextmanager
def _telling() -> Generator[None]:
    """Tell what goes wrong, and go on."""
    try:
        yield
    except (UsageError, CommandError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
    except (BotoCoreError, ClientError) as error:
        console.print(f"AWS: {error}", style="red", markup=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
