"""What is rehearsed: each scenario is one story, played by the real workflows and checked by what they leave behind."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from infra import naming
from infra.console.progress import doing
from infra.environment import load
from infra.pipeline.comment import MARKER
from tests.github.state import Pull
from tests.rehearsal import hostile
from tests.rehearsal.repository import Change
from tests.rehearsal.run import Run, Runs
from tests.rehearsal.stage import Stage, expect, require, until

PULL_REQUEST, DEPLOY = "pull-request.yml", "deploy.yml"
RECONCILE, TEARDOWN = "reconcile.yml", "teardown.yml"
HANDLER = "functions/orders/handler.py"
CHECKED = {"checks": "success", "build": "success"}
PREVIEWED = {"diff dev": "success", "diff prod": "success", "preview": "success", "comment": "success"}
NO_PREVIEW = dict.fromkeys(PREVIEWED, "skipped")
GREEN, RED = {"all-green": "success"}, {"all-green": "failure"}
NOT_REMOVED, REMOVED = {"remove": "skipped"}, {"remove": "success"}
OF_DEV = {"environment": "dev", "pull_request": "", "confirm": "orders-dev", "dry_run": "false"}
DEPLOYED = {"build": "success", "dev": "success", "diff": "success", "prod": "success"}


def set_up(stage: Stage) -> None:
    """Access and bootstrap of both accounts, and the platform of previews: what a person does once."""
    prepare(stage, ["dev", "preview"], ["prod"])
    with doing("The platform of previews"):
        deploy(stage, "preview")
    for environment in ("dev", "preview", "prod"):
        for stack in (naming.ACCESS_STACK, naming.toolkit_stack(load(environment).qualifier)):
            require(stage.has_stack(environment, stack), f"{environment} has the stack {stack}")


def prepare(stage: Stage, *accounts: Sequence[str]) -> None:
    """Give the workflows access to some environments, which are given by their accounts."""

    def one(environments: Sequence[str]) -> None:
        stage.as_person(environments[0], "access", "--yes")
        for environment in environments:
            stage.as_person(environment, "bootstrap")

    told = ", ".join(environment for environments in accounts for environment in environments)
    with doing(f"Access and bootstrap of {told}"), ThreadPoolExecutor() as pool:
        list(pool.map(one, accounts))


def deploy(stage: Stage, environment: str, *options: str) -> None:
    """Build and deploy without a run."""
    assembly = str(stage.folder / f"assembly-{environment}")
    stage.as_person(environment, "build", "--output", assembly, *options)
    stage.as_person(environment, "deploy", "--assembly", assembly, *options)


def first_deployment(stage: Stage) -> None:
    """The first push to main brings one build to dev and then to prod."""
    runs = stage.github.push_main()
    expect_deployed(stage, runs[DEPLOY], "1")


def pull_request(stage: Stage) -> None:
    """A pull request opens: checks, diff, preview, smoke order, comment. A second push updates all of it."""
    pull, runs = stage.github.open("Say when an order is done", edit(HANDLER, '"Order processed"', '"Order done"'))
    stage.pulls["open"] = pull
    expect_previewed(stage, pull, runs[PULL_REQUEST], version="1", edits=0)
    (comment,) = stage.github.state.comments_of(pull.number)
    require("AWS::Lambda::Function" in comment["body"], "the comment tells that the function changes")
    runs = stage.github.push_to(pull, "Say it better", edit(HANDLER, '"Order done"', '"Order is done"'))
    expect_previewed(stage, pull, runs[PULL_REQUEST], version="2", edits=1)


def fork(stage: Stage) -> None:
    """A pull request of a fork gets checks and no preview, no token and no comment, and is green."""
    pull, runs = stage.github.open("From outside", edit(HANDLER, '"Order validated"', '"Order fine"'), fork=True)
    run = runs[PULL_REQUEST]
    expect(run.results, CHECKED | NO_PREVIEW | NOT_REMOVED | GREEN, "the jobs of a fork's pull request")
    expect(stage.github.issuer.issued_to(run.id), [], "tokens that were issued to a fork")
    expect(stage.github.state.comments_of(pull.number), [], "comments on a fork's pull request")
    require(not stage.has_stack("preview", preview_of(pull)), "a fork has no preview")


def merge(stage: Stage) -> None:
    """The pull request is merged: its preview goes, and main goes to dev and prod from the same build."""
    pull = stage.pulls["open"]
    runs = stage.github.merge(pull)
    skipped = dict.fromkeys(CHECKED, "skipped") | {"diff dev": "skipped", "diff prod": "skipped"}
    skipped |= {"preview": "skipped", "comment": "skipped"}
    expect(runs[PULL_REQUEST].results, skipped | REMOVED | GREEN, "the jobs of a merged pull request")
    require(not stage.has_stack("preview", preview_of(pull)), "the preview of a merged pull request is gone")
    expect_deployed(stage, runs[DEPLOY], "2")


def failed_smoke(stage: Stage) -> None:
    """A pull request whose smoke order fails is red. Merged all the same, dev goes back and prod never sees it."""
    pull, runs = stage.github.open("Lose orders", edit(HANDLER, '"status": "processed"', '"status": "lost"'))
    failed = CHECKED | PREVIEWED | NOT_REMOVED | RED | {"preview": "failure"}
    expect(runs[PULL_REQUEST].results, failed, "the jobs of a pull request whose smoke order fails")
    (comment,) = stage.github.state.comments_of(pull.number)
    require("The smoke order failed" in comment["body"], "the comment tells that the smoke order failed")
    before = {environment: stage.live_version(environment) for environment in ("dev", "prod")}
    with stage.orders("dev") as orders:
        runs = stage.github.merge(pull)
    after = {environment: stage.live_version(environment) for environment in ("dev", "prod")}
    expected = {"build": "success", "dev": "failure", "diff": "skipped", "prod": "skipped"}
    expect(runs[DEPLOY].results, expected, "the jobs of a deployment whose smoke order fails")
    expect(after, before, "the live versions after a failed smoke order")
    expect({order.status for order in orders}, {"SUCCEEDED"}, "how the orders ended that ran meanwhile")
    statuses = {order.version: order.result["status"] for order in orders}
    expect(statuses.pop(before["dev"] or ""), "processed", "the result of orders on the version before")
    expect(set(statuses.values()), {"lost"}, "the results of orders on the version that failed")
    expect_no_second_chance(stage, runs[DEPLOY], before)


def expect_no_second_chance(stage: Stage, failed: Run, before: dict[str, str | None]) -> None:
    """Check that what failed its smoke order fails it again: run again, and with the next commit."""
    again = {
        "is run again": lambda: stage.github.run_again(failed, failed_only=True),
        "comes with the next commit": lambda: stage.github.push_main("Tell more", tell_more)[DEPLOY],
    }
    for how, deploy_again in again.items():
        run = deploy_again()
        expected = {"build": "success", "dev": "failure", "diff": "skipped", "prod": "skipped"}
        expect(run.results, expected, f"the jobs when what failed its smoke order {how}")
        steps = {step: run.jobs["dev"].steps[step].result for step in ("deploy", "smoke")}
        expect(steps, {"deploy": "success", "smoke": "failure"}, f"the steps when it {how}")
        after = {environment: stage.live_version(environment) for environment in ("dev", "prod")}
        expect(after, before, f"the live versions once it {how}")


def cancelled_deployment(stage: Stage) -> None:
    """A deployment is cancelled while CloudFormation works: dev goes back, and is brought on when it is run again."""
    before = stage.live_version("dev")
    change = edit(HANDLER, '"Order validated"', '"Order is valid"')

    def cancel(runs: Runs) -> None:
        until(runs[DEPLOY], lambda: stage.live_version("dev") != before, "dev was on another version")
        stage.github.cancel(runs[DEPLOY])

    run = stage.github.push_main("Say more", change, meanwhile=cancel)[DEPLOY]
    expected = {"build": "success", "dev": "cancelled", "diff": "skipped", "prod": "skipped"}
    expect(run.results, expected, "the jobs of a deployment that is cancelled")
    expect(stage.live_version("dev"), before, "dev's live version after a deployment that was cancelled")
    expect_deployed(stage, stage.github.run_again(run, failed_only=True), str(int(before or 0) + 1))


def refusals(stage: Stage) -> None:
    """A pull request tries every role: it gets those of previews and diffs, and no other wherever GitHub lets it in."""
    stage.github.without_branch_rules.add("dev")
    _, runs = stage.github.open("Take what there is", hostile.change)
    found = {name: hostile.assumed(job) for name, job in runs[hostile.FILE].jobs.items()}
    expect(found, hostile.MAY_ASSUME, "the roles that a pull request could assume, by GitHub environment")
    stage.github.without_branch_rules.clear()


def night(stage: Stage) -> None:
    """The night tells what somebody changed by hand in dev, until it is put back, and removes a forgotten preview."""
    kept, left = (left_preview(stage, state) for state in ("open", "closed"))
    retain_logs(stage, days=30)
    runs = stage.github.night()
    reconciled = dict.fromkeys(
        ("drift dev", "drift preview", "drift prod", "sweep", "prune dev", "prune preview", "prune prod"), "success"
    )
    expect(runs[RECONCILE].results, reconciled | {"drift dev": "failure"}, "the jobs of a night after a change by hand")
    (issue,) = stage.github.state.issues.values()
    expect((issue["title"], issue["state"]), ("dev is not what main says", "open"), "the issue after the night")
    require("/RetentionInDays should be 7 and is 30" in issue["body"], "the issue tells what was changed")
    require(not stage.has_stack("preview", preview_of(left)), "the preview of a closed pull request is gone")
    require(stage.has_stack("preview", preview_of(kept)), "the preview of an open pull request is there")
    retain_logs(stage, days=load("dev").function.log_retention_days)
    runs = stage.github.night()
    expect(runs[RECONCILE].results, reconciled, "the jobs of the next night")
    expect(issue["state"], "closed", "the issue after the next night")


def cancelled_teardown(stage: Stage) -> None:
    """A teardown is cancelled while it waits for orders to end: dev is there, and takes orders again."""
    before = stage.live_version("dev")

    def cancel(runs: Runs) -> None:
        until(runs[TEARDOWN], lambda: stage.refuses_orders("dev"), "it closed dev")
        stage.github.cancel(runs[TEARDOWN])

    runs = stage.github.start(TEARDOWN, OF_DEV | {"running": "wait"}, meanwhile=cancel)
    expect(runs[TEARDOWN].results, {"remove": "cancelled"}, "the jobs of a teardown that is cancelled")
    expect(stacks(stage, "dev"), ["orders-dev", "platform-dev"], "the stacks of dev after it")
    expect(stage.live_version("dev"), before, "dev's live version after it")


def teardown(stage: Stage) -> None:
    """The teardown of dev is refused while orders run. Once they have ended, dev goes and prod stays."""
    with stage.orders("dev") as orders:
        runs = stage.github.start(TEARDOWN, OF_DEV | {"running": "refuse"})
    expect(runs[TEARDOWN].results, {"remove": "failure"}, "the jobs of a teardown while orders run")
    log = runs[TEARDOWN].jobs["remove"].log
    require(any(order.name in log for order in orders), "the refused teardown names orders that run")
    expect({order.status for order in orders}, {"SUCCEEDED"}, "how the orders ended that ran meanwhile")
    expect(stacks(stage, "dev"), ["orders-dev", "platform-dev"], "the stacks of dev after a refused teardown")
    runs = stage.github.start(TEARDOWN, OF_DEV | {"running": "wait"})
    expect(runs[TEARDOWN].results, {"remove": "success"}, "the jobs of a teardown")
    expect(stacks(stage, "dev"), [], "the stacks of dev after its teardown")
    expect(stacks(stage, "prod"), ["orders-prod", "platform-prod"], "the stacks of prod after it")


def retain_logs(stage: Stage, days: int) -> None:
    """Change by hand how long dev keeps its logs."""
    group = stage.target("dev").stacks.get(naming.orders_stack("dev")).outputs["LogGroupName"]
    stage.session("dev").client("logs").put_retention_policy(logGroupName=group, retentionInDays=days)


def stacks(stage: Stage, environment: str) -> list[str]:
    """Return the stacks that there are of an environment."""
    names = [naming.orders_stack(environment), naming.platform_stack(environment)]
    return [name for name in names if stage.has_stack(environment, name)]


def left_preview(stage: Stage, state: str) -> Pull:
    """Deploy a preview without a run, and return its pull request, which is in this state."""
    number = stage.github.state.number()
    pull = stage.github.state.pulls[number] = Pull(number, f"branch-{number}", "0" * 40, f"Left {state}", state=state)
    with doing(f"A preview of pull request {number}, which is {state}"):
        deploy(stage, "preview", "--pull-request", str(number))
    return pull


def expect_previewed(stage: Stage, pull: Pull, run: Run, *, version: str, edits: int) -> None:
    """Check a pull request's run, its preview and its comment."""
    expect(run.results, CHECKED | PREVIEWED | NOT_REMOVED | GREEN, f"the jobs of {run.title}")
    expect(stage.live_version("preview", pull), version, "the preview's live version")
    comments = stage.github.state.comments_of(pull.number)
    expect([comment["edits"] for comment in comments], [edits], "how often each comment was updated")
    body = comments[0]["body"]
    for text in (MARKER, pull.head[:12], f"version `{version}`", "The smoke order passed", "Changes of `prod`"):
        require(text in body, f"the comment tells {text}")


