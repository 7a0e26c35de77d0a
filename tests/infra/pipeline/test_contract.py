"""The command around the checks: what it asks first, where it refuses, what it undoes, and what it tells."""

import json

import pytest

from infra.assumptions.check import PRICES, Experiment
from infra.errors import CommandError, UsageError
from infra.pipeline import contract
from tests.infra.assumptions.observed import NAME, WHOLE, ObservedAws, asked, outcomes
from tests.infra.fakes.commands import facts, run, target, told, typed
from tests.infra.fakes.environments import PREVIEW, PROD

READS, STARTS, PUBLISHES = "the_quota_of_vcpus_has_this_code", "an_execution_is_listed_soon", "a_version_becomes_active"


@pytest.fixture
def aws() -> ObservedAws:
    return ObservedAws()


def writes(aws: ObservedAws) -> list[str]:
    return [name for name, _ in aws.calls if not name.startswith(("Get", "List", "Describe"))]


@pytest.mark.parametrize(
    ("only", "experiments"),
    [
        (READS, [Experiment.READING]),
        (f"{READS},{PUBLISHES}", [Experiment.READING, Experiment.VERSION]),
        (f"{READS},{STARTS},{PUBLISHES}", [*Experiment]),
    ],
)
def test_what_it_takes_is_told_before_it_is_agreed_to(
    only: str,
    experiments: list[Experiment],
    aws: ObservedAws,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, "n")
    with pytest.raises(CommandError, match="nothing was changed"):
        run(contract, target(aws, WHOLE), "--only", only)
    assert writes(aws) == []
    said = capsys.readouterr().err
    assert f"{only.count(',') + 1} checks, of {NAME} in eu-west-1" in said
    prices = [f"  {each.what}: about {each.minutes:g} minutes" for each in PRICES.values()]
    assert [each for each in prices if each in said] == [prices[each] for each in experiments]


def test_it_begins_once_that_is_agreed_to(aws: ObservedAws, monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch, "yes")
    assert outcomes(run(contract, target(aws, WHOLE), "--only", READS)) == {READS: "holds"}


def test_without_a_terminal_somebody_has_to_agree_beforehand(aws: ObservedAws) -> None:
    with pytest.raises(UsageError, match="--yes"):
        run(contract, target(aws, WHOLE))
    assert aws.calls == []


def test_an_environment_that_retains_its_data_is_refused(aws: ObservedAws) -> None:
    with pytest.raises(UsageError, match=r"environments/prod.toml: protection.removal_policy = 'retain'"):
        asked(aws, on=PROD)
    assert aws.calls == []


def test_the_platform_below_previews_is_refused(aws: ObservedAws) -> None:
    with pytest.raises(UsageError, match="add --pull-request N"):
        asked(aws, on=PREVIEW)


def test_a_check_that_there_is_not_is_named(aws: ObservedAws) -> None:
    with pytest.raises(UsageError, match=r"no check nonsense; docs/assumptions.md lists them"):
        asked(aws, "--only", f"nonsense,{READS}")
    assert aws.calls == []


def test_nothing_is_asked_of_what_is_not_deployed(aws: ObservedAws) -> None:
    del aws.formation.stacks[NAME]
    with pytest.raises(CommandError, match="deploy it first"):
        asked(aws)
    assert writes(aws) == []


def test_nothing_is_asked_of_what_somebody_deploys_at_this_moment(aws: ObservedAws) -> None:
    aws.formation.stacks[NAME]["StackStatus"] = "UPDATE_IN_PROGRESS"
    with pytest.raises(CommandError, match=f"{NAME} is UPDATE_IN_PROGRESS"):
        asked(aws)
    assert writes(aws) == []


def test_what_is_denied_or_fails_is_not_reached_and_the_others_are(aws: ObservedAws) -> None:
    aws.deny("GetServiceQuota")
    report = asked(aws, "--only", f"{READS},the_quota_of_starts_has_this_code")
    assert [*outcomes(report).values()] == ["not reached", "holds"]
    assert report.code == 0
    assert f"not reached {READS}: GetServiceQuota answers AccessDeniedException: no GetServiceQuota" in told(report)


def test_an_experiment_that_fails_is_made_once(aws: ObservedAws) -> None:
    aws.deny("PublishVersion", "CodeStorageExceededException")
    report = asked(aws, "--only", f"{PUBLISHES},a_version_sleeps_within_minutes")
    assert {*outcomes(report).values()} == {"not reached"}
    assert aws.count("PublishVersion") == 1
    assert aws.lambda_.description == ""


def test_an_answer_that_can_not_be_read_differs(aws: ObservedAws) -> None:
    aws.changes["GetServiceQuota"] = lambda answer: answer["Quota"].pop("QuotaName")
    report = asked(aws, "--only", READS)
    (found,) = facts(report)["checks"]
    assert (found["outcome"], found["expected"]) == ("differs", "an answer as the API's model has it")


def test_a_version_that_others_published_is_never_deleted(aws: ObservedAws) -> None:
    # Lambda answers with the newest one where it finds nothing new.
    aws.changes["PublishVersion"] = lambda answer: answer.update(Version="1")
    report = asked(aws, "--only", PUBLISHES)
    assert outcomes(report) == {PUBLISHES: "not reached"}
    assert "1" not in [each["Qualifier"] for each in aws.asked("DeleteFunction")]


def test_what_could_not_be_undone_is_told_and_fails(aws: ObservedAws) -> None:
    aws.deny("DeleteFunction")
    report = asked(aws, "--only", PUBLISHES)
    assert (outcomes(report), report.code) == ({PUBLISHES: "holds"}, 1)
    (left,) = facts(report)["left_behind"]
    assert left.startswith("version 2: AWS: An error occurred (AccessDeniedException)")
    assert f"left behind: {left}" in told(report, 200)


def test_an_interrupt_undoes_what_was_done(aws: ObservedAws) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    aws.on("ListFunctionVersionsByCapacityProvider", interrupt)
    with pytest.raises(KeyboardInterrupt):
        asked(aws, "--only", "a_version_becomes_active,a_version_takes_a_place_on_the_provider")
    assert list(aws.function.versions) == ["1"]
    assert aws.lambda_.description == ""


def test_a_difference_is_told_with_what_relies_on_it_and_without_the_account(aws: ObservedAws) -> None:
    aws.lambda_.on_provider.clear()
    name = "a_provider_lists_the_version_that_is_live"
    report = asked(aws, "--only", name)
    said = told(report, 200)
    assert f"differs     {name}\n  we say     The versions on a capacity provider" in said
    assert "expected   ...:function:acme-dev-billing:1\n  found      none" in said
    assert "relied on  in infra/aws/capacity_provider.py" in said
    assert "0 hold, 1 differ, 0 were not reached" in said
    assert WHOLE.account not in json.dumps(report.facts)


def test_accounts_are_left_out(aws: ObservedAws) -> None:
    report = asked(aws, "--only", "the_parameter_names_the_provider")
    (found,) = facts(report)["checks"]
    assert ":ACCOUNT:" in found["found"]
    assert WHOLE.account not in json.dumps(report.facts)


def test_the_report_names_the_file_that_is_to_be_sent(aws: ObservedAws) -> None:
    aws.names = dict.fromkeys(aws.names, "another")
    report = asked(aws, "--only", READS)
    assert "Send what --report FILE writes to the repository that this one was forked from" in told(report)
