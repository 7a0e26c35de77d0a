"""Where a rehearsal takes place: accounts on the local AWS with IAM enforced, and a GitHub whose jobs reach them."""

import itertools
import json
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

from infra import ROOT, budgets, contract, naming
from infra import project as projects
from infra.aws.execution import Execution
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.bundle import ALL_RUN_HERE
from infra.environment import Environment, load_all
from infra.errors import CommandError
from infra.local.aws import LocalAws
from tests.github.state import Pull
from tests.rehearsal import repository
from tests.rehearsal.hosted import GitHub
from tests.rehearsal.repository import Change
from tests.rehearsal.run import Run

INSTALLED = (".venv", ".tools", "node_modules")
POLL_SECONDS = 0.1
PAUSE_BETWEEN_EVENTS_SECONDS = 0.5


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
        self.project = projects.load()
        self.environments = load_all()
        self._events = itertools.count(1)

    @property
    def first(self) -> str:
        """The environment that main is brought to first."""
        return self.project.promote[0]

    @property
    def last(self) -> str:
        """The environment that main is brought to last, which may be the first as well."""
        return self.project.promote[-1]

    @property
    def previews(self) -> Environment:
        """The environment that hosts previews."""
        return self.environments[self.project.previews]

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions of the work tree."""
        return self.environments[self.first].function_names

    @property
    def edited(self) -> str:
        """The function that scenarios change."""
        return self.functions[0]

    def edit_clone(self, change: Change) -> None:
        """Change the clone of main in which the account's owner runs commands, and commit that there."""
        change(self._clone)
        repository.commit(self._clone, "What the owner changed")

    def as_person(self, environment: str, *command: str) -> None:
        """Run a command of the pipeline in a clone of main, with the credentials of the account's owner.

        Raises:
            UnexpectedError: it failed.
        """
        place = self.environments[environment]
        # What the CDK leaves in its user's home, wherever HOME is, and among temporary files goes with the stage.
        home = self.folder / "home"
        own = {"HOME": str(home), "CDK_HOME": str(home / ".cdk"), "TMPDIR": str(self.folder), ALL_RUN_HERE: "1"}
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
        place = self.environments[environment]
        return self.aws.session(place.account, place.region)

    def target(self, environment: str, pull: Pull | None = None) -> Target:
        """Return an environment, or the preview of a pull request, as its account's owner sees it."""
        number = pull.number if pull else None
        return Target(self.environments[environment], number, given_session=self.session(environment))

    def stacks(self, environment: str, pull: Pull | None = None) -> list[str]:
        """Return the names of the stacks that there are of an environment, or of a preview, but those of its access."""
        target = self.target(environment, pull)
        wanted = {naming.platform_stack(target.environment)} if pull is None else set[str]()
        wanted |= {function.name for function in target.deployed_functions()}
        return sorted(wanted & set(target.stacks.names()))

    def live(self, environment: str, pull: Pull | None = None) -> dict[str, str | None]:
        """Return the versions that the aliases of the functions that are deployed point to, by folder."""
        return {each.folder: each.live() for each in self.target(environment, pull).deployed_functions()}

    def live_everywhere(self) -> dict[str, dict[str, str | None]]:
        """Return the same of all environments that main is brought to, by their names."""
        return {name: self.live(name) for name in self.project.promote}

    @contextmanager
    def executions(self, function: DeployedFunction, root: Path = ROOT) -> "Generator[list[Execution]]":
        """Start executions all the while, and leave them, ended, in the list that is given.

        Args:
            function: of what.
            root: the checkout in which its contract stands.

        Raises:
            UnexpectedError: one was refused.
        """
        ended: list[Execution] = []
        enough = Event()

        def send() -> Iterator[str]:
            while True:
                try:
                    yield self.execute(function, root)
                except CommandError as error:
                    raise UnexpectedError(f"an event for {function.name} was refused: {error}") from error
                if enough.wait(PAUSE_BETWEEN_EVENTS_SECONDS):
                    return

        with ThreadPoolExecutor() as pool:
            sent = pool.submit(lambda: list(send()))
            try:
                yield ended
            finally:
                enough.set()
            ended += [self.follow(function, arn) for arn in sent.result()]

    def follow(self, function: DeployedFunction, arn: str) -> Execution:
        """Follow an execution for as long as a smoke execution may take."""
        return function.follow(arn, budgets.SMOKE)

    def refuses_events(self, function: DeployedFunction) -> bool:
        """Send an event that nobody waits for, and return whether it is refused."""
        try:
            self.execute(function)
        except CommandError:
            return True
        time.sleep(PAUSE_BETWEEN_EVENTS_SECONDS)
        return False

    def execute(self, function: DeployedFunction, root: Path = ROOT) -> str:
        """Start an execution with the event that the function's contract has for it, and return its ARN."""
        # Of a name that was given before, Lambda would return the execution from then.
        name = f"{self.github.repository.main()[:12]}-{next(self._events)}"
        event = contract.load(function.folder, root).event_of(name)
        return function.start(name, json.dumps(event).encode())


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
    # What jobs build runs on the local AWS, so on this machine, whichever environment it is for.
    environ = {"AWS_ENDPOINT_URL": aws.endpoint, "AWS_EC2_METADATA_DISABLED": "true", ALL_RUN_HERE: "1"}
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