def expect_deployed(stage: Stage, run: Run, version: str) -> None:
    """Check a run of the deployment, and that dev and prod are on what it built."""
    expect(run.results, DEPLOYED, f"the jobs of {run.title}")
    live = {environment: stage.live_version(environment) for environment in ("dev", "prod")}
    expect(live, {"dev": version, "prod": version}, "the live versions")
    expect(stage.live_code("prod"), stage.live_code("dev"), "the code of prod, which is dev's")
    built = {job.name for job in run.jobs.values() if "Synthesizing" in job.log}
    expect(built, {"build"}, "the jobs that built something")
    tried = {job.name for job in run.jobs.values() if "The smoke order passed" in job.log}
    expect(tried, {"dev", "prod"}, "the jobs that tried an order")


def preview_of(pull: Pull) -> str:
    """Name the stack of a pull request's preview."""
    return naming.orders_stack("preview", pull.number)


def edit(file: str, old: str, new: str) -> Change:
    """Return the change of a text, which must be there, in a file."""

    def change(tree: Path) -> None:
        text = (tree / file).read_text()
        require(old in text, f"{file} holds {old}")
        (tree / file).write_text(text.replace(old, new))

    return change


def tell_more(tree: Path) -> None:
    """Change what is not deployed."""
    with (tree / "README.md").open("a") as readme:
        readme.write("\nThat is all.\n")


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
