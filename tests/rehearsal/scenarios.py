"""What is rehearsed: each scenario is one story, played by the real workflows and checked by what they leave behind."""

from collections.abc import Callable
from dataclasses import dataclass

from infra import naming
from infra.console.progress import doing
from tests.rehearsal import edits, hostile, people
from tests.rehearsal.expected import (
    CHECKED,
    DEPLOY,
    GREEN,
    KNOWN,
    NOT_REMOVED,
    PULL_REQUEST,
    RECONCILE,
    RED,
    REMOVED,
    TEARDOWN,
    deployed,
    expect_deployed,
    expect_no_second_chance,
    expect_previewed,
    expect_untouched,
    of_first,
    previewed,
    reconciled,
    skipped,
    verdict,
)
from tests.rehearsal.hostile import Hostile
from tests.rehearsal.run import Runs
from tests.rehearsal.stage import Stage, expect, require, until


def set_up(stage: Stage) -> None:
    """Access and bootstrap of all environments, and the platform of previews: what a person does once."""
    people.set_up(stage, stage.project.environments)
    with doing("The platform of previews"):
        people.deploy(stage, stage.previews.name)
    for name in stage.project.environments:
        found = stage.target(name).stacks.names()
        for stack in (naming.access_stack(stage.environments[name]), naming.toolkit_stack(stage.environments[name])):
            require(stack in found, f"{name} has the stack {stack}")


def first_deployment(stage: Stage) -> None:
    """The first push to main brings one build to one environment after the other."""
    runs = stage.github.push_main()
    expect_deployed(stage, runs[DEPLOY], {}, *stage.functions)


def pull_request(stage: Stage) -> None:
    """A pull request opens: checks, diff, preview, smoke execution, comment. A second push updates all of it."""
    pull, runs = stage.github.open("Say what it does", edits.harmless(stage.edited, "Say what it does"))
    stage.pulls["open"] = pull
    before = dict.fromkeys(stage.functions, None)
    live = expect_previewed(stage, pull, runs[PULL_REQUEST], before, *stage.functions)
    (comment,) = stage.github.state.comments_of(pull.number)
    require("AWS::Lambda::Function" in comment["body"], "the comment tells that the function changes")
    runs = stage.github.push_to(pull, "Say it better", edits.harmless(stage.edited, "Say it better"))
    expect_previewed(stage, pull, runs[PULL_REQUEST], live, stage.edited, edits=1)


def fork(stage: Stage) -> None:
    """A pull request of a fork gets checks and no preview, no token and no comment, and is green."""
    pull, runs = stage.github.open("From outside", edits.harmless(stage.edited, "From outside"), fork=True)
    run = runs[PULL_REQUEST]
    expected = CHECKED | skipped("diff", "preview", "comment") | NOT_REMOVED | GREEN
    expect(run.results, expected, "the jobs of a fork's pull request")
    expect(stage.github.issuer.issued_to(run.id), [], "tokens that were issued to a fork")
    expect(stage.github.state.comments_of(pull.number), [], "comments on a fork's pull request")
    expect(stage.stacks(stage.previews.name, pull), [], "the stacks of a fork's preview")


def merge(stage: Stage) -> None:
    """The pull request is merged: its preview goes, and main goes from one environment to the next by one build."""
    pull, before = stage.pulls["open"], stage.live_everywhere()
    runs = stage.github.merge(pull)
    expected = skipped(*CHECKED, "diff", "preview", "comment") | REMOVED | GREEN
    expect(runs[PULL_REQUEST].results, expected, "the jobs of a merged pull request")
    expect(stage.stacks(stage.previews.name, pull), [], "the stacks of the preview of a merged pull request")
    expect_deployed(stage, runs[DEPLOY], before, stage.edited)


