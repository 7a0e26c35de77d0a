"""What pages do in accounts, in this order on one local AWS: from no access at all to an environment that is gone.

The functions that are deployed second wait for as long as their events say, or else for a callback, so that executions
run when a command is to see some.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

from infra import contract, limits
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.console.progress import doing
from infra.local.aws import LocalAws
from infra.local.running import announced
from infra.naming import Output
from infra.project import LOCAL
from tests.docs.checkout import Checkout, Done
from tests.docs.names import FIRST, FUNCTION, LAST, PREVIEWS, own
from tests.github.server import serve
from tests.github.state import Pull, State
from tests.infra.local.durable_stack import eventually

PULL_REQUEST = 42
# In seconds: longer than any command below looks at what runs, and as long as one of them waits for it.
LONG, SHORT = 600, 2
WAITS = """

@durable_execution
def handler(event, context):
    from aws_durable_execution_sdk_python.config import Duration

    if "seconds" not in event:
        return context.create_callback(name="approval").result()
    context.wait(Duration.from_seconds(event["seconds"]), name="hold")
    return event
"""

PIPELINE = "python -m infra.pipeline"
ON_FIRST = f"--environment {FIRST}"
ON_LAST = f"--environment {LAST}"
ON_LOCAL = f"--environment {LOCAL}"
PREVIEW = f"--environment {PREVIEWS} --pull-request {PULL_REQUEST}"


class Place:
    """Accounts on a local AWS, and a checkout whose commands reach them.

    Args:
        aws: where the accounts are.
        checkout: a copy of the checkout.
    """

    def __init__(self, aws: LocalAws, checkout: Checkout) -> None:
        self.aws = aws
        self.checkout = checkout
        # The id of the callback that an execution waits for, which pages call ID.
        self.callback = "ID"
        self._numbers = count(1)
        # Whether a fork protects its environments is its own.
        for name in {own(FIRST), own(PREVIEWS), own(LAST)}:
            checkout.fork.assign(f"environments/{name}.toml", termination_protection=False)
        self.commit()

    def run(self, command: str, environ: dict[str, str] | None = None) -> Done:
        """Run a page's command with the credentials of the account that it names the environment of."""
        named = re.search(r"(?:--environment |ENVIRONMENT=)(\w+)", command)
        variables = environ or {}
        if named:
            place = self.checkout.fork.environments[own(named[1])]
            variables = self.aws.environ(place.account, place.region) | variables
        return self.checkout.run(re.sub(r"\bID\b", self.callback, command), variables)

    def commit(self) -> None:
        """Commit what has changed, since nothing else is deployed to accounts."""
        if self.checkout.fork.git("status", "--porcelain"):
            self.checkout.fork.commit("What pages do")

    def must(self, *commands: str) -> None:
        """Run commands that no page shows, and which succeed.

        Raises:
            AssertionError: one failed.
        """
        for command in commands:
            done = self.run(command)
            assert done.code == 0, f"{command} failed:\n{done.output}"

    def start(self, *seconds: int) -> None:
        """Start an execution for each of these numbers of seconds, which it lasts."""
        for each in seconds:
            self.function().start(f"order-{next(self._numbers)}", json.dumps({"seconds": each}).encode())

    def ask(self) -> None:
        """Start an execution that waits for a callback."""
        function = self.function()
        arn = function.start(f"order-{next(self._numbers)}", b"{}")
        (waited,) = eventually(lambda: list(function.waiting(arn)))
        self.callback = waited.id

    def stop(self) -> None:
        """Stop what runs."""
        for listed in self.function().running():
            self.function().stop(listed.arn, "It was long enough")

    def function(self) -> DeployedFunction:
        """Return the pages' function in their first environment."""
        return self.target().function(own(FUNCTION))

    def target(self) -> Target:
        """Return the pages' first environment."""
        environment = self.checkout.fork.environments[own(FIRST)]
        return Target(environment, given_session=self.aws.session(environment.account, environment.region))


@dataclass(frozen=True)
class Step:
    """A command that a page shows.

    Args:
        command: as it stands there.
        code: the exit code that the page tells of.
        first: what happens before it.
        asks_github: whether it asks GitHub, which has an open pull request then.
    """

    command: str
    code: int = 0
    first: Callable[[Place], object] | None = None
    asks_github: bool = False

    def take(self, place: Place) -> Done:
        """Let happen what comes before, and run it."""
        if self.first:
            self.first(place)
        with doing(self.command):
            if not self.asks_github:
                return place.run(self.command)
            state = State()
            state.pulls[PULL_REQUEST] = Pull(PULL_REQUEST)
            with serve(state):
                token = "issues=write,pull-requests=write"  # noqa: S105 - what a token may do stands for it
                of_job = {"URL": state.url, "REPOSITORY": state.repository, "TOKEN": token}
                names = {"URL": "GITHUB_API_URL", "REPOSITORY": "GITHUB_REPOSITORY", "TOKEN": "GITHUB_TOKEN"}
                return place.run(self.command, {names[key]: value for key, value in of_job.items()})


def write_event(checkout: Checkout) -> None:
    """Write the event that pages send."""
    event = contract.load(own(FUNCTION), checkout.folder).sample
    (checkout.folder / "order.json").write_text(json.dumps(event))


