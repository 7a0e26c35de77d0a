"""Which versions pruning deletes and scales down: decided on what was seen, and done on the local AWS."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from infra import naming
from infra.aws import stack, versions
from infra.aws.execution import Listed
from infra.environment import Environment, load
from infra.local.aws import LocalAws
from infra.pipeline import prune
from infra.pipeline.prune import Seen

DEV, PREVIEW = load("dev"), load("preview")
ACCOUNT, REGION = DEV.account, DEV.region
SOON: Any = {"Delay": 0.05}
PROVIDER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:provider"


def decided(
    retained: int, aliases: dict[str, str], running: dict[str, int] | None = None, **seen: Any
) -> dict[str, tuple[str | None, int]]:
    """Decide on versions 1 to 5 with three environments each: the reason to keep each, and its floor afterwards."""
    floors = {str(number): 3 for number in (5, 4, 3, 2, 1)} | seen.pop("floors", {})
    known = {"deployed": None, "hold": None} | seen
    outcomes = prune.decide(Seen("orders-dev", floors, aliases, running or {}, **known), retained)
    return {each.version: (None if each.due else each.reason, each.floor_after) for each in outcomes}


def test_what_no_alias_names_and_nothing_runs_on_goes_and_the_newest_of_it_stay() -> None:
    retained = ("retained, to go back to", 1)
    gone = (None, 0)
    live = {"5": "live"}
    assert decided(0, live) == {"5": ("live", 3), "4": gone, "3": gone, "2": gone, "1": gone}
    assert decided(2, live) == {"5": ("live", 3), "4": retained, "3": retained, "2": gone, "1": gone}
    assert set(decided(20, live).values()) == {("live", 3), retained}


def test_versions_newer_than_the_live_one_count_among_the_others() -> None:
    found = decided(1, {"3": "live"})
    assert found["5"] == ("retained, to go back to", 1)
    assert [version for version, (kept, _) in found.items() if not kept] == ["4", "2", "1"]


def test_whatever_an_alias_names_stays_as_it_is() -> None:
    found = decided(0, {"5": "live", "4": "the alias live sends it a part", "1": "the alias other names it"})
    assert found["4"] == ("the alias live sends it a part", 3)
    assert found["1"] == ("the alias other names it", 3)
    assert found["2"] == (None, 0)


def test_a_version_with_running_executions_stays_and_keeps_one_environment() -> None:
    found = decided(0, {"5": "live"}, running={"2": 1, "5": 7})
    assert found["2"] == ("executions run on it", 1)
    assert found["5"] == ("live", 3)
    assert found["3"] == (None, 0)


def test_the_version_that_cloudformation_goes_back_to_stays() -> None:
    assert decided(0, {"4": "live"}, deployed="5")["5"] == ("a deployment that fails goes back to it", 1)


def test_nothing_is_touched_while_the_stack_is_not_at_rest() -> None:
    found = decided(0, {"5": "live"}, hold="its stack is UPDATE_IN_PROGRESS")
    assert {version: found[version] for version in ("4", "1")} == {
        "4": ("its stack is UPDATE_IN_PROGRESS", 3),
        "1": ("its stack is UPDATE_IN_PROGRESS", 3),
    }


def test_a_version_that_somebody_deactivated_is_not_activated() -> None:
    assert decided(4, {"5": "live"}, floors={"4": 0, "3": 1})["4"] == ("retained, to go back to", 0)


class Functions:
    """Functions in an account, each in a stack of its name, with versions that keep three environments."""

    def __init__(self, session: boto3.Session) -> None:
        self.client = session.client("lambda")
        self._formation = session.client("cloudformation")
        self._made: list[str] = []
        self.busy: list[str] = []
        self.looks: list[Callable[[], object]] = []

    def make(self, name: str, tags: dict[str, str], count: int = 4) -> None:
        """Make one whose last version is live."""
        properties = {
            "FunctionName": name,
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": f"arn:aws:iam::{ACCOUNT}:role/some",
            "Code": {"ZipFile": ""},
            "CapacityProviderConfig": {
                "LambdaManagedInstancesCapacityProviderConfig": {"CapacityProviderArn": PROVIDER}
            },
        }
        template = {"Resources": {"Only": {"Type": "AWS::Lambda::Function", "Properties": properties}}}
        listed: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
        self._formation.create_stack(StackName=name, TemplateBody=json.dumps(template), Tags=listed)
        self._formation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig=SOON)
        self._made.append(name)
        for _ in range(count):
            self.publish(name)
        self.client.create_alias(FunctionName=name, Name=naming.ALIAS, FunctionVersion=str(count))

    def publish(self, name: str) -> None:
        """Publish another version, for which something has to change."""
        self.client.update_function_configuration(FunctionName=name, Description=str(uuid4()))
        self.client.publish_version(FunctionName=name)

    def floors(self, name: str) -> dict[str, int]:
        return {number: versions.floor(self.client, name, number) for number in versions.numbered(self.client, name)}

    def running(self, _: Any, function: str) -> list[Listed]:
        """Stand in for the list of executions that have not ended; something may happen at each look."""
        if self.looks:
            self.looks.pop(0)()
        return [Listed("arn", "order-1", version, "PAUSED", datetime.now(UTC)) for version in self.busy if function]

    def remove(self) -> None:
        for name in self._made:
            self._formation.delete_stack(StackName=name)
            self._formation.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig=SOON)


def answering(answer: Any) -> Callable[..., Any]:
    """Return what gives this answer, whatever it is asked."""

    def call(*_: object) -> Any:
        return answer

    return call


def nothing() -> None:
    """Happen not."""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with LocalAws.start(tmp_path_factory.mktemp("prune")) as started:
        started.session(ACCOUNT, REGION).client("lambda").create_capacity_provider(
            CapacityProviderName="provider",
            VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
            PermissionsConfig={"CapacityProviderOperatorRoleArn": f"arn:aws:iam::{ACCOUNT}:role/operator"},
        )
        yield started


@pytest.fixture
def functions(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    for key, value in aws.environ(ACCOUNT, REGION).items():
        monkeypatch.setenv(key, value)
    made = Functions(aws.session(ACCOUNT, REGION))
    monkeypatch.setattr(prune, "running", made.running)
    monkeypatch.setattr(prune, "SETTLED_AFTER", timedelta())
    yield made
    made.remove()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Runs the command on an environment that retains no versions, and returns its exit code and its facts."""

    def run(environment: Environment, *options: str) -> tuple[int, dict[str, Any]]:
        parser = ArgumentParser()
        parser.set_defaults(json=False, report=tmp_path / "report.json", verbose=False)
        prune.add_arguments(parser)
        function = environment.function.model_copy(update={"retained_versions": 0})
        chosen = environment.model_copy(update={"function": function})
        code = prune.run(chosen, parser.parse_args(options))
        return code, json.loads((tmp_path / "report.json").read_text())

    return run