def failed_smoke(stage: Stage) -> None:
    """A pull request whose smoke execution fails is red. Merged all the same, the first environment goes back and no
    other sees it."""
    pull, runs = stage.github.open("Promise too much", edits.failing(stage.edited))
    failed = CHECKED | previewed(stage) | NOT_REMOVED | RED | {"preview": "failure"}
    expect(runs[PULL_REQUEST].results, failed, "the jobs of a pull request whose smoke execution fails")
    (comment,) = stage.github.state.comments_of(pull.number)
    require(verdict(stage.functions, stage.edited, "failed") in comment["body"], "the comment tells that it failed")
    before, function = stage.live_everywhere(), stage.target(stage.first).function(stage.edited)
    with stage.executions(function) as executions:
        runs = stage.github.merge(pull)
    expect(runs[DEPLOY].results, deployed(stage, "failure"), "the jobs of a deployment whose smoke execution fails")
    expect_untouched(stage, before, "after a failed smoke execution")
    expect({each.status for each in executions}, {"SUCCEEDED"}, "how the executions ended that ran meanwhile")
    met = {function.live(), function.versions()[0]}
    expect(
        {each.version for each in executions}, met, "the versions that they met: the one before and the one that failed"
    )
    expect_no_second_chance(stage, runs[DEPLOY], before)


def cancelled_deployment(stage: Stage) -> None:
    """A deployment is cancelled while CloudFormation works: the first environment goes back, and is brought on when it
    is run again."""
    before = stage.live_everywhere()

    def cancel(runs: Runs) -> None:
        until(runs[DEPLOY], lambda: stage.live(stage.first) != before[stage.first], "the first was on another version")
        stage.github.cancel(runs[DEPLOY])

    change = edits.harmless(stage.edited, "Say more")
    run = stage.github.push_main("Say more", change, meanwhile=cancel)[DEPLOY]
    expect(run.results, deployed(stage, "cancelled"), "the jobs of a deployment that is cancelled")
    expect_untouched(stage, before, "after a deployment that was cancelled")
    expect_deployed(stage, stage.github.run_again(run, failed_only=True), before, stage.edited)


def refusals(stage: Stage) -> None:
    """A pull request tries every role: it gets those of previews and diffs, and no other wherever GitHub lets it in."""
    stage.github.without_branch_rules.add(stage.first)
    hostile_one = Hostile(stage.project, stage.environments)
    _, runs = stage.github.open("Take what there is", hostile_one.change)
    found = {name: hostile.assumed(job) for name, job in runs[hostile.FILE].jobs.items()}
    expect(found, hostile_one.may_assume, "the roles that a pull request could assume, by GitHub environment")
    stage.github.without_branch_rules.clear()


def night(stage: Stage) -> None:
    """The night tells what somebody changed by hand, until it is put back, and removes a forgotten preview."""
    kept, left = (people.leave_preview(stage, state) for state in ("open", "closed"))
    place, function = stage.first, stage.edited
    days = stage.environments[place].settings(function).log_retention_days
    changed = people.other_retention(days)
    people.retain_logs(stage, place, function, changed)
    runs = stage.github.night()
    expected = reconciled(stage)
    expect(
        runs[RECONCILE].results, expected | {f"drift {place}": "failure"}, "the jobs of a night after a change by hand"
    )
    (issue,) = stage.github.state.issues.values()
    expect((issue["title"], issue["state"]), (f"{place} is not what main says", "open"), "the issue after the night")
    require(f"/RetentionInDays should be {days} and is {changed}" in issue["body"], "the issue tells what was changed")
    expect(stage.stacks(stage.previews.name, left), [], "the stacks of the preview of a closed pull request")
    require(stage.stacks(stage.previews.name, kept), "the preview of an open pull request is there")
    people.retain_logs(stage, place, function, days)
    runs = stage.github.night()
    expect(runs[RECONCILE].results, expected, "the jobs of the next night")
    expect(issue["state"], "closed", "the issue after the next night")


def function(stage: Stage) -> None:
    """A pull request adds a function, which leaves the others alone. Another removes it, which waits for executions."""
    before, name = stage.live_everywhere(), edits.ANOTHER
    pull, runs = stage.github.open("Add a function", edits.add_function)
    expect_previewed(stage, pull, runs[PULL_REQUEST], {}, name, *stage.functions)
    runs = stage.github.merge(pull)
    expect_deployed(stage, runs[DEPLOY], before, name)
    added = stage.target(stage.first).function(name)
    with stage.executions(added, stage.github.tree(stage.github.repository.main())):
        run = stage.github.push_main("Remove it", edits.remove_function)[DEPLOY]
    expect(
        run.results,
        deployed(stage, "failure"),
        "the jobs of a deployment that removes a function on which something runs",
    )
    require(f"--function {name} --running wait" in run.jobs["first deploy"].log, "it tells how to wait for executions")
    require(added.live(), f"{name} is there after it")
    expect_deployed(stage, stage.github.run_again(run, failed_only=True), before)


