"""Answering a callback by its id, and what nobody could answer so."""

from typing import Any

import pytest

from infra.errors import CommandError, UsageError
from infra.pipeline import callback
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV
from tests.infra.fakes.history import callback as waits

NAME = "acme-dev-billing"


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with an execution that waits for the callback `approval`."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "1")
    aws.lambda_.execution(NAME, "run-1").events = [waits(0, "approval", "abc+/=")]
    return aws


@pytest.mark.parametrize(
    ("options", "operation", "sent", "said"),
    [
        (["succeed"], "Success", {}, "The execution goes on with the result"),
        (["succeed", "--result", '{"ok": 1}'], "Success", {"Result": b'{"ok": 1}'}, "The execution goes on with the"),
        (
            ["fail", "--error", "no"],
            "Failure",
            {"Error": {"ErrorType": "CallbackFailed", "ErrorMessage": "no"}},
            "The execution goes on with the error",
        ),
        (["heartbeat"], "Heartbeat", {}, "The callback's heartbeat timeout begins anew"),
    ],
)
def test_it_sends_the_answer(options: list[str], operation: str, sent: dict[str, Any], said: str, aws: FakeAws) -> None:
    report = run(callback, target(aws, DEV), options[0], "abc+/=", *options[1:])
    (asked,) = aws.asked(f"SendDurableExecutionCallback{operation}")
    assert asked == {"CallbackId": "abc+/=", **sent}
    assert told(report).startswith(said)
    assert facts(report) == {"id": "abc+/=", "answer": options[0]}


def test_a_callback_is_answered_once(aws: FakeAws) -> None:
    run(callback, target(aws, DEV), "succeed", "abc+/=")
    with pytest.raises(CommandError, match="the callback was answered already, or has timed out: closed"):
        run(callback, target(aws, DEV), "fail", "abc+/=", "--error", "no")


def test_an_id_that_nobody_waits_for_is_refused(aws: FakeAws) -> None:
    with pytest.raises(CommandError, match="no execution in eu-west-1 waits for this callback: no callback none"):
        run(callback, target(aws, DEV), "succeed", "none")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["succeed", "approval id"], "'approval id' is no id of a callback; `executions` shows those"),
        (["succeed", "abc", "--result", "{"], "--result '{' is not JSON"),
        (["succeed", "abc", "--result", ""], "--result '' is not JSON"),
        (["succeed", "abc", "--error", "no"], "--error TEXT is for fail, which needs it"),
        (["fail", "abc"], "--error TEXT is for fail, which needs it"),
        (["heartbeat", "abc", "--result", "1"], "--result is for succeed, not for heartbeat"),
    ],
)
def test_what_can_be_no_answer_is_refused_before_anything_is_sent(
    options: list[str], message: str, aws: FakeAws
) -> None:
    with pytest.raises(UsageError) as refusal:
        run(callback, target(aws, DEV), *options)
    assert message in str(refusal.value)
    assert aws.calls == []
