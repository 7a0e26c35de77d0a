"""What GitHub does with whole runs: again, cancelled, and several at once; each of a workflow as small as can be."""

from pathlib import Path

import yaml

from tests.github.state import Table
from tests.rehearsal.hosted import GitHub
from tests.rehearsal.run import Runs
from tests.rehearsal.stage import until
from tests.rehearsal.workflows import RUNNER

WORKFLOW = "try.yml"


def job(*commands: str, **more: object) -> Table:
    made: Table = {"runs-on": RUNNER, "permissions": {}, "steps": [{"run": command} for command in commands]}
    return made | more


def github(folder: Path, **jobs: Table) -> GitHub:
    """Return a GitHub with one workflow, which starts with each push."""

    def change(tree: Path) -> None:
        for path in (tree / ".github" / "workflows").iterdir():
            path.unlink()
        (tree / ".github" / "workflows" / WORKFLOW).write_text(yaml.safe_dump({"on": "push", "jobs": jobs}))

    return GitHub(folder, {}, change)


def test_what_failed_runs_again_with_what_needs_it_or_all_of_it_does(tmp_path: Path) -> None:
    made = github(
        tmp_path,
        build=job("true"),
        dev=job('[ "$GITHUB_RUN_ATTEMPT" = 2 ]', needs="build"),
        prod=job('echo "run $GITHUB_RUN_ID"', needs=["build", "dev"]),
    )
    run = made.push_main()[WORKFLOW]
    assert run.results == {"build": "success", "dev": "failure", "prod": "skipped"}
    again = made.run_again(run, failed_only=True)
    assert again.results == {"build": "success", "dev": "success", "prod": "success"}
    assert again.jobs["build"] is run.jobs["build"]
    assert f"run {run.id}" in again.jobs["prod"].log
    last = made.run_again(again)
    assert last.results == run.results
    assert last.jobs["build"] is not run.jobs["build"]


def test_a_cancelled_run_interrupts_its_step_and_goes_on_with_what_always_runs(tmp_path: Path) -> None:
    started = tmp_path / "started"
    waits = f"import signal; open({str(started)!r}, 'w').close(); signal.pause()"
    always: Table = {"if": "always()", "run": "echo it was ${{ steps.one.outcome != 'success' && 'not' || '' }} done"}
    steps: list[Table] = [{"id": "one", "run": f'exec python -c "{waits}"'}, {"run": "echo never"}, always]
    made = github(
        tmp_path,
        dev=job(steps=steps),
        prod=job("true", needs="dev"),
        last=job("true", needs=["dev", "prod"], **{"if": "always()"}),
        polite=job("true", needs="dev", **{"if": "!cancelled()"}),
    )

    def cancel(runs: Runs) -> None:
        until(runs[WORKFLOW], started.exists, "its step began")
        made.cancel(runs[WORKFLOW])

    run = made.push_main(meanwhile=cancel)[WORKFLOW]
    assert run.results == {"dev": "cancelled", "prod": "skipped", "last": "success", "polite": "skipped"}
    log = run.jobs["dev"].log
    assert "KeyboardInterrupt" in log
    assert "it was not done" in log
    assert "never" not in log


def test_of_jobs_in_one_group_one_runs_one_waits_and_the_others_are_cancelled(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    matrix: Table = {"matrix": {"name": ["a", "b", "c"]}}
    made = github(tmp_path, dev=job(f"mkdir {lock} && rmdir {lock}", strategy=matrix, concurrency={"group": "dev"}))
    run = made.push_main()[WORKFLOW]
    assert sorted(run.results.values()) == ["cancelled", "success", "success"]
