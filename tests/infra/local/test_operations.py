"""A function with an operation of every kind, deployed once: what each command makes of its executions."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import aws_durable_execution_sdk_python
import pytest

from infra import ROOT, naming
from infra.aws.target import Target
from infra.console import timeline
from infra.console.report import Report
from infra.errors import CommandError
from infra.local.aws import LocalAws
from infra.operations import KINDS
from infra.pipeline import callback, drain, executions, smoke
from tests.infra.fakes.commands import facts, run, told
from tests.infra.fakes.environments import ACCOUNT, PROJECT, REGION, environment
from tests.infra.local.durable_stack import PATIENCE_SECONDS, DurableStack, eventually

FUNCTION = Path(__file__).parents[1] / "operations"
BILLING, REFUNDS, LEDGER = "acme-dev-billing", "acme-dev-refunds", "acme-dev-ledger"
SDK = f"import sys\nsys.path.insert(0, {str(Path(aws_durable_execution_sdk_python.__file__).parents[1])!r})\n"
# What the function invokes: another durable function, and one that is not.
REFUND = f"""{SDK}
from aws_durable_execution_sdk_python import durable_execution

@durable_execution
def handler(event, context):
    context.step(lambda _: None, name="refund")
    return context.invoke(event["invoke"], {{}}, name="more") if "invoke" in event else event
