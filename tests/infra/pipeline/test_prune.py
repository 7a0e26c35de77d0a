"""Which versions pruning deletes and scales down: decided on what was seen, and looked at again before it is done."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from infra import naming
from infra.console.report import Report
from infra.environment import Environment
from infra.pipeline import prune
from infra.pipeline.prune import Seen
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target
from tests.infra.fakes.environments import DEV, DEV_OF_TWO, PREVIEW, TWO, environment

NAME, REFUNDS = "acme-dev-billing", "acme-dev-refunds"
PROVIDER = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:some"


def decided(
    retained: int, aliases: dict[str, str], running: dict[str, int] | None = None, **seen: Any
) -> dict[str, tuple[str | None, int]]:
    """Decide on versions 1 to 5 with three environments each: the reason to keep each, and its floor afterwards."""
    floors = {str(number): 3 for number in (5, 4, 3, 2, 1)} | seen.pop("floors", {})
    known = {"deployed": None, "hold": None} | seen
    outcomes = prune.decide(Seen(NAME, floors, aliases, running or {}, **known), retained)
    return {each.version: (None if each.due else each.reason, each.floor_after) for each in outcomes}


def test_what_no_alias_names_and_nothing_runs_on_goes_and_the_newest_of_it_stay() -> None:
    retained = ("retained, to go back to", 0)
    gone = (None, 0)
    live = {"5": "live"}
    assert decided(0, live) == {"5": ("live", 3), "4": gone, "3": gone, "2": gone, "1": gone}
    assert decided(2, live) == {"5": ("live", 3), "4": retained, "3": retained, "2": gone, "1": gone}
    assert set(decided(20, live).values()) == {("live", 3), retained}


def test_versions_newer_than_the_live_one_count_among_the_others() -> None:
    found = decided(1, {"3": "live"})
    assert found["5"] == ("retained, to go back to", 0)
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
    assert decided(0, {"4": "live"}, deployed="5")["5"] == ("a deployment that fails goes back to it", 0)


def test_nothing_is_touched_while_the_stack_is_not_at_rest() -> None:
    found = decided(0, {"5": "live"}, hold="its stack is UPDATE_IN_PROGRESS")
    assert {version: found[version] for version in ("4", "1")} == {
        "4": ("its stack is UPDATE_IN_PROGRESS", 3),
        "1": ("its stack is UPDATE_IN_PROGRESS", 3),
    }


def test_a_version_that_is_asleep_stays_so_unless_something_runs_on_it() -> None:
    asleep = {"4": 0, "3": 0}
    found = decided(4, {"5": "live"}, running={"3": 1}, floors=asleep)
    assert found["4"] == ("retained, to go back to", 0)
    assert found["3"] == ("executions run on it", 1)


def test_a_live_version_that_is_asleep_is_left_so() -> None:
    assert decided(0, {"5": "live"}, floors={"5": 0})["5"] == ("live", 0)


def make(aws: FakeAws, name: str, *versions: str, tags: dict[str, str]) -> None:
    """Let there be a function whose last version is live, in a stack that was deployed a day ago."""
    aws.formation.stack(name, tags)
    aws.lambda_.function(name, *versions)
    on_provider = aws.lambda_.on_provider.setdefault(PROVIDER, [])
    on_provider += [f"{aws.lambda_.arn_of(name)}:{version}" for version in versions]


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with dev's function in four versions, with an execution on the second that is paused."""
    aws = FakeAws()
    outputs = {"CapacityProviderArn": PROVIDER}
    aws.formation.stack("acme-platform-dev", naming.tags(DEV), outputs=outputs)
    make(aws, NAME, "1", "2", "3", "4", tags=naming.tags(DEV))
    aws.lambda_.execution(NAME, "run-1", "PAUSED", "2")
    return aws


def pruned(aws: FakeAws, *options: str, on: Environment = DEV) -> Report:
    return run(prune, target(aws, on), *options)


def floors(aws: FakeAws, name: str = NAME) -> dict[str, int]:
    return {version: scaling["least"] for version, scaling in aws.lambda_.functions[name].versions.items()}


def reasons(report: Report) -> dict[str, str]:
    """Return why versions stay."""
    versions: Any = report.facts["versions"]
    return {each["version"]: each["reason"] for each in versions if not each["due"]}


def text(report: Report) -> list[str]:
    return [line for line in report.lines if isinstance(line, str)]


UNTOUCHED = {"1": 3, "2": 3, "3": 3, "4": 3}