def _deploy_locally(place: Place) -> None:
    write_event(place.checkout)
    place.commit()
    (logs := place.checkout.folder / "build" / "local-aws").mkdir(parents=True)
    with announced(place.aws, logs):
        place.must("make run")


def _change_by_hand(place: Place) -> None:
    target = place.target()
    group = target.stacks.get(place.function().name).outputs[Output.LOG_GROUP_NAME]
    kept = target.environment.function.log_retention_days
    other = next(days for days in sorted(limits.LOG_RETENTION_DAYS, reverse=True) if days not in (kept, 365))
    target.session.client("logs").put_retention_policy(logGroupName=group, retentionInDays=other)


def _deploy_another_version(place: Place) -> None:
    place.checkout.fork.append(f"functions/{own(FUNCTION)}/handler.py", WAITS)
    place.commit()
    place.must(f"{PIPELINE} build {ON_FIRST}", f"{PIPELINE} deploy {ON_FIRST}")
    place.must(f"{PIPELINE} build {PREVIEW}", f"{PIPELINE} deploy {PREVIEW}")
    place.start(LONG, LONG)


def _deploy_last(place: Place) -> None:
    place.must(f"{PIPELINE} build {ON_LAST}", f"{PIPELINE} deploy {ON_LAST}")


def _let_one_run(place: Place) -> None:
    place.stop()
    place.start(SHORT)


STEPS = [
    # On a laptop.
    Step(f".venv/bin/{PIPELINE} status {ON_LOCAL}", first=_deploy_locally),
    Step(f".venv/bin/{PIPELINE} executions {ON_LOCAL}"),
    Step(f".venv/bin/{PIPELINE} invoke {ON_LOCAL} --function {FUNCTION} --event order.json"),
    # From a fork to its first deployment.
    *(Step(f"make {target} ENVIRONMENT={FIRST}") for target in ("access", "bootstrap")),
    *(Step(f"make {target} ENVIRONMENT={PREVIEWS}") for target in ("access", "bootstrap", "platform")),
    *(Step(f"make {target} ENVIRONMENT={LAST}") for target in ("access", "bootstrap")),
    # What the workflows do.
    Step(f"make synth ENVIRONMENT={FIRST}"),
    Step(f"{PIPELINE} build {ON_FIRST}"),
    Step(f"{PIPELINE} diff {ON_FIRST}"),
    Step(f"{PIPELINE} deploy {ON_FIRST}"),
    Step(f"{PIPELINE} smoke {ON_FIRST}"),
    Step(f"{PIPELINE} invoke {ON_FIRST} --function {FUNCTION} --event order.json"),
    Step(f"{PIPELINE} invoke {ON_FIRST} --function {FUNCTION} --logs"),
    # What is there.
    Step(f"{PIPELINE} drift {ON_FIRST}", code=1, first=_change_by_hand),
    Step(f"{PIPELINE} status {ON_FIRST}", first=_deploy_another_version),
    Step(f"{PIPELINE} executions {ON_FIRST}"),
    Step(f"{PIPELINE} callback heartbeat ID {ON_FIRST}", first=Place.ask),
    Step(f"{PIPELINE} callback succeed ID {ON_FIRST} --result '{{\"approved\": true}}'"),
    Step(f"{PIPELINE} callback fail ID {ON_FIRST} --error 'over budget'", first=Place.ask),
    Step(f"{PIPELINE} prune {ON_FIRST} --dry-run"),
    Step(f"{PIPELINE} sweep --environment {PREVIEWS} --dry-run", asks_github=True),
    Step(f"{PIPELINE} sleep --environment {PREVIEWS} --dry-run"),
    Step(f"{PIPELINE} wake {PREVIEW}"),
    Step(f"{PIPELINE} roll-back {ON_FIRST} --versions {FUNCTION}=1"),
    # To an end.
    Step(f"{PIPELINE} teardown {ON_FIRST} --dry-run"),
    Step(f"{PIPELINE} teardown {ON_FIRST} --confirm shop-{FIRST}", code=1),
    Step(f"{PIPELINE} drain {ON_FIRST} --running wait", first=_let_one_run),
    Step(f"{PIPELINE} drain {ON_FIRST} --open"),
    Step(f"{PIPELINE} teardown {PREVIEW} --confirm shop-pr-{PULL_REQUEST} --running stop"),
    Step(f"{PIPELINE} teardown {ON_FIRST} --confirm shop-{FIRST} --running wait"),
    # Red in the morning.
    Step(f"{PIPELINE} status {ON_LAST}", first=_deploy_last),
    *(Step(f"{PIPELINE} {command} {ON_LAST}") for command in ("drift", "executions")),
    Step(f"{PIPELINE} prune {ON_LAST} --dry-run"),
    Step(f"{PIPELINE} roll-back {ON_LAST} --versions {FUNCTION}=1"),
    Step(f"{PIPELINE} drain {ON_LAST} --open"),
]


def play(place: Place) -> Iterator[tuple[Step, Done]]:
    """Take all steps, one after the other."""
    for step in STEPS:
        yield step, step.take(place)
