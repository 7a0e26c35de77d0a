"""What is changed of functions, which can be any."""

import runpy
import shutil
from pathlib import Path

import pytest

from infra import contract
from tests.infra.fakes.environments import PROJECT
from tests.rehearsal import edits
from tests.rehearsal.stage import UnexpectedError

HANDLER = """def handler(event, context):
    return event + context
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT.root, tmp_path / "tree")
    (tmp_path / "tree" / "functions" / "billing" / "handler.py").write_text(HANDLER)
    return tmp_path / "tree"


def handler(tree: Path) -> Path:
    return tree / "functions" / "billing" / "handler.py"


def test_a_harmless_change_is_another_code_that_does_the_same(tree: Path) -> None:
    edits.harmless("billing", "Say more")(tree)
    assert handler(tree).read_text() == f"{HANDLER}\n# Say more.\n"


def test_a_failing_change_promises_what_no_execution_returns_beside_what_it_does(tree: Path) -> None:
    before = contract.load("billing", tree)
    edits.failing("billing")(tree)
    after = contract.load("billing", tree)
    assert after.result == {**before.result, "rehearsed": "never"}
    assert after.model_copy(update={"result": before.result}) == before
    assert handler(tree).read_text() != HANDLER


def test_a_failing_change_takes_a_contract_that_promises_tables_alone(tree: Path) -> None:
    path = tree / "functions" / "billing" / "contract.toml"
    head = path.read_text().partition("[result]")[0].replace("rising = [", "rising = [] # [")
    path.write_text(f'{head}[result.inner]\nkey = "value"\n')
    edits.failing("billing")(tree)
    assert contract.load("billing", tree).result == {"inner": {"key": "value"}, "rehearsed": "never"}


def test_a_slow_function_does_what_it_did(tree: Path) -> None:
    edits.slow("billing", 0.1)(tree)
    assert runpy.run_path(str(handler(tree)))["handler"](1, 2) == 3


def test_a_text_that_is_not_there_is_told(tree: Path) -> None:
    with pytest.raises(UnexpectedError, match=r"handler\.py holds nothing like it"):
        edits.replace("functions/billing/handler.py", "nothing like it", "")(tree)
