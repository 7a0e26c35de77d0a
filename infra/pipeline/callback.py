"""Answer a callback that an execution waits for, by its id, which `executions` shows.

With your own credentials: approving is for people, and for the systems that a function asks.
"""

import json
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence

from infra.aws.callbacks import ID
from infra.aws.execution import Listed
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.console import age
from infra.console.report import Report
from infra.errors import UsageError
from infra.pipeline.arguments import add_pull_request

_DONE = {
    "succeed": "The execution goes on with the result",
    "fail": "The execution goes on with the error",
    "heartbeat": "The callback's heartbeat timeout begins anew",
}


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `callback` takes."""
    parser.add_argument("answer", choices=_DONE, help="what to answer; a heartbeat says that the answer is on its way")
    parser.add_argument("id", help="of the callback")
    add_pull_request(parser)
    parser.add_argument("--result", metavar="JSON", help="what the callback returns (succeed; default: nothing)")
    parser.add_argument("--error", metavar="TEXT", help="the message of the error that it raises (fail)")


def run(target: Target, arguments: Namespace) -> Report:
    """Answer it. Exit code 1 when nobody waits for it, or not any more."""
    _check(arguments)
    callbacks = target.callbacks
    match arguments.answer:
        case "succeed":
            callbacks.succeed(arguments.id, None if arguments.result is None else arguments.result.encode())
        case "fail":
            callbacks.fail(arguments.id, arguments.error)
        case _:
            callbacks.heartbeat(arguments.id)
    return Report({"id": arguments.id, "answer": arguments.answer}, [_DONE[arguments.answer]])


def waits(target: Target, function: DeployedFunction, running: Sequence[Listed]) -> Iterator[str]:
    """Tell a person of the callbacks that executions wait for, and how to answer each."""
    of = f"--environment {target.environment.name}"
    of += f" --pull-request {target.pull_request}" if target.pull_request else ""
    for each in running:
        for callback in function.waiting(each.arn):
            since = age.text(target.clock.now() - callback.since)
            yield f"{each.name} has waited for callback {callback.name} for {since}; with credentials of its account:"
            yield f"  python -m infra.pipeline callback succeed {callback.id} {of} --result null"


def answering(target: Target, function: DeployedFunction, arn: str, answers: Mapping[str, bytes]) -> Callable[[], None]:
    """Return what answers, each time that it is called, the callbacks of an execution that have an answer by name."""
    answered: set[str] = set()

    def answer() -> None:
        for callback in function.waiting(arn) if answers else ():
            if callback.name in answers and callback.id not in answered:
                answered.add(callback.id)
                target.callbacks.succeed(callback.id, answers[callback.name])

    return answer


def _check(arguments: Namespace) -> None:
    """Refuse what Lambda, or the function, could make nothing of.

    Raises:
        UsageError: it is that.
    """
    if not re.fullmatch(ID, arguments.id):
        raise UsageError(f"{arguments.id!r} is no id of a callback; `executions` shows those that are waited for")
    if arguments.result is not None and arguments.answer != "succeed":
        raise UsageError(f"--result is for succeed, not for {arguments.answer}")
    if (arguments.error is not None) != (arguments.answer == "fail"):
        raise UsageError("--error TEXT is for fail, which needs it")
    try:
        json.loads("null" if arguments.result is None else arguments.result)
    except ValueError as error:
        raise UsageError(f"--result {arguments.result!r} is not JSON: {error}") from error
