"""One job with act: what is told of it, and that nothing of it stays behind."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.github.state import Table
from tests.rehearsal.act import Job, Runner, Task
from tests.rehearsal.repository import Repository
from tests.rehearsal.workflows import RUNNER, Outcome, isolate

WORKFLOW: Table = {
    "name": "Try",
    "on": {"push": None},
    "jobs": {
        "before": {"runs-on": RUNNER, "steps": [{"run": "true"}]},
        "job": {
            "runs-on": RUNNER,
            "needs": ["before"],
            "if": "always()",
            "steps": [
                {"id": "one", "run": 'echo "told=$GIVEN" >> "$GITHUB_OUTPUT"'},
                {"id": "two", "run": "echo ${{ needs.before.result }} ${{ needs.before.outputs.it }}"},
                {"id": "three", "run": "echo it is ${{ github.token }}; exit 1"},
            ],
        },
    },
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    repository = Repository(folder)
    repository.export(repository.main(), folder / "tree")
    return folder / "tree"


def task(tree: Path, folder: Path, workflow: Table) -> Task:
    (folder / "event.json").write_text("{}")
    (folder / "try.yml").write_text(yaml.safe_dump(workflow))
    return Task(
        tree=tree,
        file=folder / "try.yml",
        key="job",
        event="push",
        payload=folder / "event.json",
        actor="somebody",
        matrix={},
        token="hush-hush",
        environ={"GIVEN": "given"},
        actions=[],
    )


def run(tree: Path, folder: Path, before: Outcome) -> Job:
    return Runner(folder).run(task(tree, folder, isolate(WORKFLOW, "job", {"before": before})), "job", folder)


def test_a_job_has_what_it_is_given_and_what_it_needs_and_its_failure_is_told(tree: Path, tmp_path: Path) -> None:
    job = run(tree, tmp_path, Outcome("failure", {"it": "unknown"}))
    assert job.result == "failure"
    assert {name: step.result for name, step in job.steps.items()} == {
        "one": "success",
        "two": "success",
        "three": "failure",
    }
    assert job.steps["one"].outputs == {"told": "given"}
    assert job.steps["two"].lines == ["failure unknown\n"]


def test_a_job_s_token_is_masked_in_what_it_prints(tree: Path, tmp_path: Path) -> None:
    assert "hush-hush" not in run(tree, tmp_path, Outcome("success")).log


def test_a_job_whose_condition_does_not_hold_is_skipped(tree: Path, tmp_path: Path) -> None:
    job: Table = WORKFLOW["jobs"]["job"] | {"if": "success()"}
    workflow = WORKFLOW | {"jobs": WORKFLOW["jobs"] | {"job": job}}
    isolated = isolate(workflow, "job", {"before": Outcome("skipped")})
    assert Runner(tmp_path).run(task(tree, tmp_path, isolated), "job", tmp_path).result == "skipped"


def test_a_job_that_is_called_has_what_the_call_gives_it(tree: Path, tmp_path: Path) -> None:
    called: Table = {
        "on": {"workflow_call": {"inputs": {"place": {"type": "string"}, "count": {"type": "number", "default": 3}}}},
        "jobs": {"job": {"runs-on": RUNNER, "steps": [{"run": "echo ${{ inputs.place }} ${{ inputs.count == 6 }}"}]}},
    }
    (copy := tmp_path / "tree").symlink_to(tree)
    (tree / ".github" / "workflows" / "called.yml").write_text(yaml.safe_dump(called))
    job = {"uses": "./.github/workflows/called.yml", "with": {"place": "here", "count": 6}}
    found = Runner(tmp_path).run(task(copy, tmp_path, {"on": "push", "jobs": {"job": job}}), "call", tmp_path)
    assert (found.result, found.log) == ("success", "here true\n")


def test_a_job_that_is_stopped_leaves_no_process_behind(tree: Path, tmp_path: Path) -> None:
    os.mkfifo(pipe := tmp_path / "pipe")
    started = tmp_path / "started"
    job: Table = {"runs-on": RUNNER, "steps": [{"run": f"exec 3> {pipe}; touch {started}; exec sleep 600"}]}
    asked = task(tree, tmp_path, {"on": "push", "jobs": {"job": job}})
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    runner = Runner(tmp_path)
    with ThreadPoolExecutor() as pool:
        under_way = pool.submit(runner.run, asked, "job", tmp_path)
        while not started.exists():
            assert not under_way.done()
            time.sleep(0.05)
        runner.stop()
        assert under_way.result().result != "success"
    # The end of the file, since nobody holds the other end any more; where somebody does, this raises.
    assert os.read(reader, 100) == b""
    os.close(reader)
