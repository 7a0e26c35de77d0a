"""What a deployment refuses, what it tells before it begins, what is live once it has ended, and what is gone."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from infra import naming
from infra.aws.assembly import Assembly
from infra.aws.target import Target
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.naming import Output
from infra.pipeline import deploy, diff
from infra.project import LOCAL
from tests.infra.fakes import assemblies
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, typed
from tests.infra.fakes.environments import (
    ACCOUNT,
    DEV,
    DEV_OF_TWO,
    PREVIEW,
    PREVIEW_OF_TWO,
    PROD,
    REGION,
    SETTINGS,
    TWO,
    environment,
)
from tests.infra.fakes.lambda_ import WAKES_WITHIN

NAME, OTHER, PLATFORM = "acme-dev-billing", "acme-dev-refunds", "acme-platform-dev"


class Cli:
    """Stands in for the CDK CLI and CloudFormation: it brings one version, and the second time changes nothing."""

    def __init__(self, aws: FakeAws, version: str, outputs: Path) -> None:
        self.aws, self.version, self.outputs = aws, version, outputs
        self.called: list[tuple[list[str], Any]] = []
        self.told = ""  # to the workflow's step before it began
        self.failure: BaseException | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.before_it_fails: Callable[[], object] = lambda: None
        self.afterwards: Callable[[], object] = lambda: None

    def __call__(self, arguments: Sequence[str], *, session: Any, **_: Any) -> str:
        self.called.append((list(arguments), session))
        self.told = self.outputs.read_text()
        if self.failure:
            self.before_it_fails()
            raise self.failure
        self.meanwhile()
        folder = Path(arguments[arguments.index("--app") + 1])
        for stack in Assembly(folder).stack_names:
            self._stack(stack, {Output.COMMIT: str(Assembly(folder).commit(stack))})
        self.afterwards()
        return ""

    def _stack(self, name: str, outputs: dict[str, str]) -> None:
        formation, functions = self.aws.formation, self.aws.lambda_
        if "-platform-" in name:
            formation.stack(name, {}, outputs=outputs | {"CapacityProviderArn": "arn"})
            return
        function = functions.functions.get(name) or functions.function(name)
        if self.version not in function.versions:
            function.versions[self.version] = {"least": 3, "most": 4}
            function.aliases["live"] = {"FunctionVersion": self.version}
        outputs |= {"Version": self.version, "AliasArn": f"{functions.arn_of(name)}:live"}
        formation.stack(name, {}, outputs=outputs)


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with a function whose version 1 is live."""
    aws = FakeAws()
    aws.lambda_.function(NAME, "1")
    return aws


