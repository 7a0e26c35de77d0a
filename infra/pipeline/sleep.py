"""Put previews to sleep on which nothing happens: they keep all that they have but instances, until they are woken."""

from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from infra.aws import previews
from infra.aws.function import DeployedFunction
from infra.aws.previews import Preview
from infra.aws.problems import noting
from infra.aws.target import Target
from infra.console import age, markdown
from infra.console.progress import doing
from infra.console.report import Report
from infra.pipeline.arguments import add_pull_request


@dataclass
class Outcome:
    """What is to become of a preview, and what became of it."""

    preview: Preview
    due: bool
    reason: str
    problems: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        """What the preview is called."""
        return self.preview.target.name


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `sleep` takes."""
    add_pull_request(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be put to sleep, and do nothing")


def run(target: Target, arguments: Namespace) -> Report:
    """Put them to sleep. Exit code 1 when one could not be; the others are all the same."""
    target.check_hosts_previews()
    hours, name = target.environment.preview_idle_hours, target.environment.name
    if not hours:
        none = f"Previews never sleep: preview_idle_hours = 0 in environments/{name}.toml"
        return Report({"previews": []}, [none], none)
    outcomes: list[Outcome] = []
    for preview in previews.find(target):
        if preview.is_ours and target.pull_request in (None, preview.pull_request):
            with doing(f"Looking at {preview.target.name}"):
                outcomes.append(decide(preview, timedelta(hours=hours)))
    for outcome in outcomes:
        if outcome.due and not arguments.dry_run:
            _put_to_sleep(outcome)
    lines = [_line(each, dry_run=arguments.dry_run) for each in outcomes] or [f"{name} has no preview that is meant"]
    return Report(
        {"previews": [_facts(each) for each in outcomes], "dry_run": arguments.dry_run},
        lines,
        markdown.fit_summary(lambda limit: markdown.items(lines, limit)),
        code=int(any(each.problems for each in outcomes)),
    )


def decide(preview: Preview, idle: timedelta) -> Outcome:
    """Decide what is to become of a preview. Nothing is changed."""
    unsettled = next((stack for stack in preview.stacks if not stack.is_at_rest), None)
    if unsettled:
        return Outcome(preview, False, f"{unsettled.name} is {unsettled.status}")
    functions = preview.target.deployed_functions()
    if any(function.running() for function in functions):
        return Outcome(preview, False, "executions run on it")
    if not any(_awake(function) for function in functions):
        return Outcome(preview, False, "it is asleep")
    since = preview.target.clock.now() - _last_used(preview, functions)
    reason = f"nothing happened on it for {age.text(since)}"
    return Outcome(preview, since >= idle, reason)


def _last_used(preview: Preview, functions: list[DeployedFunction]) -> datetime:
    """Return when it was deployed, or when its newest execution started, whichever is later."""
    started = [newest.started for each in functions if (newest := next(iter(each.executions()), None))]
    return max([*(stack.deployed for stack in preview.stacks), *started])


def _awake(function: DeployedFunction) -> list[str]:
    return [version for version in function.versions() if not function.is_asleep(version)]


def _put_to_sleep(outcome: Outcome) -> None:
    """Put all versions to sleep, and look once more: a start that came meanwhile is to be served."""
    for function in outcome.preview.target.deployed_functions():
        with noting(outcome.problems):
            before = {version: function.scaling.asked(version) for version in _awake(function)}
            for version in before:
                function.scaling.set(version, 0, 0)
            if function.running():
                for version, scaling in before.items():
                    function.scaling.put(version, scaling)
                outcome.due, outcome.reason = False, "an execution has begun on it"


def _line(outcome: Outcome, *, dry_run: bool) -> str:
    if outcome.problems:
        return f"{outcome.name} could not be put to sleep: {'; '.join(outcome.problems)}"
    if not outcome.due:
        return f"{outcome.name} is left as it is: {outcome.reason}"
    return f"{outcome.name} {'would be put' if dry_run else 'was put'} to sleep: {outcome.reason}"


def _facts(outcome: Outcome) -> dict[str, object]:
    return {
        "preview": outcome.name,
        "due": outcome.due,
        "reason": outcome.reason,
        "problems": outcome.problems,
    }
