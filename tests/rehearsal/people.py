"""What people do who own the accounts: they set up, and change by hand."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from infra import contract, limits, naming
from infra.console.progress import doing
from tests.github.state import Pull
from tests.rehearsal import edits
from tests.rehearsal.stage import Stage

# An execution of this many seconds runs when a job looks, where another starts each half second.
LASTS_SECONDS = 3


def set_up(stage: Stage, environments: Iterable[str]) -> None:
    """Give the workflows access to environments, and prepare these for the CDK."""
    _in_accounts(stage, environments, ["access", "--yes"], ["bootstrap", "--yes"])


def give_access(stage: Stage, environments: Iterable[str]) -> None:
    """Give the workflows access to environments."""
    _in_accounts(stage, environments, ["access", "--yes"])


def _in_accounts(stage: Stage, environments: Iterable[str], *commands: list[str]) -> None:
    """Run commands on environments: one account's one after the other, since the first makes what all have."""
    by_account: dict[str, list[str]] = {}
    for name in environments:
        by_account.setdefault(stage.environments[name].account, []).append(name)

    def one(names: list[str]) -> None:
        for name in names:
            for command in commands:
                stage.as_person(name, *command)

    told = ", ".join(name for names in by_account.values() for name in names)
    with doing(f"{' and '.join(command[0] for command in commands)} of {told}"), ThreadPoolExecutor() as pool:
        list(pool.map(one, by_account.values()))


def deploy(stage: Stage, environment: str, *options: str) -> None:
    """Build and deploy without a run."""
    assembly = str(stage.folder / "-".join(["assembly", environment, *options]))
    stage.as_person(environment, "build", "--output", assembly, *options)
    stage.as_person(environment, "deploy", "--assembly", assembly, *options)


def leave_preview(stage: Stage, state: str) -> Pull:
    """Deploy a preview, and return its pull request, which is in this state."""
    number = stage.github.state.number()
    pull = stage.github.state.pulls[number] = Pull(number, f"branch-{number}", "0" * 40, f"Left {state}", state=state)
    with doing(f"A preview of pull request {number}, which is {state}"):
        deploy(stage, stage.previews.name, "--pull-request", str(number))
    return pull


def retain_logs(stage: Stage, environment: str, function: str, days: int) -> None:
    """Change how long the logs of a function are kept."""
    target = stage.target(environment)
    group = target.stacks.get(target.function_name(function)).outputs[naming.Output.LOG_GROUP_NAME]
    stage.session(environment).client("logs").put_retention_policy(logGroupName=group, retentionInDays=days)


def other_retention(days: int) -> int:
    """Return a number of days that logs can be kept, and not these."""
    return next(each for each in limits.LOG_RETENTION_DAYS if each != days)


def unprotect(stage: Stage, environment: str) -> None:
    """Let the stacks of an environment be deleted."""
    client = stage.session(environment).client("cloudformation")
    for name in stage.stacks(environment):
        client.update_termination_protection(StackName=name, EnableTerminationProtection=False)


def let_last(stage: Stage, environment: str, function: str) -> None:
    """See that executions of a function last a while: where it never waits, deploy one that takes its time."""
    promised = contract.load(function)
    if not any(operation.startswith("wait ") for operation in promised.operations):
        with doing(f"Another {function}, whose executions last {LASTS_SECONDS} s"):
            stage.edit_clone(edits.slow(function, LASTS_SECONDS))
            deploy(stage, environment)
