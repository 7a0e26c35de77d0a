"""Where a rehearsal takes place: accounts on the local AWS with IAM enforced, and a GitHub whose jobs reach them."""

import itertools
import os
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event

import boto3

from infra import ROOT, naming
from infra.aws.execution import Execution
from infra.aws.target import Target
from infra.environment import load
from infra.errors import CommandError
from infra.local.aws import LocalAws
from tests.github.state import Pull
from tests.rehearsal.hosted import GitHub
from tests.rehearsal.repository import Change
from tests.rehearsal.run import Run

INSTALLED = (".venv", ".tools", "node_modules")
POLL_SECONDS = 0.1
PAUSE_BETWEEN_ORDERS_SECONDS = 0.5
ORDER_ENDS_WITHIN_SECONDS = 60


class UnexpectedError(Exception):
    """Something else happened than what was to be shown. The message says what, and what should have."""


class Stage:
    """The accounts, GitHub, and what the scenarios that were played left for those that follow."""

    def __init__(self, aws: LocalAws, github: GitHub, folder: Path) -> None:
        self.aws = aws
        self.github = github
        self.folder = folder
        self._clone = folder / "a-person"
        github.repository.export(github.repository.main(), self._clone)
        for name in INSTALLED:
            (self._clone / name).symlink_to(ROOT / name)
        self.pulls: dict[str, Pull] = {}
        self._orders = itertools.count(1)

    def as_person(self, environment: str, *command: str) -> None:
        """Run a command of the pipeline in a clone of main, with the credentials of the account's owner.

        Raises:
            UnexpectedError: it failed.
        """
        place = load(environment)
        # What the CDK leaves in its user's home, wherever HOME is, and among temporary files goes with the stage.
        home = self.folder / "home"
        own = {"HOME": str(home), "CDK_HOME": str(home / ".cdk"), "TMPDIR": str(self.folder)}
        # A person is in no workflow, even where one runs the rehearsal.
        outside = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
        done = subprocess.run(
            [".venv/bin/python", "-m", "infra.pipeline", *command, "--environment", environment],
            cwd=self._clone,
            env=outside | self.aws.environ(place.account, place.region) | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise UnexpectedError(f"{' '.join(command)} of {environment} failed:\n{done.stdout}")

    def session(self, environment: str) -> boto3.Session:
        """Return the session of an account's owner."""
        return self.aws.session(load(environment).account, load(environment).region)

    def target(self, environment: str, pull: Pull | None = None) -> Target:
        """Return an environment, or the preview of a pull request, as its account's owner sees it."""
        return Target(load(environment), pull.number if pull else None, self.session(environment))

    def has_stack(self, environment: str, name: str) -> bool:
        """Return whether a stack exists."""
        return self.target(environment).stacks.find(name) is not None

    def live_version(self, environment: str, pull: Pull | None = None) -> str | None:
        """Return the version that an environment's alias, or a preview's, points to."""
        return self.target(environment, pull).function.live()

    def live_code(self, environment: str) -> str:
        """Return the SHA-256 of the code behind an environment's alias."""
        return self.target(environment).function.code_sha256(naming.ALIAS)

    @contextmanager
    def orders(self, environment: str) -> "Generator[list[Execution]]":
        """Send orders all the while, and leave their executions, ended, in the list that is given.

        Raises:
            UnexpectedError: one was refused.
        """
        ended: list[Execution] = []
        enough = Event()

        def send() -> Iterator[str]:
            while True:
                try:
                    yield self._order(environment)
                except CommandError as error:
                    raise UnexpectedError(f"an order of {environment} was refused: {error}") from error
                if enough.wait(PAUSE_BETWEEN_ORDERS_SECONDS):
                    return

        with ThreadPoolExecutor() as pool:
            sent = pool.submit(lambda: list(send()))
            try:
                yield ended
            finally:
                enough.set()
            function = self.target(environment).function
            ended += [function.follow(arn, ORDER_ENDS_WITHIN_SECONDS) for arn in sent.result()]

    def refuses_orders(self, environment: str) -> bool:
        """Send an order that nobody waits for, and return whether it is refused."""
        try:
            self._order(environment)
        except CommandError:
            return True
        time.sleep(PAUSE_BETWEEN_ORDERS_SECONDS)
        return False

    def _order(self, environment: str) -> str:
        # Of a name that was given before, Lambda would return the execution from then.
        name = f"{self.github.repository.main()[:12]}-{next(self._orders)}"
        return self.target(environment).function.start(name, f'{{"orderId": "{name}"}}'.encode())


@contextmanager
def start(change: Change | None = None, actions: Path | None = None) -> Generator[Stage]:
    """Set a stage with accounts of its own, and clear all of it away.

    Args:
        change: what main has on top of the work tree.
        actions: a folder with actions that take the place of those that stand in for them.
    """
    logs = ROOT / "build" / "rehearsal" / "aws"
    with LocalAws.start(logs, enforce_iam=True) as aws, on(aws, change, actions) as stage:
        yield stage


@contextmanager
def on(aws: LocalAws, change: Change | None = None, actions: Path | None = None) -> Generator[Stage]:
    """Set a stage with a GitHub of its own, on the accounts as they are, and clear that away.

    Args:
        aws: where the accounts are.
        change: what main has on top of the work tree.
        actions: a folder with actions that take the place of those that stand in for them.
    """
    environ = {"AWS_ENDPOINT_URL": aws.endpoint, "AWS_EC2_METADATA_DISABLED": "true"}
    with (
        TemporaryDirectory(prefix="rehearsal-") as name,
        GitHub(Path(name), environ, change, actions).served() as github,
    ):
        yield Stage(aws, github, Path(name))


def until(run: Run, holds: Callable[[], object], what: str) -> None:
    """Wait for something to hold while a run goes on.

    Raises:
        UnexpectedError: the run ended before.
    """
    while not holds():
        if run.ended:
            raise UnexpectedError(f"{run.title} ended before {what}")
        time.sleep(POLL_SECONDS)


def expect(found: object, expected: object, what: str) -> None:
    """Compare.

    Raises:
        UnexpectedError: they differ.
    """
    if found != expected:
        raise UnexpectedError(f"{what}: expected {expected}, and found {found}")


def require(holds: object, what: str) -> None:
    """Insist on what must hold.

    Raises:
        UnexpectedError: it does not.
    """
    if not holds:
        raise UnexpectedError(f"{what}: this does not hold")