def cancelled_teardown(stage: Stage) -> None:
    """A teardown is cancelled while it waits for executions to end: the first environment is there, and takes events
    again."""
    people.unprotect(stage, stage.first)
    before, stacks = stage.live_everywhere(), stage.stacks(stage.first)
    function = stage.target(stage.first).function(stage.edited)

    def cancel(runs: Runs) -> None:
        until(runs[TEARDOWN], lambda: stage.refuses_events(function), "it closed the first environment")
        stage.github.cancel(runs[TEARDOWN])

    runs = stage.github.start(TEARDOWN, of_first(stage) | {"running": "wait"}, meanwhile=cancel)
    expect(runs[TEARDOWN].results, KNOWN | {"remove": "cancelled"}, "the jobs of a teardown that is cancelled")
    expect(stage.stacks(stage.first), stacks, "the stacks after it")
    expect_untouched(stage, before, "after it")


def teardown(stage: Stage) -> None:
    """The teardown of the first environment is refused while executions run. Once they have ended it goes, and the
    others stay. One of a mistyped environment comes to no job that is in it."""
    runs = stage.github.start(TEARDOWN, of_first(stage) | {"environment": f"{stage.first}x", "running": "refuse"})
    expect(runs[TEARDOWN].results, {"target": "failure", "remove": "skipped"}, "the jobs of a mistyped teardown")
    people.unprotect(stage, stage.first)
    people.let_last(stage, stage.first, stage.edited)
    before = {name: stage.stacks(name) for name in stage.project.promote}
    function = stage.target(stage.first).function(stage.edited)
    with stage.executions(function) as executions:
        runs = stage.github.start(TEARDOWN, of_first(stage) | {"running": "refuse"})
    expect(runs[TEARDOWN].results, KNOWN | {"remove": "failure"}, "the jobs of a teardown while executions run")
    log = runs[TEARDOWN].jobs["remove"].log
    require(any(each.name in log for each in executions), "the refused teardown names executions that run")
    expect({each.status for each in executions}, {"SUCCEEDED"}, "how the executions ended that ran meanwhile")
    expect({name: stage.stacks(name) for name in before}, before, "the stacks after a refused teardown")
    runs = stage.github.start(TEARDOWN, of_first(stage) | {"running": "wait"})
    expect(runs[TEARDOWN].results, KNOWN | {"remove": "success"}, "the jobs of a teardown")
    expect({name: stage.stacks(name) for name in before}, before | {stage.first: []}, "the stacks after a teardown")


@dataclass(frozen=True)
class Scenario:
    """A story, and the names of those that must have been played before it."""

    play: Callable[[Stage], None]
    after: tuple[str, ...] = ()


SCENARIOS = {
    "setup": Scenario(set_up),
    "first-deployment": Scenario(first_deployment, ("setup",)),
    "pull-request": Scenario(pull_request, ("first-deployment",)),
    "fork": Scenario(fork, ("setup",)),
    "merge": Scenario(merge, ("pull-request",)),
    "night": Scenario(night, ("first-deployment",)),
    "function": Scenario(function, ("first-deployment",)),
    "cancelled-deployment": Scenario(cancelled_deployment, ("first-deployment",)),
    "failed-smoke": Scenario(failed_smoke, ("first-deployment",)),
    "refusals": Scenario(refusals, ("setup",)),
    "cancelled-teardown": Scenario(cancelled_teardown, ("first-deployment",)),
    "teardown": Scenario(teardown, ("first-deployment",)),
}


def chosen(name: str | None) -> dict[str, Scenario]:
    """Return a scenario with all that must be played before it, in order; without a name, all of them."""
    if name is None:
        return SCENARIOS
    wanted = {name}
    for each in reversed(SCENARIOS):
        if each in wanted:
            wanted.update(SCENARIOS[each].after)
    return {each: scenario for each, scenario in SCENARIOS.items() if each in wanted}
