"""What is synthesized where, and what is told of it: one target's stacks, or those of all that a run deploys."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from infra import ROOT, naming
from infra import project as projects
from infra.aws.assembly import Assembly
from infra.aws.target import Target
from infra.console.report import Report
from infra.environment import load
from infra.pipeline import build, build_all
from infra.project import Project
from tests.infra.fakes import assemblies
from tests.infra.fakes.commands import facts, run, told
from tests.infra.fakes.environments import DEV_OF_TWO, PREVIEW

COMMIT = "c" * 40


@pytest.fixture
def synthesized(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Stand in for the CDK CLI, and remember the contexts that it was given."""
    contexts: list[dict[str, str]] = []

    def cdk(arguments: Sequence[str], **_: Any) -> str:
        given = [value for option, value in pairwise(arguments) if option == "--context"]
        contexts.append(dict(each.split("=") for each in given))
        folder = Path(arguments[arguments.index("--output") + 1])
        folder.mkdir(parents=True, exist_ok=True)
        outputs = {"Commit": {"Value": contexts[-1].get("commit", "some")}}
        name = json.dumps(contexts[-1])
        artifacts = {name: {"type": "aws:cloudformation:stack"}}
        (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}))
        (folder / f"{name}.template.json").write_text(json.dumps({"Outputs": outputs}))
        return ""

    monkeypatch.setattr(build, "cdk", cdk)
    return contexts


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """The checkout's project in a folder of its own, in which it builds."""
    for name in ("project.toml", "environments", "functions"):
        (tmp_path / name).symlink_to(ROOT / name)
    return projects.load(tmp_path)


def built(project: Project, *options: str) -> Report:
    parser = ArgumentParser()
    build_all.add_arguments(parser)
    parser.set_defaults(verbose=False)
    return build_all.run(project, parser.parse_args(options))


def test_a_build_is_of_one_target_and_told_with_its_digest(synthesized: list[dict[str, str]], tmp_path: Path) -> None:
    report = run(build, Target(PREVIEW, 7), "--output", str(tmp_path), "--commit", COMMIT)
    assert synthesized == [{"environment": "preview", "pull_request": "7", "commit": COMMIT}]
    assembly = Assembly(tmp_path)
    assert report.facts == {
        "assembly": str(tmp_path),
        "stacks": assembly.stack_names,
        "digest": assembly.digest(),
    }
    assert f"SHA-256 {assembly.digest()}" in told(report)


def test_that_changes_are_in_no_commit_is_told(synthesized: list[dict[str, str]], project: Project) -> None:
    options = ("--pull-request", "7", "--commit", f"some{naming.UNCOMMITTED}")
    said = "is built from changes that are in no commit"
    assert said in told(run(build, Target(PREVIEW, 7), "--output", str(project.root / "one"), *options[2:]))
    lines = [line for line in told(built(project, *options)).splitlines() if said in line]
    assert [line.partition(" ")[0] for line in lines] == [f"{project.root}/build/assembly/{project.previews}-pr-7"]
    assert said not in told(run(build, Target(PREVIEW, 7), "--output", str(project.root / "two"), "--commit", COMMIT))
    assert len(synthesized) == len(project.environments) + 2


def test_what_is_not_given_is_left_to_the_app(synthesized: list[dict[str, str]], tmp_path: Path) -> None:
    run(build, Target(DEV_OF_TWO), "--output", str(tmp_path))
    assert synthesized == [{"environment": "dev"}]


def test_a_run_builds_every_environment_that_main_goes_to(synthesized: list[dict[str, str]], project: Project) -> None:
    report = built(project)
    assert synthesized == [{"environment": name} for name in project.promote]
    digests = {name: Assembly(project.root / "build/assembly" / name).digest() for name in project.promote}
    assert report.facts == {"promote": project.promote, "previews": project.previews, "digests": digests}
    stages = [{"environment": name, "digest": digests[name]} for name in project.promote]
    assert {key: json.loads(report.outputs[key]) for key in ("promote", "compared", "stages")} == {
        "promote": project.promote,
        "compared": project.promote,
        "stages": stages,
    }
    assert report.outputs["preview_digest"] == ""


def test_that_of_a_pull_request_builds_its_preview_as_well_with_the_commit_that_its_author_knows(
    synthesized: list[dict[str, str]], project: Project
) -> None:
    report = built(project, "--pull-request", "7", "--commit", COMMIT)
    preview = {"environment": project.previews, "pull_request": "7", "commit": COMMIT}
    assert synthesized == [*({"environment": name} for name in project.promote), preview]
    assert list(facts(report)["digests"]) == project.environments
    assert len(set(facts(report)["digests"].values())) == len(project.environments)
    assert json.loads(report.outputs["compared"]) == project.environments
    folder = project.root / "build" / "assembly" / f"{project.previews}-pr-7"
    assert facts(report)["digests"][project.previews] == report.outputs["preview_digest"] == Assembly(folder).digest()


def test_what_a_run_builds_is_where_a_deployment_looks_for_it(project: Project) -> None:
    on = Target(load(project.promote[0], project.root))
    folder = project.root / "build" / "assembly"
    folder.mkdir(parents=True)
    assemblies.write(folder, on).rename(folder / project.promote[0])
    assert Assembly.of(on, None).stack_names == on.stack_names
