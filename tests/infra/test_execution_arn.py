import pytest

from infra.execution_arn import ExecutionArn

FUNCTION = "arn:aws:lambda:eu-west-1:111111111111:function:some_function-1"
ARN = f"{FUNCTION}:7/durable-execution/bill-1/9f8e7d6c-0000"


@pytest.mark.parametrize("version", ["7", "12", "$LATEST", "$LATEST.PUBLISHED"])
def test_an_arn_is_made_as_it_was_read(version: str) -> None:
    made = ExecutionArn(FUNCTION, version, "bill-1", "9f8e7d6c-0000")
    assert ExecutionArn.parse(str(made)) == made


def test_its_parts_are_the_function_s_the_version_s_the_name_and_the_id() -> None:
    parsed = ExecutionArn.parse(ARN)
    assert str(parsed) == ARN
    assert parsed == ExecutionArn(FUNCTION, "7", "bill-1", "9f8e7d6c-0000")
    assert parsed.version_arn == f"{FUNCTION}:7"


@pytest.mark.parametrize(
    "text",
    [
        "",
        FUNCTION,
        f"{FUNCTION}:7",
        ARN.replace(":7/", "/"),
        ARN.replace(":7/", ":live/"),
        ARN.replace(":7/", ":7:8/"),
        ARN.replace("bill-1", ""),
        ARN.replace("bill-1", "bill 1"),
        ARN.replace("bill-1", "bill/1"),
        ARN.replace("111111111111", "11111111111"),
        ARN.replace(":lambda:", ":states:"),
        f"{ARN}/",
        f"{ARN}\n",
        f" {ARN}",
    ],
)
def test_what_is_no_arn_of_an_execution_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is not the ARN of a durable execution") as error:
        ExecutionArn.parse(text)
    assert repr(text) in str(error.value)
