"""The commands of README and runbook exist, and what is said of the local AWS is what it says of itself."""

import re
import shlex

import pytest

import infra.local
from infra import ROOT
from infra.environment import Environment
from infra.pipeline.__main__ import parser
from infra.policies.purposes import PURPOSES, Purpose, github_environment
from infra.policies.roles import permissions
from tests.infra.fakes.environments import DEV, PREVIEW, PROD

README = (ROOT / "README.md").read_text()
RUNBOOK = (ROOT / "RUNBOOK.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
# In a code block of a workflow's or a person's, and within a sentence.
COMMANDS = re.findall(
    r"(?:^    |`)((?:make|python -m infra\.\w+) [^`\n]*?)(?:`|   +.*)?$", README + RUNBOOK, re.MULTILINE
)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_each_make_target_exists_and_knows_its_variables(command: str) -> None:
    target, *variables = shlex.split(command)[1:]
    assert re.search(rf"^{re.escape(target)}:.*## ", MAKEFILE, re.MULTILINE)
    for variable in variables:
        assert re.search(rf"\$\((call given,)?{variable.partition('=')[0]}\)", MAKEFILE)


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


@pytest.mark.parametrize("path", sorted(set(re.findall(r"^\| `([^`]*[./][^`]*)` \|", README, re.MULTILINE))))
def test_each_path_of_the_tree_exists(path: str) -> None:
    assert (ROOT / path).exists()


ROLES = re.findall(r"^\| (\w+) \| `ENVIRONMENT(?:-\w+)?` \| .* \| (.*) \|$", README, re.MULTILINE)


def test_the_readme_tells_of_the_role_of_every_purpose() -> None:
    assert [purpose for purpose, _ in ROLES] == list(PURPOSES)


@pytest.mark.parametrize("environment", [DEV, PREVIEW, PROD], ids=lambda environment: environment.name)
@pytest.mark.parametrize(("purpose", "told"), ROLES, ids=lambda value: value if value.isalpha() else "")
def test_each_role_may_do_what_the_readme_tells_and_no_more(
    environment: Environment, purpose: Purpose, told: str
) -> None:
    allowed = {action for each in permissions(purpose, environment) for action in each["Action"]}
    if purpose == "drift":
        (verbs,) = re.findall("begins with (.*), on its stacks", told)
        prefixes = tuple(re.findall("[A-Z][A-Za-z]+", verbs))
        assert all(action.partition(":")[2].startswith(prefixes) for action in allowed)
    else:
        assert set(re.findall(r"`(\w+:\w+)`", told)) == allowed


def test_every_github_environment_of_a_role_is_in_the_readme() -> None:
    section = README[README.index("Make the GitHub environments") : README.index("For one of them, with `gh`")]
    told = [
        name.replace("ENVIRONMENT", DEV.name)
        for name in re.findall(r"^\| `(ENVIRONMENT.*?)` \|", section, re.MULTILINE)
    ]
    assert told == [github_environment(DEV, purpose) for purpose in PURPOSES]
