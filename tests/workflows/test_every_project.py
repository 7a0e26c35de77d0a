"""Workflows follow project.toml: none names anything of a project, and no environment can be forgotten in silence."""

import re
from pathlib import Path

import pytest
from annotated_types import MaxLen

from infra import ROOT, naming
from infra.environment import load_all
from infra.project import LOCAL, Project
from tests.infra.fakes.environments import PROJECT
from tests.workflows.accesses import accesses, digest, outputs_of_needed
from tests.workflows.reading import ACTION_FILES, GITHUB, WORKFLOW_FILES, WORKFLOWS, called, evaluate, needs

(MOST_STAGES,) = [each.max_length for each in Project.model_fields["promote"].metadata if isinstance(each, MaxLen)]
# Environments that no workflow can have thought of, as many as there may be, and then that of previews.
NAMES = [f"somewhere{number}" for number in range(MOST_STAGES + 1)]
LONGEST = PROJECT.model_copy(update={"promote": NAMES[:-1], "previews": NAMES[-1]})

JOBS_OF_DEPLOY = WORKFLOWS["deploy.yml"]["jobs"]
STAGES = [name for name, job in JOBS_OF_DEPLOY.items() if called(job) == "stage.yml"]
FILES = [*WORKFLOW_FILES, *ACTION_FILES, GITHUB / "dependabot.yml", ROOT / "Makefile"]
# What takes a name of a project.
TAKES_NAME = re.compile(r'--(?:environment|function|confirm|versions|pull-request)[ =](?!"?\$)\S*')


def _names() -> set[str]:
    """Return what this checkout's names spell and no word of a workflow does, however a team has chosen them."""
    environments = [each for name, each in load_all().items() if name != LOCAL]
    found = {environments[0].project.repository.full_name, f"{environments[0].project.name}-pr"}
    for each in environments:
        found |= {each.account, each.region, *each.network.zones}
        found |= {naming.whole(each), naming.platform_stack(each), naming.access_stack(each), naming.qualifier(each)}
        found |= {f"{each.name}-{purpose}" for purpose in ("read", "drift", "prune", "teardown")}
        found |= {f"functions/{function}" for function in each.function_names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_names_of_this_project_stand_nowhere_in(path: Path) -> None:
    words = "|".join(map(re.escape, sorted(_names(), key=len, reverse=True)))
    found = re.findall(rf"(?<![\w-])(?:{words})(?!\w)", path.read_text())
    assert not found, (
        f"{path.relative_to(ROOT)} holds {found}, which project.toml, environments/ and functions/ alone may say: let "
        "the file take it from an output of `project`, `target` or `build-all`, or from all that a folder holds"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_name_comes_from_a_variable_in(path: Path) -> None:
    found = TAKES_NAME.findall(path.read_text())
    assert not found, f"{path.relative_to(ROOT)} has {found}: give the option a variable's value, and no name"


def test_there_are_no_variables_of_github() -> None:
    found = [path.name for path in WORKFLOW_FILES if re.search(r"\bvars\b", path.read_text())]
    assert not found, f"{found} use `vars`: what they hold belongs into environments/, where `target` reads it"


@pytest.mark.parametrize(
    ("workflow", "job", "expected"),
    [
        *(("deploy.yml", stage, [name]) for stage, name in zip(STAGES, LONGEST.promote, strict=False)),
        ("pull-request.yml", "diff", LONGEST.environments),
        ("pull-request.yml", "preview", [LONGEST.previews]),
        ("pull-request.yml", "remove", [LONGEST.previews]),
        ("reconcile.yml", "drift", LONGEST.environments),
        ("reconcile.yml", "prune", LONGEST.environments),
        ("reconcile.yml", "sweep", [LONGEST.previews]),
        ("rest.yml", "prune", [LONGEST.previews]),
        ("teardown.yml", "remove", LONGEST.environments),
    ],
)
def test_a_job_comes_to_the_environments_of_project_toml(workflow: str, job: str, expected: list[str]) -> None:
    found = [access.environment for access in accesses(workflow, LONGEST) if access.job == job]
    assert list(dict.fromkeys(found)) == expected, (
        f"{workflow}, {job}: comes to {found} where project.toml would say {expected}; let its `environment` or its "
        "matrix be an output of `project` or `build-all`"
    )


def test_deploy_has_as_many_stages_as_project_toml_may_name() -> None:
    assert len(STAGES) == MOST_STAGES, (
        f"infra/project.py lets promote name {MOST_STAGES} environments, and deploy.yml has {len(STAGES)} stages: add "
        "one like those before it, or change max_length of promote"
    )


def test_each_stage_waits_for_the_one_before_and_is_skipped_where_that_failed() -> None:
    for stage, before in zip(STAGES, [None, *STAGES], strict=False):
        job = JOBS_OF_DEPLOY[stage]
        assert needs(job) == ["build", *filter(None, [before])], f"deploy.yml, {stage}: must need the stage before it"
        # One that asks for a status itself could go on after a failure.
        assert not re.search(r"\b(always|success|failure|cancelled)\(", job.get("if", "")), stage
    assert "if" not in JOBS_OF_DEPLOY[STAGES[0]], "there is always a first environment"


@pytest.mark.parametrize("count", range(1, MOST_STAGES + 1))
def test_stages_deploy_what_was_built_for_their_own_environments_in_the_order_of_project_toml(count: int) -> None:
    project = PROJECT.model_copy(update={"promote": NAMES[:count], "previews": NAMES[-1]})
    jobs = [JOBS_OF_DEPLOY[stage] for stage in STAGES]
    known = {"needs": outputs_of_needed("deploy.yml", jobs[0], project)}
    runs = evaluate([job.get("if", "true") for job in jobs], known)
    assert runs == [number < count for number in range(MOST_STAGES)]
    for key, expected in (("environment", NAMES[:count]), ("digest", [*map(digest, NAMES[:count])])):
        assert evaluate([job["with"][key] for job in jobs[:count]], known) == expected, (
            f"deploy.yml: the stage at place N takes its {key} from place N of `stages`"
        )
    assert {job["with"]["commit"] for job in jobs} == {"${{ needs.build.outputs.commit }}"}


def test_a_stage_shows_what_it_changes_before_it_is_approved_and_changes_only_that() -> None:
    diff, deploy = WORKFLOWS["stage.yml"]["jobs"].values()
    assert (called(diff), called(deploy)) == ("diff.yml", "environment.yml")
    assert needs(deploy) == ["diff"]
    assert not any("if" in job for job in (diff, deploy))
    passed = {key: f"${{{{ inputs.{key} }}}}" for key in ("environment", "commit", "digest")}
    assert deploy["with"] == passed
    assert diff["with"].items() <= passed.items()
