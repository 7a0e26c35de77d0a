"""What commands fill in is what they print; of what takes a deployment, tests/deployments/test_docs.py says so."""

import pytest

from infra.policies.places import Templates
from infra.policies.purposes import PURPOSES, Purpose
from infra.policies.roles import ON_PROVIDER, permissions
from tests.docs import generated
from tests.docs.commands import OPERATING, SENT
from tests.docs.names import is_sample
from tests.docs.pages import Block, blocks
from tests.infra.fakes.environments import DEV, PREVIEW, PROD

PRINTED_HERE = [block for block in blocks() if generated.base(block.command)[0] not in (*OPERATING, *SENT)]
OURS = [block for block in PRINTED_HERE if generated.is_fixed(block.command) or is_sample()]


@pytest.mark.parametrize("block", OURS, ids=lambda block: f"{block.page}: {block.command}")
def test_a_block_says_what_its_command_prints(block: Block) -> None:
    output = generated.printed(block.command)
    assert generated.is_current(block, output), (
        f"{block.page}:{block.start + 1} is not what `{block.command}` prints any more; `make docs PAGE={block.page}` "
        f"writes it anew:\n{output}"
    )


@pytest.mark.parametrize("purpose", [purpose for purpose in PURPOSES if purpose != "drift"])
def test_the_table_of_a_role_holds_for_every_environment(purpose: Purpose) -> None:
    # It is printed of one of them; what drift reads follows from what each has.
    dev, preview, prod = (
        {action for statement in permissions(purpose, each, Templates()) for action in statement["Action"]}
        for each in (DEV, PREVIEW, PROD)
    )
    # The page says it of previews: whoever deploys them leaves their platform alone.
    of_platform = {ON_PROVIDER} if purpose == "deploy" else set[str]()
    assert dev == prod
    assert preview == dev - of_platform


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Deploying acme: 1.6 s", "Deploying acme: 12.0 s"),
        ("order-1 on version 1: RUNNING, started 4 s ago", "order-7 on version 2: RUNNING, started 1 min ago"),
        ("invoke-7bcf4a010fbb43e8 on version 1", "invoke-1234567890abcdef on version 1"),
        ("0.00 s  step one  █  0.00 s  succeeded\nend", "end"),
    ],
)
def test_outputs_of_two_times_are_the_same(one: str, other: str) -> None:
    assert generated.normalized(one) == generated.normalized(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Deploying acme: 1.6 s", "Deploying another: 1.6 s"),
        ("order-1 on version 1: RUNNING", "order-1 on version 1: STOPPED"),
        ("one\ntwo", "one"),
    ],
)
def test_outputs_that_say_something_else_are_not_the_same(one: str, other: str) -> None:
    assert generated.normalized(one) != generated.normalized(other)
