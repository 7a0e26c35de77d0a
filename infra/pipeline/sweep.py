"""Remove the previews that nobody needs: those whose pull request is closed, and those that are too old."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from infra.aws import previews
from infra.aws.previews import Preview
from infra.aws.session import open_session
from infra.aws.stack import is_changing
from infra.console import age, markdown
from infra.console.output import show
from infra.environment import Environment
from infra.errors import CommandError
from infra.github import client as github
from infra.pipeline import teardown
from infra.pipeline.drain import told_of_stopped

# A stack that is only being reviewed belongs to a deployment that begins, or to one that died before it changed any.
REVIEWED_FOR_AT_MOST = timedelta(hours=1)


@dataclass
class Outcome:
    """What is to become of a preview, and what became of it."""

    preview: Preview
    due: bool
    reason: str
    stopped: int = 0
    failure: str | None = None

    @property
    def line(self) -> str:
        """The outcome in words."""
        name = self.preview.name
        if self.failure:
            return f"{name} {'is due' if self.due else 'stays'} ({self.reason}), and was not removed: {self.failure}"
        if not self.due:
            return f"{name} stays: {self.reason}"
        return f"{name} is gone: {self.reason}{told_of_stopped(self.stopped)}"


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `sweep` takes."""
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
    parser.add_argument("--issue", action="store_true", help="keep an issue on what could not be removed")


def run(environment: Environment, arguments: Namespace) -> int:
    """Sweep. Exit code 1 when something could not be removed; when GitHub can't be asked, nothing is."""
    previews.check_hosted(environment)
    session = open_session(environment)
    # All of GitHub's answers before the first removal: half an answer removes nothing.
    outcomes = [decide(environment, preview) for preview in previews.find(session, environment)]
    for outcome in outcomes:
        if outcome.due and not arguments.dry_run:
            _remove(session, environment, outcome)
    lines = [_plan(each) if arguments.dry_run else each.line for each in outcomes] or ["There is no preview"]
    failed = [each for each in outcomes if each.failure]
    if arguments.issue and not arguments.dry_run:
        _keep_issue(failed)
    facts = {"previews": [_facts(each) for each in outcomes], "failed": len(failed)}
    show(arguments, facts, lines, "\n".join(f"- {markdown.code(line)}" for line in lines))
    return 1 if failed else 0


def decide(environment: Environment, preview: Preview) -> Outcome:
    """Decide what is to become of a preview.

    Raises:
        CommandError: GitHub can't be asked for its pull request.
    """
    if not preview.is_of(environment):
        return Outcome(preview, False, "it is named like a preview, and its tags say that it is none of ours")
    try:
        state = github.pull_request(preview.pull_request).state
    except github.UnknownPullRequestError as error:
        return Outcome(preview, False, "nobody knows whether it is needed", failure=str(error))
    return _decide(environment, preview, state)


def _decide(environment: Environment, preview: Preview, state: str) -> Outcome:
    """Decide by the state of its pull request."""
    stays, due = False, True
    if is_changing(preview.stack):
        return Outcome(preview, stays, f"it is {preview.stack['StackStatus']}")
    if preview.stack["StackStatus"] == "REVIEW_IN_PROGRESS" and preview.age < REVIEWED_FOR_AT_MOST:
        return Outcome(preview, stays, "its first deployment begins")
    if state != "open":
        return Outcome(preview, due, f"pull request {preview.pull_request} is {state}")
    old = f"it is {age.text(preview.age)} old"
    if preview.age > timedelta(days=environment.preview_days):
        return Outcome(preview, due, f"{old}, and previews last {environment.preview_days} days")
    return Outcome(preview, stays, f"pull request {preview.pull_request} is open, and {old}")


def _remove(session: boto3.Session, environment: Environment, outcome: Outcome) -> None:
    number = outcome.preview.pull_request
    try:
        plan = teardown.make_plan(session, environment, number)
        outcome.stopped = teardown.remove(session, environment, plan, Namespace(running="stop", deadline=0))
        teardown.verify(session, environment, number)
    except (CommandError, BotoCoreError, ClientError) as error:
        # The others are still to be tried.
        outcome.failure = str(error)


def _plan(outcome: Outcome) -> str:
    return f"{outcome.preview.name} would {'go' if outcome.due else 'stay'}: {outcome.reason}"


def _facts(outcome: Outcome) -> dict[str, object]:
    return {
        "stack": outcome.preview.name,
        "due": outcome.due,
        "reason": outcome.reason,
        "stopped": outcome.stopped,
        "failure": outcome.failure,
    }


def _keep_issue(failed: list[Outcome]) -> None:
    body = "\n\n".join(_paragraphs(failed)) if failed else None
    github.keep_issue("sweep", "Previews that could not be removed", body)


def _paragraphs(failed: list[Outcome]) -> Iterator[str]:
    yield "The nightly sweep tries again; each costs instances until it is gone."
    for each in failed:
        pull_request = each.preview.pull_request
        yield f"#{pull_request}, {markdown.code(each.preview.name)}:\n\n{markdown.block(each.failure or '')}"
