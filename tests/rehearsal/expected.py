"""What scenarios expect of runs, and of what these leave behind."""

from collections.abc import Collection

from tests.github.state import Pull
from tests.rehearsal import edits
from tests.rehearsal.run import Run
from tests.rehearsal.stage import Stage, expect, require

PULL_REQUEST, DEPLOY = "pull-request.yml", "deploy.yml"
RECONCILE, TEARDOWN = "reconcile.yml", "teardown.yml"
STAGES = ("first", "second", "third", "fourth")

CHECKED = {"checks": "success", "build": "success"}
GREEN, RED = {"all-green": "success"}, {"all-green": "failure"}
NOT_REMOVED = dict.fromkeys(("project", "remove"), "skipped")
REMOVED = dict.fromkeys(("project", "remove"), "success")
# Of a teardown whose environment project.toml has.
KNOWN = {"target": "success"}

Versions = dict[str, dict[str, str | None]]
"""The live versions by environment, and then by function."""


def skipped(*jobs: str) -> dict[str, str]:
    """Return the results of jobs that do not run."""
    return dict.fromkeys(jobs, "skipped")


def previewed(stage: Stage) -> dict[str, str]:
    """Return the results of the jobs of a pull request that need credentials."""
    diffs = (f"diff {name}" for name in (*stage.project.promote, stage.previews.name))
    return dict.fromkeys((*diffs, "preview", "comment"), "success")


def reconciled(stage: Stage) -> dict[str, str]:
    """Return the results of the jobs of a night after which nothing is to be told."""
    by_environment = [f"{what} {name}" for what in ("drift", "prune") for name in stage.project.environments]
    return dict.fromkeys(("project", "sweep", *by_environment), "success")


def deployed(stage: Stage, first: str = "success") -> dict[str, str]:
    """Return the results of the jobs of a deployment, by that of the job that deploys to the first environment."""
    return staged(len(stage.project.promote), first)


def staged(count: int, first: str = "success") -> dict[str, str]:
    """Return the same where main is brought to this many environments."""
    played = STAGES[: count if first == "success" else 1]
    found = {f"{name} {job}": "success" for name in played for job in ("diff", "deploy")}
    return {"build": "success", **found, "first deploy": first, **skipped(*STAGES[len(played) :])}


def of_first(stage: Stage) -> dict[str, str]:
    """Return what a person says who wants the first environment removed."""
    confirm = stage.target(stage.first).name
    return {"environment": stage.first, "pull_request": "", "function": "", "confirm": confirm, "dry_run": "false"}


def expect_deployed(stage: Stage, run: Run, before: Versions, *changed: str) -> None:
    """Check a run of the deployment, and that all environments are on what it built.

    Args:
        stage: where.
        run: it.
        before: what was live before it.
        changed: the functions of which it was to make a new version, and of no other.
    """
    expect(run.results, deployed(stage), f"the jobs of {run.title}")
    for name in stage.project.promote:
        live = stage.live(name)
        newest = {each: stage.target(name).function(each).versions()[0] for each in changed}
        expect(live, before.get(name, {}) | newest, f"the live versions of {name}")
        for each in changed:
            require(newest[each] != before.get(name, {}).get(each), f"{name} has another version of {each}")
    expect_same_code(stage)
    built = {job.name for job in run.jobs.values() if "Synthesizing" in job.log}
    expect(built, {"build"}, "the jobs that built something")
    tried = {name for name, job in run.jobs.items() if "smoke" in job.steps and job.steps["smoke"].result == "success"}
    expected = {f"{name} deploy" for name in STAGES[: len(stage.project.promote)]}
    expect(tried, expected, "the jobs that tried it with an event")


def expect_same_code(stage: Stage) -> None:
    """Check that environments have the same code, as far as they run it on the same."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for name in stage.project.promote:
        place = stage.environments[name]
        for function in stage.target(name).deployed_functions():
            runtime = place.settings(function.folder).runtime
            kind = (function.folder, place.capacity_provider.architecture, runtime)
            found.setdefault(kind, set()).add(function.code_sha256(function.live() or ""))
    for (folder, *_), codes in found.items():
        expect(len(codes), 1, f"the number of different codes that environments have of {folder}")


def expect_untouched(stage: Stage, before: Versions, when: str) -> None:
    """Check that all environments are on the versions that they were on."""
    expect(stage.live_everywhere(), before, f"the live versions {when}")


def expect_no_second_chance(stage: Stage, failed: Run, before: Versions) -> None:
    """Check that what failed its smoke execution fails it again: run again, and with the next commit."""
    again = {
        "is run again": lambda: stage.github.run_again(failed, failed_only=True),
        "comes with the next commit": lambda: stage.github.push_main("Tell more", edits.tell_more)[DEPLOY],
    }
    for how, deploy_again in again.items():
        run = deploy_again()
        expected = deployed(stage, "failure")
        expect(run.results, expected, f"the jobs when what failed its smoke execution {how}")
        steps = {step: run.jobs["first deploy"].steps[step].result for step in ("deploy", "smoke")}
        expect(steps, {"deploy": "success", "smoke": "failure"}, f"the steps when it {how}")
        expect_untouched(stage, before, f"once it {how}")


def expect_previewed(
    stage: Stage, pull: Pull, run: Run, before: dict[str, str | None], *changed: str, edits: int = 0
) -> dict[str, str | None]:
    """Check a pull request's run, its preview and its comment, and return what is live in the preview.

    Args:
        stage: where.
        pull: it.
        run: what it led to.
        before: what was live in the preview before.
        changed: the functions of which the preview was to get a new version, and of no other.
        edits: how often the comment was updated.
    """
    expect(run.results, CHECKED | previewed(stage) | NOT_REMOVED | GREEN, f"the jobs of {run.title}")
    live, target = stage.live(stage.previews.name, pull), stage.target(stage.previews.name, pull)
    newest = {each: target.function(each).versions()[0] for each in changed}
    expect(live, before | newest, "the preview's live versions")
    comments = stage.github.state.comments_of(pull.number)
    expect([comment["edits"] for comment in comments], [edits], "how often each comment was updated")
    body = comments[0]["body"]
    versions = [f"version `{version}`" for version in live.values()]
    changes = [f"Changes of `{name}`" for name in stage.project.promote]
    for text in (pull.head[:12], *versions, *(verdict(live, each, "passed") for each in live), *changes):
        require(text in body, f"the comment tells {text}")
    return live


def verdict(functions: Collection[str], function: str, said: str) -> str:
    """Return what a comment says of the smoke execution of one of these functions."""
    of = f" of `{function}`" if len(functions) > 1 else ""
    return f"The smoke execution{of} {said}"