@pytest.fixture
def cli(aws: FakeAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    cli = Cli(aws, "2", tmp_path / "outputs")
    monkeypatch.setenv("GITHUB_OUTPUT", str(cli.outputs))
    monkeypatch.setattr(deploy, "cdk", cli)
    return cli


def deployed(aws: FakeAws, folder: Path, *options: str, on: Target | None = None) -> Report:
    on = on or target(aws, DEV)
    path = folder if (folder / "manifest.json").exists() else assemblies.write(folder, on)
    return run(deploy, on, "--assembly", str(path), *options)


def live(aws: FakeAws, name: str = NAME) -> str:
    return aws.lambda_.functions[name].aliases["live"]["FunctionVersion"]


def test_what_was_built_is_deployed_and_live(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    on = target(aws, DEV)
    folder = assemblies.write(tmp_path, on)
    report = deployed(aws, folder, "--digest", Assembly(folder).digest(), on=on)
    ((arguments, session),) = cli.called
    assert arguments[:4] == ["deploy", "--app", str(folder), "--all"]
    assert session is on.session
    arn = f"{aws.lambda_.arn_of(NAME)}:live"
    commit = {"Commit": assemblies.COMMIT}
    stacks = {PLATFORM: commit | {"CapacityProviderArn": "arn"}, NAME: commit | {"Version": "2", "AliasArn": arn}}
    functions = {"billing": {"alias_arn": arn, "version": "2", "previous_version": "1"}}
    assert report.facts == {"stacks": stacks, "functions": functions, "removed": [], "retained": []}
    assert report.outputs == {"versions": "billing=2", "previous_versions": "billing=1"}
    assert list(report.lines) == [
        f"{PLATFORM}: Commit {assemblies.COMMIT}",
        f"{PLATFORM}: CapacityProviderArn arn",
        f"{NAME}: Commit {assemblies.COMMIT}",
        f"{NAME}: Version 2",
        f"{NAME}: AliasArn {arn}",
    ]
    assert live(aws) == "2"


def test_functions_are_deployed_side_by_side_and_each_is_live(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    report = deployed(aws, tmp_path, on=target(aws, DEV_OF_TWO))
    ((arguments, _),) = cli.called
    assert int(arguments[arguments.index("--concurrency") + 1]) > 1
    assert cli.told == "previous_versions=billing=1\n"
    assert report.outputs == {"versions": "billing=2,refunds=2", "previous_versions": "billing=1"}
    functions = facts(report)["functions"]
    assert [(name, each["version"], each["previous_version"]) for name, each in functions.items()] == [
        ("billing", "2", "1"),
        ("refunds", "2", None),
    ]
    assert functions["refunds"]["alias_arn"] == f"{aws.lambda_.arn_of(OTHER)}:live"
    assert live(aws, NAME) == live(aws, OTHER) == "2"


@pytest.mark.parametrize("failure", [None, CommandError("failed"), KeyboardInterrupt()], ids=repr)
def test_the_version_to_go_back_to_is_told_before_anything_is_deployed(
    failure: BaseException | None, aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    cli.failure = failure
    if failure is None:
        deployed(aws, tmp_path)
    else:
        with pytest.raises(type(failure)):
            deployed(aws, tmp_path)
    assert cli.told == cli.outputs.read_text() == "previous_versions=billing=1\n"


def test_before_a_first_deployment_there_is_none(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    aws.lambda_.forget(NAME)
    assert facts(deployed(aws, tmp_path))["functions"]["billing"]["previous_version"] is None
    assert cli.told == "previous_versions=\n"
    assert live(aws) == "2"


MOVED = environment(region="eu-central-1", network={"zones": ["eu-central-1a"]})


@pytest.mark.parametrize(
    ("on", "of"),
    [
        ((PREVIEW, 7), (DEV, None)),
        ((PREVIEW, 7), (PREVIEW, 8)),
        ((PREVIEW, None), (PREVIEW, 7)),
        ((DEV, None), (PROD, None)),
        ((DEV, None), (DEV_OF_TWO, None)),
        ((PREVIEW_OF_TWO, 7), (PREVIEW, 7)),
        ((DEV, None), (MOVED, None)),
        ((DEV, None), (environment(account="222222222222"), None)),
    ],
    ids=[
        "a preview with dev's",
        "another preview's",
        "a platform with a preview's",
        "prod's",
        "one function more",
        "one function less",
        "region",
        "account",
    ],
)
def test_the_assembly_of_another_target_is_refused_before_anything_is_asked_of_aws(
    on: tuple[Environment, int | None], of: tuple[Environment, int | None], aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    folder = assemblies.write(tmp_path, target(aws, *of))
    with pytest.raises(UsageError, match=r"holds .*, and not|is built for .*, and not"):
        deployed(aws, folder, on=target(aws, *on))
    assert (aws.calls, cli.called) == ([], [])


def test_anything_else_than_what_was_built_is_refused_before_anything_is_asked_of_aws(
    aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    folder = assemblies.write(tmp_path, target(aws, DEV))
    built = Assembly(folder).digest()
    (folder / "asset.built.zip").write_bytes(b"something else")
    with pytest.raises(UsageError, match=f"{Assembly(folder).digest()}, and {built} was built"):
        deployed(aws, folder, "--digest", built)
    with pytest.raises(UsageError, match="holds no cloud assembly"):
        run(deploy, target(aws, DEV), "--assembly", str(tmp_path))
    assert (aws.calls, cli.called) == ([], [])


@pytest.mark.parametrize("closed", ["billing", "refunds"])
def test_a_closed_function_is_refused(closed: str, aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    aws.lambda_.function(OTHER, "1")
    target(aws, DEV).function(closed).close()
    with pytest.raises(CommandError, match=rf"acme-dev-{closed} .*drain --open"):
        deployed(aws, tmp_path, on=target(aws, DEV_OF_TWO))
    assert not cli.called


def test_a_failure_is_told_by_what_cloudformation_says_of_it_and_where_the_rest_is(
    aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    cli.failure = CommandError("cdk deploy failed; all of it is in the log\nthe last lines")
    aws.formation.stack(NAME, {}, LastUpdatedTime=aws.clock.now())
    why = {"ResourceStatus": "UPDATE_FAILED", "ResourceStatusReason": "no more", "ResourceType": "AWS::SQS::Queue"}

    def fail() -> None:
        stack = aws.formation.stack(NAME, {}, "UPDATE_ROLLBACK_COMPLETE", LastUpdatedTime=aws.clock.now())
        aws.formation.events[stack["StackId"]] = [{"LogicalResourceId": "Jobs", **why}]

    on = target(aws, DEV)
    folder = assemblies.write(tmp_path, on)
    aws.clock.sleep(1)
    cli.before_it_fails = fail
    with pytest.raises(CommandError) as failure:
        deployed(aws, folder, on=on)
    assert str(failure.value).splitlines() == [
        f"{NAME}: AWS::SQS::Queue Jobs: no more",
        "cdk deploy failed; all of it is in the log",
    ]


@pytest.mark.parametrize("denied", [False, True])
def test_where_no_stack_was_come_to_the_cli_s_last_lines_are_told(
    aws: FakeAws, cli: Cli, tmp_path: Path, *, denied: bool
) -> None:
    cli.failure = CommandError("cdk deploy failed\nthe last lines")
    if denied:
        cli.before_it_fails = lambda: aws.deny("DescribeStacks")
    with pytest.raises(CommandError, match="AWS: .* no DescribeStacks\ncdk" if denied else "the last lines$"):
        deployed(aws, tmp_path)


@pytest.mark.parametrize("seconds", [30, 600])
def test_what_is_told_of_a_stack_from_before_a_deployment_is_not_taken_for_what_it_left(
    seconds: int, aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    def tell_late() -> None:
        stack = aws.formation.stacks[NAME]
        now = dict(stack)
        told = {"Version": "1", Output.COMMIT: "a" * 40}
        stack["Outputs"] = [{"OutputKey": key, "OutputValue": value} for key, value in told.items()]
        aws.clock.after(seconds, lambda: stack.update(now))

    cli.afterwards = tell_late
    with (
        nullcontext()
        if seconds < deploy.TOLD_WITHIN_SECONDS
        else pytest.raises(
            CommandError, match=f"{NAME}: commit {assemblies.COMMIT} was deployed, .* UPDATE_COMPLETE from commit aaa"
        )
    ):
        deployed(aws, tmp_path)
    assert live(aws) == "2"
    assert aws.count("UpdateAlias") == 0


@pytest.mark.usefixtures("cli")
def test_a_version_that_was_taken_back_is_live_again_although_nothing_changed(aws: FakeAws, tmp_path: Path) -> None:
    on = target(aws, DEV_OF_TWO)
    deployed(aws, tmp_path, on=on)
    function = aws.lambda_.functions[NAME]
    function.versions["1"] = {"least": 1, "most": 4}
    function.aliases["live"] = {"FunctionVersion": "1"}
    function.versions["2"] = {"least": 1, "most": 4}  # as pruning leaves it
    report = deployed(aws, next(tmp_path.glob("assembly-*")), on=on)
    assert report.outputs == {"versions": "billing=2,refunds=2", "previous_versions": "billing=1,refunds=2"}
    assert live(aws) == "2"
    assert function.versions["2"] == {"least": 3, "most": 4}


@pytest.mark.usefixtures("cli")
def test_a_version_that_sleeps_is_woken_although_nothing_changed(aws: FakeAws, tmp_path: Path) -> None:
    on = target(aws, DEV_OF_TWO)
    deployed(aws, tmp_path, on=on)
    for name in (NAME, OTHER):
        function = aws.lambda_.functions[name]
        function.versions["2"], function.states["2"] = {"least": 0, "most": 0}, "Deactivated"
    before = aws.clock.monotonic()
    assert deployed(aws, next(tmp_path.glob("assembly-*")), on=on).code == 0
    for function in (aws.lambda_.functions[name] for name in (NAME, OTHER)):
        assert (function.versions["2"], function.states) == ({"least": 3, "most": 4}, {})
    # They woke side by side.
    assert WAKES_WITHIN <= aws.clock.monotonic() - before < 2 * WAKES_WITHIN


@pytest.mark.usefixtures("cli")
def test_a_version_is_live_again_with_the_environments_of_its_own_function(aws: FakeAws, tmp_path: Path) -> None:
    own = SETTINGS["function"] | {"maximum_environments": 3, "durable": SETTINGS["durable"]}
    on = target(aws, environment(function_names=TWO, functions={"refunds": own}))
    deployed(aws, tmp_path, on=on)
    for name in (NAME, OTHER):
        aws.lambda_.functions[name].versions["1"] = {"least": 1, "most": 1}
        aws.lambda_.functions[name].aliases["live"] = {"FunctionVersion": "1"}
    deployed(aws, next(tmp_path.glob("assembly-*")), on=on)
    assert [aws.lambda_.functions[name].versions["2"]["most"] for name in (NAME, OTHER)] == [4, 3]


@pytest.mark.usefixtures("cli")
def test_a_deployment_after_which_another_version_is_live_fails(aws: FakeAws, tmp_path: Path) -> None:
    on = target(aws, DEV_OF_TWO)
    deployed(aws, tmp_path, on=on)
    function = aws.lambda_.functions[OTHER]
    function.versions["1"] = {"least": 1, "most": 4}
    function.aliases["live"] = {"FunctionVersion": "1"}

    def somebody_takes_it_back() -> None:
        aws.on("GetAlias", lambda: function.aliases["live"].update(FunctionVersion="1"))

    aws.on("UpdateAlias", somebody_takes_it_back)
    with pytest.raises(CommandError, match=f"{OTHER}: version 2 was deployed, and 1 is live"):
        deployed(aws, next(tmp_path.glob("assembly-*")), on=on)


def test_the_platform_below_previews_has_no_version(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    report = deployed(aws, tmp_path, on=target(aws, PREVIEW_OF_TWO))
    stacks = {"acme-platform-preview": {"Commit": assemblies.COMMIT, "CapacityProviderArn": "arn"}}
    assert report.facts == {"stacks": stacks, "functions": {}, "removed": [], "retained": []}
    assert report.outputs == {"versions": "", "previous_versions": ""}
    assert cli.told == "previous_versions=\n"


def without_folder(
    aws: FakeAws, name: str = OTHER, tags: dict[str, str] | None = None, *, protected: bool = True
) -> None:
    """Let there be a function whose folder is gone."""
    aws.lambda_.function(name, "1")
    tags = naming.tags(DEV) if tags is None else tags
    aws.formation.stack(name, tags, EnableTerminationProtection=protected)


def test_a_function_whose_folder_is_gone_is_removed_after_the_deployment(
    aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    without_folder(aws)
    seen: list[set[str]] = []
    cli.meanwhile = lambda: seen.append(set(aws.lambda_.functions[OTHER].aliases))
    report = deployed(aws, tmp_path)
    # Until what was built is live, it takes executions.
    assert seen == [{naming.ALIAS}]
    assert facts(report)["removed"] == [OTHER]
    assert list(report.lines)[-1] == f"{OTHER}: removed"
    assert OTHER not in aws.formation.stacks
    assert OTHER not in aws.lambda_.functions
    calls = [operation for operation, _ in aws.calls]
    order = ["DeleteAlias", "ListDurableExecutionsByFunction", "UpdateTerminationProtection", "DeleteStack"]
    last = {operation: len(calls) - calls[::-1].index(operation) for operation in order}
    assert sorted(order, key=lambda operation: last[operation]) == order
    assert [each["StackName"] for each in aws.asked("DeleteStack")] == [OTHER]


@pytest.mark.usefixtures("cli")
def test_what_a_removed_function_leaves_is_told_with_what_deletes_it(aws: FakeAws, tmp_path: Path) -> None:
    without_folder(aws)
    stack_id = aws.formation.stacks[OTHER]["StackId"]
    group = {"ResourceType": "AWS::Logs::LogGroup", "PhysicalResourceId": "refunds-logs"}
    aws.formation.events[stack_id] = [
        {"ResourceType": "AWS::IAM::Role", "PhysicalResourceId": "role", "ResourceStatus": "DELETE_COMPLETE"},
        group | {"ResourceStatus": "DELETE_SKIPPED"},
        {"ResourceType": "AWS::DynamoDB::Table", "PhysicalResourceId": "kept", "ResourceStatus": "DELETE_SKIPPED"},
        group | {"ResourceStatus": "CREATE_COMPLETE"},
    ]
    report = deployed(aws, tmp_path)
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:refunds-logs"
    assert facts(report)["retained"] == [arn, "AWS::DynamoDB::Table kept"]
    delete = f"aws logs delete-log-group --log-group-name refunds-logs --region {REGION}"
    assert list(report.lines)[-2:] == [
        f"Retained, as the template says: log group refunds-logs; delete it with `{delete}`",
        "Retained, as the template says: AWS::DynamoDB::Table kept",
    ]


@pytest.mark.usefixtures("cli")
def test_an_unprotected_one_needs_no_protection_lifted(aws: FakeAws, tmp_path: Path) -> None:
    without_folder(aws, protected=False)
    assert facts(deployed(aws, tmp_path))["removed"] == [OTHER]
    assert aws.count("UpdateTerminationProtection") == 0


@pytest.mark.usefixtures("cli")
def test_that_of_a_preview_is_removed_with_it_alone(aws: FakeAws, tmp_path: Path) -> None:
    for number in (7, 8):
        without_folder(aws, f"acme-pr-{number}-refunds", naming.tags(PREVIEW, number))
    assert facts(deployed(aws, tmp_path, on=target(aws, PREVIEW, 7)))["removed"] == ["acme-pr-7-refunds"]
    assert "acme-pr-8-refunds" in aws.formation.stacks


@pytest.mark.usefixtures("cli")
@pytest.mark.parametrize(
    ("name", "tags"),
    [
        (OTHER, {}),
        (OTHER, naming.tags(PROD)),
        ("acme-prod-refunds", naming.tags(PROD)),
        ("acme-access-dev", naming.tags(DEV)),
        ("other-dev-refunds", naming.tags(DEV)),
    ],
)
def test_nothing_but_what_is_named_and_tagged_as_ours_is_removed(
    name: str, tags: dict[str, str], aws: FakeAws, tmp_path: Path
) -> None:
    without_folder(aws, name, tags)
    assert facts(deployed(aws, tmp_path))["removed"] == []
    assert name in aws.formation.stacks


@pytest.mark.parametrize("status", ["RUNNING", "PAUSED"])
def test_while_executions_run_on_it_nothing_is_deployed(status: str, aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    without_folder(aws)
    aws.lambda_.execution(OTHER, "a-long-one", status)
    with pytest.raises(CommandError) as refused:
        deployed(aws, tmp_path)
    assert str(refused.value).splitlines() == [
        f"functions/refunds is gone, and 1 executions of {OTHER} go on:",
        f"  a-long-one on version 1: {status}, started 0 s ago",
        "Wait for them, by `drain --environment dev --function refunds --running wait`, or stop them.",
        "Nothing was deployed. Run this again then, or bring the folder back.",
    ]
    assert not cli.called
    assert set(aws.lambda_.functions[OTHER].aliases) == {naming.ALIAS}
    assert not {operation for operation, _ in aws.calls if not operation.startswith(("Get", "List", "Describe"))}


def test_of_a_preview_it_says_how_to_drain_that(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    without_folder(aws, "acme-pr-7-refunds", naming.tags(PREVIEW, 7))
    aws.lambda_.execution("acme-pr-7-refunds", "one")
    with pytest.raises(CommandError, match="`drain --pull-request 7 --function refunds --running wait`"):
        deployed(aws, tmp_path, on=target(aws, PREVIEW, 7))
    assert not cli.called


def test_executions_that_begin_meanwhile_leave_it_open(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    without_folder(aws)
    cli.meanwhile = lambda: aws.lambda_.execution(OTHER, "late")
    with pytest.raises(CommandError, match=rf"1 executions of {OTHER} have not ended:\n  late on version 1"):
        deployed(aws, tmp_path)
    assert live(aws) == "2"
    assert set(aws.lambda_.functions[OTHER].aliases) == {naming.ALIAS}
    assert aws.formation.stacks[OTHER]["EnableTerminationProtection"]
    assert aws.count("DeleteStack") == 0


@pytest.mark.usefixtures("cli")
def test_one_that_was_drained_by_hand_is_removed(aws: FakeAws, tmp_path: Path) -> None:
    without_folder(aws)
    target(aws, DEV_OF_TWO).function("refunds").close()
    assert facts(deployed(aws, tmp_path))["removed"] == [OTHER]


@pytest.mark.usefixtures("cli")
def test_one_that_can_not_be_removed_is_told_and_tried_again_the_next_time(aws: FakeAws, tmp_path: Path) -> None:
    without_folder(aws)
    aws.formation.undeletable[OTHER] = "it is used"
    with pytest.raises(CommandError, match=f"{OTHER} could not be deleted: .* it is used"):
        deployed(aws, tmp_path)
    aws.formation.undeletable.clear()
    assert facts(deployed(aws, next(tmp_path.glob("assembly-*"))))["removed"] == [OTHER]


@pytest.mark.parametrize("answer", ["n", "y"])
def test_whoever_wants_to_be_asked_sees_what_would_change_first(
    answer: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def compared(*_: Any, **__: Any) -> str:
        assert not cli.called
        return "Stack acme-platform-preview\n[+] AWS::SSM::Parameter Only"

    monkeypatch.setattr(diff, "cdk", compared)
    typed(monkeypatch, answer)
    with nullcontext() if answer == "y" else pytest.raises(CommandError, match="nothing was changed"):
        deployed(cli.aws, tmp_path, "--ask", on=target(cli.aws, PREVIEW))
    assert bool(cli.called) is (answer == "y")
    printed = capfd.readouterr()
    assert printed.out == f"Deploy acme-platform-preview to account {ACCOUNT}? [y/N] "
    assert "[+] AWS::SSM::Parameter Only" in printed.err


def test_where_nobody_can_be_asked_nothing_is_begun(aws: FakeAws, cli: Cli, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no terminal to ask on; .* without --ask"):
        deployed(aws, tmp_path, "--ask")
    assert (aws.calls, cli.called) == ([], [])


UNCOMMITTED = assemblies.COMMIT + naming.UNCOMMITTED


@pytest.mark.parametrize(("environment", "pull_request"), [(DEV, None), (PREVIEW, None), (PREVIEW, 7)])
def test_what_is_in_no_commit_goes_nowhere_where_workflows_deploy(
    environment: Environment, pull_request: int | None, aws: FakeAws, cli: Cli, tmp_path: Path
) -> None:
    on = target(aws, environment, pull_request)
    folder = assemblies.write(tmp_path, on, UNCOMMITTED)
    with pytest.raises(UsageError, match=r"changes that are in no commit, .*: commit them, or put them"):
        deployed(aws, folder, on=on)
    assert (aws.calls, cli.called) == ([], [])


@pytest.mark.usefixtures("cli")
def test_it_goes_to_the_local_aws(aws: FakeAws, tmp_path: Path) -> None:
    on = target(aws, environment(LOCAL))
    deployed(aws, assemblies.write(tmp_path, on, UNCOMMITTED), on=on)
    assert on.stacks.get(f"acme-{LOCAL}-billing").commit == UNCOMMITTED
