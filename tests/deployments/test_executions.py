"""Executions of the deployed functions: the real CDK CLI, the real bundles and real waits, on the local AWS."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from botocore.exceptions import ClientError

from infra import contract, naming
from infra.assumptions.check import Outcome
from infra.aws.target import Target
from tests.checkout import FOLDER
from tests.deployments.deployment import ENVIRONMENT, event, follow, name, start, synthesize

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


OUTCOMES = get_args(Outcome)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesize(tmp_path_factory.mktemp("deployed"))


@pytest.fixture(scope="module")
def deployed(deploy: Callable[[Path], int], target: Target, assembly: Path) -> Target:
    assert deploy(assembly) == 0
    return target


def problems(target: Target, folder: str, identifier: str, arn: str) -> list[str]:
    """Follow an execution to its end, and return what of its function's contract it broke."""
    function = target.function(folder)
    ended = follow(function, arn)
    return contract.problems(contract.load(folder), identifier, ended, function.history(arn))


@pytest.mark.parametrize("folder", ENVIRONMENT.function_names)
def test_an_asynchronous_execution_keeps_every_promise(deployed: Target, folder: str) -> None:
    identifier = name()
    arn = deployed.function(folder).start(identifier, event(identifier, folder))
    assert problems(deployed, folder, identifier, arn) == []


@pytest.mark.parametrize("folder", ENVIRONMENT.function_names)
def test_a_synchronous_execution_answers_with_the_result(deployed: Target, client: "LambdaClient", folder: str) -> None:
    identifier = name()
    response = client.invoke(
        FunctionName=f"{deployed.function_name(folder)}:{naming.ALIAS}",
        DurableExecutionName=identifier,
        Payload=event(identifier, folder),
    )
    assert "FunctionError" not in response
    arn = response["DurableExecutionArn"]
    assert problems(deployed, folder, identifier, arn) == []
    assert json.loads(response["Payload"].read()) == follow(deployed.function(folder), arn).result


def test_the_same_name_starts_one_execution(deployed: Target) -> None:
    function, identifier = deployed.function(FOLDER), name()
    first, second = (start(function, identifier) for _ in range(2))
    assert first == second
    with pytest.raises(ClientError, match="DurableExecutionAlreadyStartedException"):
        function.start(identifier, json.dumps({"another": identifier}).encode())


# What the local AWS does otherwise than we say of AWS, as docs/local-limits.md has it, or where AWS says nothing.
LOCALLY_DIFFERENT = {
    "a_denial_has_a_code_that_we_know",  # it enforces no permissions here, and knows no such account
    "a_provider_counts_numbers_alone",  # it lists $LATEST.PUBLISHED, whatever its scaling is
    "data_is_told_where_it_is_asked_for",  # its runner tells the data always
    "what_has_ended_is_not_stopped",  # its runner takes it
    "lines_are_json",  # what starts and ends an invocation is plain text
    "a_sleeping_version_is_deactivated",  # scaling is a record
    "a_sleeping_version_refuses_starts",
    "a_version_with_executions_is_not_deleted",  # it is deleted, and they fail
}
# What it has no instances, quotas, drift detection or secrets for; and what one function in one environment can't show.
UNANSWERED = {
    "a_deployment_needs_no_more_than_its_policies",
    "a_provider_does_not_drift_by_itself",
    "a_secret_does_not_drift_by_itself",
    "a_secret_is_named_by_its_resource",
    "an_instance_has_the_tags_of_its_provider",
    "an_instance_has_four_vcpus",
    "an_environment_is_an_instance",
    "an_instance_has_no_disk_that_we_pay_for",
    "the_quota_of_vcpus_has_this_code",
    "the_quota_of_starts_has_this_code",
    "a_condition_that_is_not_met_names_its_next_poll",
    "checkpoints_go_through_an_endpoint",
    "lines_name_their_execution",
}


def test_what_we_say_of_aws_is_so_here_but_for_what_the_local_aws_does_otherwise(
    deployed: Target, pipeline: Callable[..., int], tmp_path: Path
) -> None:
    before = deployed.function(FOLDER).versions()
    report = tmp_path / "contract.json"
    pipeline("contract", "--yes", "--report", str(report), "--function", FOLDER)
    found = json.loads(report.read_text())
    by_outcome = {
        outcome: {each["name"] for each in found["checks"] if each["outcome"] == outcome} for outcome in OUTCOMES
    }
    assert by_outcome["differs"] <= LOCALLY_DIFFERENT, found
    assert by_outcome["not reached"] <= UNANSWERED, found
    assert (found["left_behind"], deployed.function(FOLDER).versions()) == ([], before)


def test_a_doctor_finds_nothing_in_the_way_of_the_next_deployment(
    deployed: Target, pipeline: Callable[..., int], assembly: Path, tmp_path: Path
) -> None:
    assert deployed
    report = tmp_path / "doctor.json"
    assert pipeline("doctor", "--assembly", str(assembly), "--report", str(report)) == 0
    unlike = {each["what"]: each["state"] for each in json.loads(report.read_text())["lines"] if each["state"] != "ok"}
    # The local AWS has no quotas to read.
    assert unlike == {"quota of vCPUs": "can't tell", "quota of starts": "can't tell"}
