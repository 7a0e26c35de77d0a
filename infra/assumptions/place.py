"""Where checks are asked: one deployed function, what checks share there, and what is undone behind them."""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from botocore.exceptions import ClientError

from infra import naming
from infra.aws.execution import Execution
from infra.aws.function import POLL_SECONDS, DeployedFunction
from infra.aws.problems import noting
from infra.aws.target import Target
from infra.contract import Contract
from infra.errors import CommandError
from infra.naming import Output

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

Found = TypeVar("Found")

# How the executions, and the versions, that checks make are named.
PREFIX = "contract-"
STOPPED = "the check that started it is done"


class NotReachedError(Exception):
    """What a check asks can't be asked here; the message says why."""


Answering = Callable[[Target, DeployedFunction, str, dict[str, bytes]], Callable[[], None]]


@dataclass(eq=False)
class Place:
    """A deployed function of an environment, asked once for all checks.

    Args:
        target: the environment.
        function: one of its functions.
        promised: the function's contract, whose event is sent.
        answering: returns what answers the callbacks of an execution.
    """

    target: Target
    function: DeployedFunction
    promised: Contract
    answering: Answering
    _done: dict[object, Any] = field(default_factory=dict[object, Any])
    _undo: list[tuple[str, Callable[[], object]]] = field(default_factory=list[Any])

    @property
    def client(self) -> "LambdaClient":
        """A client of Lambda."""
        return self.target.session.client("lambda")

    @property
    def any_client(self) -> Callable[[str], Any]:
        """Returns a client of any service, also of those that have no types here."""
        return cast("Any", self.target.session).client

    @property
    def live(self) -> str:
        """The version that is live.

        Raises:
            NotReachedError: none is.
        """
        version = self.function.live()
        if version is None:
            raise NotReachedError(f"{self.function.name} has no live version")
        return version

    @property
    def provider(self) -> str:
        """The ARN of the capacity provider."""
        platform = self.target.stacks.get(naming.platform_stack(self.target.environment))
        return platform.outputs[Output.CAPACITY_PROVIDER_ARN]

    def once(self, experiment: "Callable[[Place], Found]") -> Found:
        """Return what an experiment found. It is made once, whichever check asks first; if it fails, for all."""
        if experiment not in self._done:
            try:
                self._done[experiment] = experiment(self)
            except (NotReachedError, CommandError, ClientError) as error:
                self._done[experiment] = NotReachedError(str(error))
            except (LookupError, ValueError) as error:
                self._done[experiment] = error
        found = self._done[experiment]
        if isinstance(found, Exception):
            raise found
        return found

    def later(self, what: str, undo: Callable[[], object]) -> None:
        """Have something undone in the end, before what was to be undone earlier."""
        self._undo.append((what, undo))

    def clean_up(self) -> list[str]:
        """Undo everything, and say what could not be."""
        left: list[str] = []
        while self._undo:
            what, undo = self._undo.pop()
            problems: list[str] = []
            with noting(problems):
                undo()
            left += [f"{what}: {problem}" for problem in problems]
        return left

    def seconds_until(self, condition: Callable[[], object], most: float) -> float | None:
        """Wait until something is so, and return how many seconds that took; None where it was not within `most`."""
        since = self.target.clock.monotonic()
        while not condition():
            if self.target.clock.monotonic() - since >= most:
                return None
            self.target.clock.sleep(POLL_SECONDS)
        return self.target.clock.monotonic() - since

    def event(self, name: str) -> bytes:
        """Return the event of the execution of that name."""
        return json.dumps(self.promised.event_of(name)).encode()

    def start(self, qualifier: str, name: str | None = None) -> str:
        """Start an execution by the alias or the number of a version, see it stopped in the end, and return its ARN.

        Raises:
            NotReachedError: Lambda takes it, and starts none.
        """
        name = name or f"{PREFIX}{secrets.token_hex(8)}"
        answer = self.client.invoke(
            FunctionName=f"{self.function.name}:{qualifier}",
            InvocationType="Event",
            DurableExecutionName=name,
            Payload=self.event(name),
        )
        arn = answer.get("DurableExecutionArn")
        if not arn:
            raise NotReachedError(f"{self.function.name}:{qualifier} answers a start without the ARN of an execution")
        self.later(f"execution {name}", partial(self.function.stop, arn, STOPPED))
        return arn

    def follow(self, arn: str, name: str, seconds: float) -> Execution:
        """Follow an execution to its end, and answer what its contract answers."""
        answer = self.answering(self.target, self.function, arn, self.promised.answers_of(name))
        return self.function.follow(arn, seconds, meanwhile=answer)
