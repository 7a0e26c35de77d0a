"""What the pipeline needs of each function of this checkout, whatever it does."""

import pytest

from infra import contract, functions
from infra.replay import __main__ as replay

EVERY = functions.names()


@pytest.mark.parametrize("function", EVERY)
def test_its_contract_can_be_read(function: str) -> None:
    assert contract.load(function).operations, f"functions/{function}/contract.toml: operations: must name some"


@pytest.mark.parametrize("function", EVERY)
def test_its_recorded_histories_replay(function: str, capsys: pytest.CaptureFixture[str]) -> None:
    if replay.main(["check", "--function", function]) != 0:
        pytest.fail(
            f"{capsys.readouterr().err}\n"
            f"Where functions/{function}/handler.py is meant to differ, `make record FUNCTION={function}` records "
            f"tests/functions/{function}/recorded anew",
            pytrace=False,
        )
