"""What workflows are told of a project."""

import json
from argparse import Namespace

import pytest

from infra import project as projects
from infra.pipeline import project
from infra.pipeline.__main__ import main
from tests.infra.fakes.commands import told
from tests.infra.fakes.environments import PROJECT


def test_the_name_and_the_environments_are_told_the_lists_as_json() -> None:
    report = project.run(PROJECT, Namespace())
    environments = ["dev", "prod", "preview"]
    assert report.facts == {
        "name": "acme",
        "previews": "preview",
        "promote": ["dev", "prod"],
        "environments": environments,
    }
    lists = {key: json.loads(value) for key, value in report.outputs.items()}
    assert lists == {"promote": ["dev", "prod"], "environments": environments}
    assert told(report).splitlines() == [
        "acme, of acme-inc/money",
        "main goes to dev, then to prod; pull requests have previews on preview",
    ]


def test_it_takes_neither_an_environment_nor_credentials(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["project", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["promote"] == projects.load().promote
