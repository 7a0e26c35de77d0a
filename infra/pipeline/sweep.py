"""Remove the previews that nobody needs: those whose pull request is closed, and those that are too old."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from botocore.exceptions import BotoCoreError, ClientError

from infra import budgets
from infra.aws import previews
from infra.aws.previews import Preview
from infra.aws.stacks import Stack
from infra.aws.target import Target
from infra.console import age, markdown
from infra.console.report import Notice, Report
from infra.errors import CommandError
from infra.github import pull_requests
from infra.pipeline import teardown
from infra.pipeline.drain import Ending, told_of_stopped

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
        name = self.preview.target.name
        if self.failure:
            return f"{name} {'is due' if self.due else 'stays'} ({self.reason}), and was not removed: {self.failure}"
        if not self.due:
            return f"{name} stays: {self.reason}"
        return f"{name} is gone: {self.reason}{told_of_stopped(self.stopped)}"


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `sweep` takes."""
    parser.add_argument("--dry-run", action="store_true", help="show what would be removed, and remove nothing")
    parser.add_argument("--issue", action="store_true", help="keep an issue on what could not be removed")


def run(target: Target, arguments: Namespace) -> Report:
    """Sweep. Exit code 1 when something could not be removed; when GitHub can't be asked, nothing is."""
    target.check_hosts_previews()
    # All of GitHub's answers before the first removal: half an answer removes nothing.
    outcomes = [decide(preview) for preview in previews.find(target)]
    if not arguments.dry_run:
        _remove_due(target, outcomes)
    lines = [_plan(each) if arguments.dry_run else each.line for each in outcomes] or ["There is no preview"]
    failed = [each for each in outcomes if each.failure]
    return Report(
        {"previews": [_facts(each) for each in outcomes], "failed": len(failed)},
        lines,
        markdown.fit_summary(lambda limit: markdown.items(lines, limit)),
        code=1 if failed else 0,
        notice=_notice(failed) if arguments.issue and not arguments.dry_run else None,
    )


def decide(preview: Preview) -> Outcome:
    """Decide what is to become of a preview.

    Raises:
        CommandError: GitHub can't be asked for its pull request.
    """
    if not preview.is_ours:
        return Outcome(preview, False, "it is named like a preview, and its tags say that it is none of ours")
    try:
        state = pull_requests.state(preview.pull_request)
    except pull_requests.UnknownPullRequestError as error:
        return Outcome(preview, False, "nobody knows whether it is needed", failure=str(error))
    return _decide(preview, state)


def _decide(preview: Preview, state: str) -> Outcome:
    """Decide by the state of its pull request."""
    stays, due = False, True
    days = preview.target.environment.preview_days
    if changing := next((stack for stack in preview.stacks if stack.is_changing), None):
        return Outcome(preview, stays, f"it is {changing.status}")
    if any(stack.is_in_review and _age(preview, stack) < REVIEWED_FOR_AT_MOST for stack in preview.stacks):
        return Outcome(preview, stays, "its first deployment begins")
    if state != "open":
        return Outcome(preview, due, f"pull request {preview.pull_request} is {state}")
    old = f"it is {age.text(preview.age)} old"
    if preview.age > timedelta(days=days):
        return Outcome(preview, due, f"{old}, and previews last {days} days")
    return Outcome(preview, stays, f"pull request {preview.pull_request} is open, and {old}")


def _age(preview: Preview, stack: Stack) -> timedelta:
    return preview.target.clock.now() - stack.created


def _remove_due(target: Target, outcomes: list[Outcome]) -> None:
    until = target.clock.monotonic() + budgets.SWEEP
    for outcome in (each for each in outcomes if each.due):
        if target.clock.monotonic() > until:
            outcome.failure = "there was no time left for it"
        else:
            _remove(outcome)


def _remove(outcome: Outcome) -> None:
    target = outcome.preview.target
    try:
        outcome.stopped = teardown.remove(target, teardown.make_plan(target), Ending("stop"))
        teardown.verify(target)
    except (CommandError, BotoCoreError, ClientError) as error:
        # The others are still to be tried.
        outcome.failure = str(error)


def _plan(outcome: Outcome) -> str:
    why = f"{outcome.reason}{f' ({outcome.failure})' if outcome.failure else ''}"
    return f"{outcome.preview.target.name} would {'go' if outcome.due else 'stay'}: {why}"


def _facts(outcome: Outcome) -> dict[str, object]:
    return {
        "preview": outcome.preview.target.name,
        "stacks": [stack.name for stack in outcome.preview.stacks],
        "due": outcome.due,
        "reason": outcome.reason,
        "stopped": outcome.stopped,
        "failure": outcome.failure,
    }


def _notice(failed: list[Outcome]) -> Notice:
    body = markdown.fit(lambda limit: "\n\n".join(_paragraphs(failed, limit))) if failed else None
    return Notice("sweep", "Previews that could not be removed", body)


def _paragraphs(failed: list[Outcome], limit: int) -> Iterator[str]:
    yield "The nightly sweep tries again; each costs instances until it is gone."
    yield from markdown.some(failed, limit, lambda each: _paragraph(each, limit))


def _paragraph(failed: Outcome, limit: int) -> str:
    name = markdown.code(failed.preview.target.name)
    return f"#{failed.preview.pull_request}, {name}:\n\n{markdown.block(failed.failure or '', limit=limit)}"
