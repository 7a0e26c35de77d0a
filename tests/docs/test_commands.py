"""Every command of the pages is run by something, and what needs no account is run here, in a copy of the checkout."""

import re
import shlex
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from infra import ROOT
from tests.docs.checkout import Checkout
from tests.docs.commands import BY_MODULE, ELSEWHERE, RUN, listed, runs_it
from tests.docs.pages import Command, commands

COMMANDS = commands()
HERE = "tests/docs/commands.py"


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_something_runs_each_command(command: Command) -> None:
    assert runs_it(command.text), f"{command}\nNothing runs this command: {HERE} must say what does, or why nothing can"


def test_what_is_listed_stands_on_a_page() -> None:
    shown = {command.text for command in COMMANDS}
    unused = sorted(listed() - shown)
    assert not unused, f"{unused}: no page shows these, so {HERE} or tests/docs/operating.py need not list them"


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_run_elsewhere_is_named_there(command: str) -> None:
    text = (ROOT / ELSEWHERE[command]).read_text()
    target, *variables = command.removeprefix("make ").split()
    words = [target, *(variable.partition("=")[2] for variable in variables if not variable.startswith("PYTHON="))]
    missing = [word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text)]
    assert not missing, f"{ELSEWHERE[command]} does not say {missing}, so it does not run `{command}`"


@pytest.mark.parametrize("command", BY_MODULE)
def test_the_module_that_make_runs_is_tested_there(command: str) -> None:
    target = command.split()[1]
    (module,) = re.findall(rf"(?m)^{target}:.*\n\t@.* -m (infra[\w.]+)", (ROOT / "Makefile").read_text())
    package, _, name = module.rpartition(".")
    text = (ROOT / BY_MODULE[command]).read_text()
    imported = re.search(rf"{re.escape(module)}\b|(?m:^from {re.escape(package)} import .*\b{name}\b)", text)
    assert imported, f"{BY_MODULE[command]} does not have {module}, so it does not test `{command}`"


@pytest.mark.parametrize("command", RUN)
def test_what_needs_no_account_runs(command: str, tmp_path: Path) -> None:
    done = Checkout(tmp_path / "checkout").run(command)
    shown = ", ".join(f"{each.page}:{each.line}" for each in COMMANDS if each.text == command)
    assert done.code == 0, f"{shown}: `{command}` failed; mend the page, or what it says:\n{done.output}"


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.text.startswith("aws ")], ids=str)
def test_the_aws_cli_would_understand(command: Command) -> None:
    # It takes its words from the models that botocore has as well (AWS CLI user guide, command structure).
    _, service, operation, *options = shlex.split(command.text)
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations, f"{command}: AWS has no such operation"
    shape = model.operation_model(operations[operation]).input_shape
    members = {f"--{xform_name(name, '-')}" for name in shape.members} if shape else set[str]()
    flags = {f"--no-{name.removeprefix('--')}" for name in members}
    wrong = [option for option in options if option.startswith("--") and option not in members | flags]
    assert not wrong, f"{command}: {operation} has no {wrong}"