def test_it_deletes_and_scales_down_and_tells_what_was_freed(aws: FakeAws) -> None:
    report = pruned(aws)
    assert floors(aws) == {"2": 1, "4": 3}
    assert aws.lambda_.functions[NAME].versions["2"]["most"] == 4
    assert reasons(report) == {"4": "live", "2": "executions run on it"}
    assert (report.code, report.facts["freed_environments"], report.facts["versions_on_provider"]) == (0, 3 + 3 + 2, 2)
    assert text(report)[1:] == [
        "8 execution environments were freed",
        "2 of 100 versions are on the capacity provider of dev",
    ]
    rows = report.markdown.split("\n")
    assert rows[2:6] == [
        "| 4 | kept | 0 | 3 | live |",
        "| 3 | deleted | 0 | 3 to 0 | nothing names it or runs on it |",
        "| 2 | kept | 1 | 3 to 1 | executions run on it |",
        "| 1 | deleted | 0 | 3 to 0 | nothing names it or runs on it |",
    ]


def test_a_dry_run_does_nothing_and_tells_all(aws: FakeAws) -> None:
    report = pruned(aws, "--dry-run")
    assert floors(aws) == UNTOUCHED
    assert (report.code, report.facts["freed_environments"], report.facts["versions_on_provider"]) == (0, 8, 4)
    assert "| 3 | would be deleted | 0 | 3 to 0 |" in report.markdown
    assert "8 execution environments would be freed" in report.markdown


def test_the_newest_of_what_nothing_names_is_retained(aws: FakeAws) -> None:
    assert pruned(aws, on=environment(function={"retained_versions": 1})).code == 0
    assert floors(aws) == {"2": 1, "3": 0, "4": 3}
    assert aws.lambda_.functions[NAME].versions["3"]["most"] == 0


def test_a_version_that_fell_asleep_under_an_execution_wakes(aws: FakeAws) -> None:
    aws.lambda_.functions[NAME].versions["2"].update(least=0, most=0)
    report = pruned(aws)
    assert aws.lambda_.functions[NAME].versions["2"] == {"least": 1, "most": DEV.function.maximum_environments}
    assert "| 2 | kept | 1 | 0 to 1 | executions run on it |" in report.markdown


def goes_back(aws: FakeAws) -> None:
    aws.lambda_.functions[NAME].aliases[naming.ALIAS].update({"FunctionVersion": "3"})


# Before: at the second look. Then: at the third, after the version was put to sleep.
@pytest.mark.parametrize("call", [2, 3], ids=["before", "then"])
def test_a_version_that_is_gone_back_to_while_it_is_put_to_sleep_is_awake(call: int, aws: FakeAws) -> None:
    aws.lambda_.functions[NAME].versions["3"].update(least=2, most=7)
    aws.on("ListAliases", lambda: goes_back(aws), call=call)
    report = pruned(aws, on=environment(function={"retained_versions": 1}))
    assert aws.lambda_.functions[NAME].versions["3"] == {"least": 2, "most": 7}
    assert (reasons(report)["3"], report.code) == ("live", 0)


@pytest.mark.parametrize(("call", "environments"), [(2, 1), (3, 3)], ids=["before", "then"])
def test_a_version_on_which_an_execution_begins_while_it_is_put_to_sleep_is_awake(
    call: int, environments: int, aws: FakeAws
) -> None:
    begins = aws.lambda_.execution
    aws.on("ListDurableExecutionsByFunction", lambda: begins(NAME, "run-2", version="3"), call=call)
    report = pruned(aws, on=environment(function={"retained_versions": 1}))
    assert floors(aws)["3"] == environments
    assert (reasons(report)["3"], report.code) == ("executions have begun on it", 0)


def test_every_alias_counts_and_the_versions_that_it_sends_a_part_to(aws: FakeAws) -> None:
    make(aws, NAME, *"123456", tags=naming.tags(DEV))
    aliases = aws.lambda_.functions[NAME].aliases
    aliases[naming.ALIAS]["RoutingConfig"] = {"AdditionalVersionWeights": {"2": 0.1}}
    aliases |= {name: {"FunctionVersion": version} for name, version in (("closed", "5"), ("other", "3"), ("z", "6"))}
    assert reasons(pruned(aws)) == {
        "6": "live",
        "5": "the alias closed names it",
        "3": "the alias other names it",
        "2": "the alias live sends it a part",
    }
    assert floors(aws) == {"2": 3, "3": 3, "5": 3, "6": 3}