Run = Callable[..., tuple[int, dict[str, Any]]]


def test_it_deletes_and_scales_down_and_tells_what_was_freed(
    functions: Functions, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.make("orders-dev", naming.tags("dev"))
    functions.busy = ["2"]
    code, facts = run(DEV)
    assert functions.floors("orders-dev") == {"4": 3, "2": 1}
    assert (code, facts["freed_environments"]) == (0, 3 + 3 + 2)
    told = capsys.readouterr().out
    assert "8 execution environments were freed" in told
    assert "orders-dev:3  deleted" in told


def test_a_dry_run_does_nothing_and_tells_all(
    functions: Functions, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.make("orders-dev", naming.tags("dev"))
    functions.busy = ["2"]
    code, facts = run(DEV, "--dry-run")
    assert functions.floors("orders-dev") == {"4": 3, "3": 3, "2": 3, "1": 3}
    assert (code, facts["freed_environments"]) == (0, 8)
    told = capsys.readouterr().out
    assert "would be deleted" in told
    assert "would be freed" in told


def test_every_alias_counts_and_the_versions_that_it_sends_a_part_to(functions: Functions, run: Run) -> None:
    functions.make("orders-dev", naming.tags("dev"), count=6)
    client = functions.client
    client.create_alias(FunctionName="orders-dev", Name=naming.CLOSED_ALIAS, FunctionVersion="5")
    client.create_alias(FunctionName="orders-dev", Name="other", FunctionVersion="3")
    weights: Any = {"AdditionalVersionWeights": {"2": 0.1}}
    client.update_alias(FunctionName="orders-dev", Name=naming.ALIAS, RoutingConfig=weights)
    _, facts = run(DEV)
    assert {each["version"]: each["reason"] for each in facts["versions"] if not each["due"]} == {
        "6": "live",
        "5": "the alias closed names it",
        "3": "the alias other names it",
        "2": "the alias live sends it a part",
    }
    assert functions.floors("orders-dev") == {"6": 3, "5": 3, "3": 3, "2": 3}


def test_an_execution_that_begins_before_a_version_is_deleted_spares_it(functions: Functions, run: Run) -> None:
    functions.make("orders-dev", naming.tags("dev"))
    # At the first look all is seen, at the second version 3 is about to go, at the third version 2.
    functions.looks = [nothing, nothing, lambda: functions.busy.append("2")]
    code, facts = run(DEV)
    assert functions.floors("orders-dev") == {"4": 3, "2": 1}
    spared = next(each for each in facts["versions"] if each["version"] == "2")
    assert (spared["due"], spared["reason"], spared["running"]) == (False, "executions have begun on it", 1)
    assert (code, facts["freed_environments"]) == (0, 3 + 3 + 2)


def test_what_can_not_be_deleted_is_told_and_the_rest_goes(
    functions: Functions, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.make("orders-dev", naming.tags("dev"))

    def name_version_3() -> None:
        functions.client.create_alias(FunctionName="orders-dev", Name="other", FunctionVersion="3")

    functions.looks = [nothing, name_version_3]
    code, facts = run(DEV)
    assert functions.floors("orders-dev") == {"4": 3, "3": 3}
    assert (code, facts["freed_environments"]) == (1, 6)
    assert "Failed: orders-dev:3: " in capsys.readouterr().out


def test_a_version_that_a_deployment_has_just_published_stays(
    functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("orders-dev", naming.tags("dev"))

    def describe(session: boto3.Session, name: str) -> Any:
        found = stack.describe(session, name)
        functions.publish(name)
        return found

    monkeypatch.setattr(prune, "describe", describe)
    run(DEV)
    assert functions.floors("orders-dev") == {"5": 3, "4": 3}


@pytest.mark.parametrize(
    "status", ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_FAILED"]
)
def test_a_stack_that_is_not_at_rest_holds_it(
    status: str, functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("orders-dev", naming.tags("dev"), count=2)
    monkeypatch.setattr(prune, "describe", answering({"StackName": "orders-dev", "StackStatus": status}))
    code, facts = run(DEV)
    assert functions.floors("orders-dev") == {"2": 3, "1": 3}
    assert (code, facts["versions"][1]["reason"]) == (0, f"its stack is {status}")


def test_a_deployment_a_moment_ago_holds_it(functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    functions.make("orders-dev", naming.tags("dev"), count=2)
    monkeypatch.setattr(prune, "SETTLED_AFTER", timedelta(hours=1))
    _, facts = run(DEV)
    assert functions.floors("orders-dev") == {"2": 3, "1": 3}
    assert "deployed a moment ago" in facts["versions"][1]["reason"]


def test_a_function_without_its_stack_holds_it(functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    functions.make("orders-dev", naming.tags("dev"), count=2)
    monkeypatch.setattr(prune, "describe", answering(None))
    _, facts = run(DEV)
    assert functions.floors("orders-dev") == {"2": 3, "1": 3}
    assert facts["versions"][1]["reason"] == "there is no stack orders-dev"


def test_the_version_of_the_stack_is_read_from_its_outputs(
    functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    functions.make("orders-dev", naming.tags("dev"), count=2)
    found = {
        "StackStatus": "UPDATE_COMPLETE",
        "CreationTime": datetime.now(UTC),
        "Outputs": [{"OutputKey": "Version", "OutputValue": "1"}],
    }
    monkeypatch.setattr(prune, "describe", answering(found))
    run(DEV)
    assert functions.floors("orders-dev") == {"2": 3, "1": 1}


def test_every_preview_is_pruned_and_one_that_fails_hides_no_other(
    functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (7, 8, 9):
        functions.make(f"orders-pr-{number}", naming.tags("preview", number) if number != 9 else {}, count=2)

    def look(session: boto3.Session, function: str) -> Seen:
        if function == "orders-pr-7":
            raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "ListAliases")
        return seen(session, function)

    seen = prune.look
    monkeypatch.setattr(prune, "look", look)
    code, facts = run(PREVIEW)
    assert code == 1
    assert functions.floors("orders-pr-8") == {"2": 3}
    assert set(functions.floors("orders-pr-7")) == set(functions.floors("orders-pr-9")) == {"2", "1"}
    assert "TooManyRequestsException" in facts["failures"][0]


def test_where_there_is_no_function_it_says_so(
    functions: Functions, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert functions.busy == []
    assert run(DEV)[0] == 0
    assert "There is no function orders-dev" in capsys.readouterr().out
    assert run(PREVIEW)[0] == 0
    assert "preview has no preview" in capsys.readouterr().out


@pytest.mark.parametrize("left", [79, 80])
def test_a_capacity_provider_with_many_versions_is_a_warning(
    left: int, functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    functions.make("orders-dev", naming.tags("dev"), count=2)
    monkeypatch.setattr(versions, "on_provider", answering(left + 1))
    _, facts = run(DEV)
    assert facts["versions_on_provider"] == left
    told = capsys.readouterr().out
    assert f"{left} of 100 versions" in told
    assert ("Warning: AWS takes no more than 100" in told) is (left == 80)


def test_the_summary_of_a_workflow_is_a_table_in_which_failures_are_quoted(
    functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    functions.make("orders-dev", naming.tags("dev"), count=2)

    def fail(*_: object) -> None:
        raise ClientError({"Error": {"Code": "Some", "Message": "<img src=x>"}}, "DeleteFunction")

    monkeypatch.setattr(versions, "delete", fail)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert run(DEV)[0] == 1
    summary = (tmp_path / "summary.md").read_text()
    assert "| orders-dev:2 | kept | 0 | 3 | live |" in summary
    assert "| orders-dev:1 | failed | 0 | 3 | nothing names it or runs on it |" in summary
    assert "- `Failed: orders-dev:1: " in summary
    assert "<" not in summary


def test_what_can_not_be_scaled_down_is_told_and_frees_nothing(
    functions: Functions, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ClientError({"Error": {"Code": "ResourceConflictException"}}, "PutFunctionScalingConfig")

    functions.make("orders-dev", naming.tags("dev"), count=2)
    functions.busy = ["1"]
    monkeypatch.setattr(versions, "set_floor", fail)
    code, facts = run(DEV)
    assert (code, facts["freed_environments"]) == (1, 0)
    assert "PutFunctionScalingConfig" in facts["failures"][0]
