"""A function with an operation of every kind, deployed once: what each command makes of its executions."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_durable_execution_sdk_python
import pytest

from infra import naming
from infra.aws.target import Target
from infra.console import timeline
from infra.errors import CommandError
from infra.local.aws import LocalAws
from infra.operations import KINDS
from infra.pipeline import callback, drain, executions, smoke
from tests.infra.fakes.commands import facts, run, told
from tests.infra.fakes.environments import ACCOUNT, PROJECT, REGION, environment
from tests.infra.local.durable_stack import DurableStack, eventually

FUNCTION = Path(__file__).parents[1] / "operations"
BILLING, REFUNDS, LEDGER = "acme-dev-billing", "acme-dev-refunds", "acme-dev-ledger"
SDK = f"import sys\nsys.path.insert(0, {str(Path(aws_durable_execution_sdk_python.__file__).parents[1])!r})\n"
# What the function invokes: another durable function, and one that is not.
REFUND = f"""{SDK}
from aws_durable_execution_sdk_python import durable_execution

@durable_execution
def handler(event, context):
    context.step(lambda _: None, name="refund")
    return event
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
    invoked = {"Environment": {"Variables": {"REFUNDS": REFUNDS, "LEDGER": LEDGER}}}
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
def smoked(target: Target) -> Any:
    return run(smoke, target)


@pytest.fixture
def waiting(target: Target) -> Iterator[str]:
    """The ARN of an execution that waits for a callback."""
    function = target.function("billing")
    arn = function.start(f"waits-{len(list(function.executions()))}", b'{"billId": "bill-1"}')
    eventually(lambda: function.waiting(arn))
    yield arn
    function.stop(arn, "the test is over")


def test_a_smoke_execution_answers_its_callbacks_and_keeps_its_contract(target: Target, smoked: Any) -> None:
    assert facts(smoked)["functions"]["billing"]["problems"] == []
    spans = timeline.spans(target.function("billing").history(facts(smoked)["functions"]["billing"]["execution_arn"]))
    assert {span.kind for span in spans} == {*KINDS, "invocation"}
    print(told(smoked))
    print(smoked.markdown)


def test_a_chained_invoke_is_an_execution_of_the_function_that_is_invoked(target: Target, smoked: Any) -> None:
    (refund, *_) = target.function("refunds").executions()
    assert (refund.version, refund.status) == ("1", "SUCCEEDED")


def test_e(target: Target, waiting: str) -> None:
    print(told(run(executions, target)))
    with pytest.raises(CommandError) as error:
        run(drain, target, "--running", "wait", "--deadline", "1")
    print(error.value)
    with pytest.raises(CommandError) as error:
        target.function("billing").follow(waiting, 0)
    print(error.value)
    (found,) = target.function("billing").waiting(waiting)
    run(callback, target, "succeed", found.id, "--result", json.dumps({"approved": True}))
    with pytest.raises(CommandError) as error:
        run(callback, target, "succeed", found.id, "--result", json.dumps({"approved": True}))
    print(error.value)
    with pytest.raises(CommandError) as error:
        run(callback, target, "succeed", "rubbish")
    print(error.value)
    eventually(lambda: [each for each in target.function("billing").waiting(waiting) if each.name == "receipt"])
    (found,) = target.function("billing").waiting(waiting)
    run(callback, target, "fail", found.id, "--error", "nobody signs")
    print(target.function("billing").follow(waiting, 10))
    from rich.console import Console
    c = Console(width=100); c.print(timeline.picture(target.function("billing").history(waiting)))