def test_an_execution_that_begins_before_a_version_is_deleted_spares_it(aws: FakeAws) -> None:
    # At the first look all is seen, at the second version 3 is about to go, and at the fourth, after 2, version 1.
    aws.on("ListDurableExecutionsByFunction", lambda: aws.lambda_.execution(NAME, "run-2", version="1"), call=4)
    report = pruned(aws)
    assert floors(aws) == {"1": 1, "2": 1, "4": 3}
    assert reasons(report)["1"] == "executions have begun on it"
    assert "| 1 | kept | 1 | 3 to 1 | executions have begun on it |" in report.markdown
    assert (report.code, report.facts["freed_environments"]) == (0, 3 + 2 + 2)


@pytest.mark.parametrize("version", ["3", "2"], ids=["about to be deleted", "about to be scaled down"])
@pytest.mark.parametrize("reason", ["live", "the alias live sends it a part"])
def test_a_version_that_somebody_goes_back_to_meanwhile_is_left_as_it_is(
    reason: str, version: str, aws: FakeAws
) -> None:
    part = {"RoutingConfig": {"AdditionalVersionWeights": {version: 0.1}}}
    change = {"FunctionVersion": version} if reason == "live" else part
    aws.on("ListAliases", lambda: aws.lambda_.functions[NAME].aliases[naming.ALIAS].update(change), call=2)
    report = pruned(aws)
    assert floors(aws)[version] == 3
    assert (reasons(report)[version], report.code) == (reason, 0)


def test_what_can_not_be_deleted_is_told_and_the_rest_goes(aws: FakeAws) -> None:
    aws.deny("DeleteFunction", "<img src=x>")
    report = pruned(aws)
    assert floors(aws) == {"2": 1, "3": 3, "4": 3}
    assert (report.code, report.facts["freed_environments"], report.facts["versions_on_provider"]) == (1, 5, 3)
    assert "| 3 | failed | 0 | 3 | nothing names it or runs on it |" in report.markdown
    assert f"- `Failed: {NAME}:3: " in report.markdown
    assert text(report)[-1].startswith(f"Failed: {NAME}:3: ")


def test_what_can_not_be_scaled_down_is_told_and_frees_nothing(aws: FakeAws) -> None:
    aws.deny("PutFunctionScalingConfig")
    report = pruned(aws)
    assert floors(aws) == {"2": 3, "4": 3}
    assert (report.code, report.facts["freed_environments"]) == (1, 6)


def publish(aws: FakeAws) -> None:
    """Let a deployment publish a version, which no alias names yet."""
    aws.formation.stacks[NAME]["StackStatus"] = "UPDATE_IN_PROGRESS"
    aws.lambda_.functions[NAME].versions["5"] = {"least": 3, "most": 4}


def test_a_deployment_that_begins_before_the_versions_are_listed_holds_it(aws: FakeAws) -> None:
    aws.on("ListVersionsByFunction", lambda: publish(aws))
    pruned(aws)
    assert floors(aws) == UNTOUCHED | {"5": 3}


def test_a_version_that_is_published_after_they_were_listed_stays(aws: FakeAws) -> None:
    aws.on("ListAliases", lambda: publish(aws))
    pruned(aws)
    assert floors(aws) == {"2": 1, "4": 3, "5": 3}


