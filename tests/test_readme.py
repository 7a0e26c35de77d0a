"""The README's commands exist, and what it says of the local AWS is what the local AWS says of itself."""

import re
import shlex
from pathlib import Path

import pytest

import infra.local
from infra.pipeline.__main__ import parser

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
# In a code block of a workflow's or a person's, and within a sentence.
COMMANDS = re.findall(r"(?:^    |`)((?:make|python -m infra\.\w+) [^`\n]*?)(?:`|   +.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_each_make_target_exists_and_knows_its_variables(command: str) -> None:
    target, *variables = shlex.split(command)[1:]
    assert re.search(rf"^{re.escape(target)}:.*## ", MAKEFILE, re.MULTILINE)
    for variable in variables:
        assert f"$({variable.partition('=')[0]})" in MAKEFILE


def test_each_command_of_the_pipeline_is_understood() -> None:
    for command in COMMANDS:
        arguments = shlex.split(command)[3:]
        if command.startswith("python -m infra.pipeline") and arguments != ["--help"]:
            parser().parse_args(arguments)


def test_the_readme_has_commands_to_check() -> None:
    assert {"make run", "make test"} <= set(COMMANDS)


def test_what_the_local_aws_can_not_show_is_told_in_its_own_words() -> None:
    _, limits = (infra.local.__doc__ or "").split("What it cannot show:\n")
    assert limits.strip() in README


@pytest.mark.parametrize("path", sorted(set(re.findall(r"^\| `([^`]+)` \|", README, re.MULTILINE))))
def test_each_path_of_the_tree_exists(path: str) -> None:
    assert (ROOT / path).exists()
