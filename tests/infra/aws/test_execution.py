"""What is read of a durable execution: of one that can't be told to a version, nothing is believed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from infra.aws.execution import Execution, Listed
from infra.errors import CommandError

FUNCTION = "arn:aws:lambda:eu-west-1:111111111111:function:some"
ARN = f"{FUNCTION}:7/durable-execution/run-1/3f0c"
STARTED = datetime(2026, 1, 1, tzinfo=UTC)
READ: Any = {"DurableExecutionArn": ARN, "DurableExecutionName": "run-1", "Status": "SUCCEEDED", "Version": "7"}


def listed(arn: str) -> Listed:
    entry: Any = {"DurableExecutionName": "run-1", "Status": "RUNNING", "StartTimestamp": STARTED}
    return Listed.read(entry | {"DurableExecutionArn": arn})


def test_an_entry_of_a_list_is_told_to_its_version_by_its_arn() -> None:
    assert listed(ARN) == Listed(ARN, "run-1", "7", "RUNNING", STARTED)


@pytest.mark.parametrize(
    "arn", ["", "run-1", FUNCTION, f"{FUNCTION}:7", f"{FUNCTION}/durable-execution/run-1/3f0c", f"{ARN}/more"]
)
def test_an_arn_that_does_not_parse_is_an_error_since_versions_are_deleted_by_it(arn: str) -> None:
    with pytest.raises(CommandError, match="can't be told to a version"):
        listed(arn)


@pytest.mark.parametrize(("told", "result"), [({}, None), ({"Result": ""}, None), ({"Result": '{"a": 1}'}, {"a": 1})])
def test_a_result_is_read_as_json(told: dict[str, str], result: object) -> None:
    assert Execution.read(READ | told).result == result


@pytest.mark.parametrize(
    ("told", "error"),
    [
        ({}, None),
        ({"ErrorType": "InvalidBill"}, "InvalidBill"),
        ({"ErrorType": "InvalidBill", "ErrorMessage": "billId is missing"}, "InvalidBill: billId is missing"),
    ],
)
def test_an_error_is_its_type_and_its_message(told: dict[str, str], error: str | None) -> None:
    assert Execution.read(READ | ({"Error": told} if told else {})).error == error
