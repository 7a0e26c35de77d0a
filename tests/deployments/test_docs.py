"""The pages' commands on accounts, in the order in which a person needs them, and what they print."""

from pathlib import Path

import pytest

from infra.local.aws import LocalAws
from tests.docs import generated
from tests.docs.checkout import Checkout, Done
from tests.docs.commands import SENT
from tests.docs.names import is_sample
from tests.docs.operating import Place, Step, play, write_event
from tests.docs.pages import blocks, commands


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout(tmp_path_factory.mktemp("docs") / "checkout")


def test_commands_on_accounts_end_and_print_as_the_pages_tell(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with LocalAws.start(tmp_path_factory.mktemp("docs-aws")) as aws:
        for step, done in play(Place(aws, checkout)):
            check(step, done)


@pytest.mark.parametrize("command", SENT)
def test_what_sends_events_through_a_local_aws_of_its_own_does(command: str, tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    write_event(checkout)
    check(Step(command), checkout.run(command))


def check(step: Step, done: Done) -> None:
    """Hold a command to what its pages say."""
    shown = ", ".join(f"{each.page}:{each.line}" for each in commands() if each.text == step.command)
    assert done.code == step.code, f"{shown}: `{step.command}` ended with {done.code}, not {step.code}:\n{done.output}"
    # In a fork other names, and maybe more functions, are told of.
    for block in blocks() if is_sample() else []:
        if generated.base(block.command)[0] == step.command:
            output = generated.shown(block.command, done.output)
            assert generated.is_current(block, output), (
                f"{block.page}:{block.start + 1} is not what `{step.command}` prints any more; "
                f"`make docs PAGE={block.page}` writes it anew:\n{output}"
            )