"""
ENTER = "def handler(event, context):\n    return {'entered': event['bill']}\n"


@pytest.fixture(scope="module")
def target(local_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Target:
    """The environment `dev` of a project whose function it is."""
    root = tmp_path_factory.mktemp("project")
    (root / "functions" / "billing").mkdir(parents=True)
    shutil.copy(FUNCTION / "contract.toml", root / "functions" / "billing")
    dev = environment(project=PROJECT.model_copy(update={"root": root}))
    session = local_aws.session(ACCOUNT, REGION)
    invoked: dict[str, Any] = {"Environment": {"Variables": {"REFUNDS": REFUNDS, "LEDGER": LEDGER}}}
    source = SDK + (FUNCTION / "handler.py").read_text()
    for name, code, more in ((BILLING, source, invoked), (REFUNDS, REFUND, {}), (LEDGER, ENTER, {})):
        stack = DurableStack(session, name)
        if name == BILLING:
            stack.tags = naming.tags(dev)
        if name == LEDGER:
            stack.durable_config = {}
        stack.deploy("", Code={"ZipFile": code}, **more)
    return Target(dev, given_session=session)


@pytest.fixture(scope="module")
def smoked(target: Target) -> Report:
    return run(smoke, target)


@pytest.fixture
def waiting(target: Target) -> Iterator[str]:
    """The ARN of an execution that waits for the callback `approval`."""
    function = target.function("billing")
    arn = function.start(f"waits-{uuid4()}", b'{"billId": "bill-1"}')
    eventually(lambda: function.waiting(arn))
    yield arn
    function.stop(arn, "the test is over")


def the_callback(target: Target, arn: str, name: str) -> str:
    """Return the id of a callback once an execution waits for it."""
    waiting = target.function("billing").waiting
    return eventually(lambda: next((each.id for each in waiting(arn) if each.name == name), None))


def test_a_smoke_execution_answers_its_callbacks_and_keeps_its_contract(smoked: Report) -> None:
    assert facts(smoked)["functions"]["billing"]["problems"] == []
    assert smoked.code == 0
    assert "section callback approval" in smoked.markdown


def test_the_timeline_shows_each_kind_where_it_runs(target: Target, smoked: Report) -> None:
    arn = facts(smoked)["functions"]["billing"]["execution_arn"]
    spans = [each for each in timeline.spans(target.function("billing").history(arn)) if each.kind != "invocation"]
    assert {each.kind for each in spans} == {*KINDS}
    assert [(each.depth, each.kind, each.name, each.attempt) for each in spans] == [
        (0, "step", "charge", 1),
        (0, "step", "charge", 2),
        (0, "wait", "pause", None),
        (0, "callback", "approval", None),
        (1, "step", "approval submitter", None),
        (0, "callback", "receipt", None),
        (0, "step", "send", None),
        (0, "context", "pack", None),
        (1, "step", "box", None),
        (0, "parallel", "wrap", None),
        (1, "branch", "label", None),
        (2, "step", "print", None),
        (1, "branch", "glue", None),
        (2, "wait", "dry", None),
        (0, "map", "weigh", None),
        (1, "item", "map-item-0", None),
        (2, "step", "scale", None),
        (1, "item", "map-item-1", None),
        (2, "step", "scale", None),
        (0, "condition", "shipped", 1),
        (0, "condition", "shipped", 2),
        (0, "invoke", "refund", None),
        (0, "invoke", "enter", None),
    ]
    assert [each.detail for each in spans[-2:]] == [f"{REFUNDS}:live", LEDGER]
    assert [each.outcome for each in spans if each.attempt] == ["failed", "succeeded", "again", "succeeded"]
    rows = told(smoked, 80).partition("outcome")[2].partition("result")[0].splitlines()
    assert max(len(row.rstrip()) for row in rows) <= 80


@pytest.mark.usefixtures("smoked")
def test_a_chained_invoke_is_an_execution_on_the_version_that_is_live(target: Target) -> None:
    (refund,) = target.function("refunds").executions()
    assert (refund.version, refund.status) == ("1", "SUCCEEDED")


@pytest.mark.parametrize(
    ("invoked", "error"),
    [
        ("acme-dev-none:live", "Function not found: .*acme-dev-none"),
        (REFUNDS, "You cannot invoke a durable function using an unqualified ARN"),
        (f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:{LEDGER}", "in another region"),
        (f"arn:aws:lambda:{REGION}:222222222222:function:{LEDGER}", "in another account"),
        (LEDGER, "'bill'"),
    ],
)
def test_a_chained_invoke_that_can_not_succeed_fails(target: Target, invoked: str, error: str) -> None:
    function = target.function("refunds")
    arn = function.start(f"invokes-{uuid4()}", json.dumps({"invoke": invoked}).encode())
    ended = function.follow(arn, PATIENCE_SECONDS)
    assert ended.status == "FAILED"
    assert re.search(error, ended.error or "")


def test_who_looks_at_an_execution_that_waits_is_told_how_to_answer(target: Target, waiting: str) -> None:
    callback_id = the_callback(target, waiting, "approval")
    command = f"  python -m infra.pipeline callback succeed {callback_id} --environment dev --result null"
    assert command in told(run(executions, target)).splitlines()
    with pytest.raises(CommandError) as refusal:
        run(drain, target, "--running", "wait", "--deadline", "0.1")
    assert command in str(refusal.value).splitlines()
    with pytest.raises(CommandError, match=r"It waits for callback approval$"):
        target.function("billing").follow(waiting, 0)
    (span,) = [each for each in timeline.spans(target.function("billing").history(waiting)) if each.detail]
    assert (span.name, span.outcome, span.detail) == ("approval", "waiting", callback_id)


def test_callbacks_are_answered_once_and_an_execution_goes_on_with_the_answer(target: Target, waiting: str) -> None:
    approval = the_callback(target, waiting, "approval")
    run(callback, target, "heartbeat", approval)
    run(callback, target, "succeed", approval, "--result", '{"approved": true}')
    with pytest.raises(CommandError, match="was answered already, or has timed out"):
        run(callback, target, "succeed", approval)
    run(callback, target, "fail", the_callback(target, waiting, "receipt"), "--error", "nobody signs")
    ended = target.function("billing").follow(waiting, PATIENCE_SECONDS)
    assert ended.status == "FAILED"
    assert (ended.error or "").endswith("nobody signs")


@pytest.mark.parametrize(("account", "region"), [("222222222222", REGION), (ACCOUNT, "eu-central-1")])
def test_a_callback_is_known_in_its_own_account_and_region_alone(
    local_aws: LocalAws, target: Target, waiting: str, account: str, region: str
) -> None:
    stranger = Target(target.environment, given_session=local_aws.session(account, region))
    with pytest.raises(CommandError, match=f"no execution in {region} waits for this callback"):
        run(callback, stranger, "succeed", the_callback(target, waiting, "approval"))


def test_what_is_no_id_of_a_callback_is_refused(target: Target) -> None:
    with pytest.raises(CommandError, match=r"no execution in .* waits for this callback"):
        run(callback, target, "succeed", "rubbish")


def test_the_page_on_operations_shows_code_of_this_function() -> None:
    code = "\n".join((FUNCTION / name).read_text() for name in ("handler.py", "contract.toml", "recording.py"))
    page = (ROOT / "docs" / "operations.md").read_text()
    shown = [line.strip() for line in page.splitlines() if re.match(r" {4}(?!python -m)", line)]
    assert [line for line in shown if line not in map(str.strip, code.splitlines())] == []
