"""What GitHub does with whole runs: again, cancelled, and several at once; each of a workflow as small as can be."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from tests.github.state import Table
from tests.rehearsal.hosted import GitHub
from tests.rehearsal.run import Runs
from tests.rehearsal.stage import until
from tests.rehearsal.workflows import RUNNER

WORKFLOW = "try.yml"


def job(*commands: str, **more: object) -> Table:
    steps = [{"id": name, "run": command} for name, command in zip(("one", "two"), commands, strict=False)]
    made: Table = {"runs-on": RUNNER, "permissions": {}, "steps": steps}
    return made | more


def tells(line: str) -> Table:
    """Return a job that has an output."""
    return job(f"echo '{line}' >> \"$GITHUB_OUTPUT\"", outputs={"names": "${{ steps.one.outputs.names }}"})


def call(file: str, **more: object) -> Table:
    made: Table = {"uses": f"./.github/workflows/{file}", "permissions": {}}
    return made | more


def called(jobs: Table, **inputs: str) -> Table:
    return {"on": {"workflow_call": {"inputs": {name: {"type": kind} for name, kind in inputs.items()}}}, "jobs": jobs}


def github(folder: Path, files: Mapping[str, Table] | None = None, **jobs: Table) -> GitHub:
    """Return a GitHub with one workflow, which starts with each push, and the files that this calls."""

    def change(tree: Path) -> None:
        for path in (tree / ".github" / "workflows").iterdir():
            path.unlink()
        for name, content in {WORKFLOW: {"on": "push", "jobs": jobs}, **(files or {})}.items():
            (tree / ".github" / "workflows" / name).write_text(yaml.safe_dump(content))

    return GitHub(folder, {}, change)


def test_what_failed_runs_again_with_what_needs_it_or_all_of_it_does(tmp_path: Path) -> None:
    made = github(
        tmp_path,
        build=job("true"),
        one=job('[ "$GITHUB_RUN_ATTEMPT" = 2 ]', needs="build"),
        two=job('echo "run $GITHUB_RUN_ID"', needs=["build", "one"]),
    )
    run = made.push_main()[WORKFLOW]
    assert run.results == {"build": "success", "one": "failure", "two": "skipped"}
    again = made.run_again(run, failed_only=True)
    assert again.results == {"build": "success", "one": "success", "two": "success"}
    assert again.jobs["build"] is run.jobs["build"]
    assert f"run {run.id}" in again.jobs["two"].log
    last = made.run_again(again)
    assert last.results == run.results
    assert last.jobs["build"] is not run.jobs["build"]


def test_what_failed_runs_again_in_the_files_that_are_called(tmp_path: Path) -> None:
    tries = called({"try": job('[ "$GITHUB_RUN_ATTEMPT" = "${{ inputs.attempt }}" ]')}, attempt="string")
    looks = called({"look": job("true")})
    both = called(
        {
            "look": call("look.yml"),
            "try": call("try-it.yml", needs="look", **{"with": {"attempt": "${{ inputs.attempt }}"}}),
        },
        attempt="string",
    )
    second = "${{ fromJSON(needs.build.outputs.names)[1] }}"
    made = github(
        tmp_path,
        {"both.yml": both, "look.yml": looks, "try-it.yml": tries},
        build=tells('names=["1", "2"]'),
        first=call("both.yml", needs="build", **{"with": {"attempt": "2"}}),
        second=call("both.yml", needs=["build", "first"], **{"with": {"attempt": second}}),
        third=call("both.yml", needs=["build", "second"], **{"if": "fromJSON(needs.build.outputs.names)[2] != null"}),
    )
    run = made.push_main()[WORKFLOW]
    expected = {"build": "success", "first look": "success", "first try": "failure"}
    assert run.results == expected | {"second": "skipped", "third": "skipped"}
    again = made.run_again(run, failed_only=True)
    expected |= {"first try": "success", "second look": "success", "second try": "success"}
    assert again.results == expected | {"third": "skipped"}
    assert again.jobs["first look"] is run.jobs["first look"]


def test_a_matrix_can_come_from_another_job(tmp_path: Path) -> None:
    strategy = {"matrix": {"name": "${{ fromJSON(needs.build.outputs.names) }}"}}
    echoes = called({"echo": job("echo it is ${{ inputs.name }}")}, name="string")
    made = github(
        tmp_path,
        {"echo.yml": echoes},
        build=tells('names=["a", "b"]'),
        steps=job("echo it is ${{ matrix.name }}", needs="build", strategy=strategy),
        calls=call("echo.yml", needs="build", strategy=strategy, **{"with": {"name": "${{ matrix.name }}"}}),
    )
    jobs = made.push_main()[WORKFLOW].jobs
    found = {name: each.log.strip() for name, each in jobs.items() if name != "build"}
    assert found == {f"{key} {name}": f"it is {name}" for key in ("steps", "calls") for name in ("a", "b")}


def test_a_cancelled_run_interrupts_its_step_and_goes_on_with_what_always_runs(tmp_path: Path) -> None:
    started = tmp_path / "started"
    waits = f"import signal; open({str(started)!r}, 'w').close(); signal.pause()"
    always: Table = {"if": "always()", "run": "echo it was ${{ steps.one.outcome != 'success' && 'not' || '' }} done"}
    steps: list[Table] = [{"id": "one", "run": f'exec python -c "{waits}"'}, {"run": "echo never"}, always]
    made = github(
        tmp_path,
        long=job(steps=steps),
        next=job("true", needs="long"),
        last=job("true", needs=["long", "next"], **{"if": "always()"}),
        polite=job("true", needs="long", **{"if": "!cancelled()"}),
    )

    def cancel(runs: Runs) -> None:
        until(runs[WORKFLOW], started.exists, "its step began")
        made.cancel(runs[WORKFLOW])

    run = made.push_main(meanwhile=cancel)[WORKFLOW]
    assert run.results == {"long": "cancelled", "next": "skipped", "last": "success", "polite": "skipped"}
    log = run.jobs["long"].log
    assert "KeyboardInterrupt" in log
    assert "it was not done" in log
    assert "never" not in log


def test_of_jobs_in_one_group_one_runs_one_waits_and_the_others_are_cancelled(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    matrix: Table = {"matrix": {"name": ["a", "b", "c"]}}
    made = github(tmp_path, one=job(f"mkdir {lock} && rmdir {lock}", strategy=matrix, concurrency={"group": "it"}))
    run = made.push_main()[WORKFLOW]
    assert sorted(run.results.values()) == ["cancelled", "success", "success"]
