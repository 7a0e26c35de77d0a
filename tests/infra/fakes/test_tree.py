"""The tests' own project has files for what reads them, and they say what the environments in Python say."""

import pytest

from infra import project as projects
from infra.environment import Environment, load, load_all
from tests.infra.fakes.environments import DEV_OF_TWO, PREVIEW_OF_TWO, PROD, PROJECT, TWO, environment


def test_the_project_is_the_one_of_the_files() -> None:
    assert projects.load(PROJECT.root) == PROJECT


@pytest.mark.parametrize(
    "expected",
    [
        DEV_OF_TWO,
        PREVIEW_OF_TWO,
        PROD.model_copy(update={"function_names": TWO}),
        environment("local", TWO, account="000000000000"),
    ],
    ids=lambda each: each.name,
)
def test_an_environment_is_the_one_of_its_file(expected: Environment) -> None:
    assert load(expected.name, PROJECT.root) == expected


def test_there_are_files_for_these_alone() -> None:
    assert list(load_all(PROJECT.root)) == ["dev", "prod", "preview", "local"]