@pytest.mark.parametrize(
    ("stack", "reason"),
    [
        ({"StackStatus": "UPDATE_IN_PROGRESS"}, "its stack is UPDATE_IN_PROGRESS"),
        ({"StackStatus": "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"}, "its stack is UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ({"StackStatus": "UPDATE_ROLLBACK_FAILED"}, "its stack is UPDATE_ROLLBACK_FAILED"),
        ({"LastUpdatedTime": FakeAws().clock.now() - timedelta(seconds=59)}, "it was deployed a moment ago"),
    ],
)
def test_a_function_whose_stack_is_not_at_rest_is_left_as_it_is(
    stack: dict[str, Any], reason: str, aws: FakeAws
) -> None:
    aws.formation.stacks[NAME].update(stack)
    report = pruned(aws)
    assert floors(aws) == UNTOUCHED
    assert all(each.startswith(reason) for version, each in reasons(report).items() if version != "4")
    assert report.code == 0


def test_a_function_whose_stack_goes_meanwhile_is_left_as_it_is(aws: FakeAws) -> None:
    aws.on("ListVersionsByFunction", lambda: aws.formation.stacks.pop(NAME))
    report = pruned(aws)
    assert floors(aws) == UNTOUCHED
    assert reasons(report)["1"] == f"there is no stack {NAME}"


def test_the_version_of_the_stack_stays_to_go_back_to(aws: FakeAws) -> None:
    aws.formation.stacks[NAME]["Outputs"] = [{"OutputKey": "Version", "OutputValue": "3"}]
    assert reasons(pruned(aws))["3"] == "a deployment that fails goes back to it"
    assert floors(aws) == {"2": 1, "3": 0, "4": 3}


def test_every_preview_of_ours_is_pruned_and_one_that_fails_hides_no_other() -> None:
    def unreachable() -> None:
        raise EndpointConnectionError(endpoint_url="some")

    aws = FakeAws()
    names = [naming.function(PREVIEW, "billing", number) for number in (7, 8, 9)]
    for number, name in zip((7, 8, 7), names, strict=True):
        make(aws, name, "1", "2", tags=naming.tags(PREVIEW, number))
    aws.on("ListAliases", unreachable)
    report = pruned(aws, on=PREVIEW)
    assert [floors(aws, name) for name in names] == [{"1": 3, "2": 3}, {"2": 3}, {"1": 3, "2": 3}]
    assert report.code == 1
    assert report.facts["failures"] == [
        f'{names[0]} could not be looked at: Could not connect to the endpoint URL: "some"'
    ]


def test_where_there_is_no_function_it_says_so() -> None:
    assert (pruned(FakeAws()).lines, pruned(FakeAws()).code) == (["There is no function of acme-dev"], 0)
    assert pruned(FakeAws(), on=PREVIEW).lines == ["preview has no preview"]


@pytest.mark.parametrize("left", [79, 80])
def test_a_capacity_provider_with_many_versions_is_a_warning(left: int, aws: FakeAws) -> None:
    aws.lambda_.on_provider[PROVIDER] += [f"{aws.lambda_.arn_of('guest')}:{number}" for number in range(left - 2)]
    report = pruned(aws)
    assert report.facts["versions_on_provider"] == left
    assert f"{left} of 100 versions" in report.markdown
    assert ("Warning: AWS takes no more than 100" in report.markdown) is (left == 80)


@pytest.fixture
def of_two(aws: FakeAws) -> FakeAws:
    """The same with a second function in three versions, on none of which anything runs."""
    make(aws, REFUNDS, "1", "2", "3", tags=naming.tags(DEV))
    return aws


def test_each_of_several_functions_is_pruned_and_named(of_two: FakeAws) -> None:
    report = pruned(of_two, on=DEV_OF_TWO)
    assert (floors(of_two), floors(of_two, REFUNDS)) == ({"2": 1, "4": 3}, {"3": 3})
    assert [row.split(" | ")[0] for row in report.markdown.split("\n")[2:9]] == [
        *(f"| {NAME}:{version}" for version in (4, 3, 2, 1)),
        *(f"| {REFUNDS}:{version}" for version in (3, 2, 1)),
    ]
    assert (report.facts["freed_environments"], report.facts["versions_on_provider"]) == (8 + 6, 3)


def test_each_function_retains_as_many_as_it_has_of_its_own(of_two: FakeAws) -> None:
    own = {**dict(DEV.function), "retained_versions": 2, "durable": dict(DEV.durable)}
    pruned(of_two, on=environment(function_names=TWO, functions={"refunds": own}))
    assert (floors(of_two), floors(of_two, REFUNDS)) == ({"2": 1, "4": 3}, {"1": 0, "2": 0, "3": 3})


def test_a_function_whose_code_is_gone_is_pruned_and_one_of_somebody_else_is_not(of_two: FakeAws) -> None:
    make(of_two, "acme-dev-other", "1", "2", tags={})
    pruned(of_two)
    assert (floors(of_two, REFUNDS), floors(of_two, "acme-dev-other")) == ({"3": 3}, {"1": 3, "2": 3})


def test_one_function_is_pruned_alone(of_two: FakeAws) -> None:
    report = run(prune, target(of_two, DEV_OF_TWO, only="refunds"))
    assert (floors(of_two), floors(of_two, REFUNDS)) == (UNTOUCHED, {"3": 3})
    assert report.markdown.split("\n")[2] == "| 3 | kept | 0 | 3 | live |"


def test_one_function_that_can_not_be_looked_at_hides_no_other(of_two: FakeAws) -> None:
    of_two.deny("ListAliases")
    report = pruned(of_two, on=DEV_OF_TWO)
    assert (report.code, floors(of_two), floors(of_two, REFUNDS)) == (1, UNTOUCHED, {"3": 3})
    assert f"{NAME} could not be looked at" in report.markdown
    assert f"| {REFUNDS}:3 | kept" in report.markdown
