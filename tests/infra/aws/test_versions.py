"""The versions of a function, as Lambda's API tells of them, and the one call that deletes one."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from infra import naming
from infra.aws import versions
from infra.aws.previews import Preview
from infra.environment import load
from infra.errors import UsageError

DEV, PREVIEW = load("dev"), load("preview")
ANYTHING = cast("Any", None)
FUNCTION = "orders-dev"


@pytest.fixture
def client() -> Any:
    return boto3.Session("some", "some", region_name="eu-west-1").client("lambda")


@pytest.fixture
def lambda_(client: Any) -> Iterator[Stubber]:
    """What Lambda answers: each call that is made must be expected, and the other way round."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


class FakeSession:
    """A session whose only client is the one with answers."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def client(self, service: str) -> Any:
        assert service == "lambda"
        return self._client


def preview(number: int, tags: dict[str, str]) -> Preview:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    stack = {"StackName": naming.orders_stack("preview", number), "CreationTime": datetime.now(UTC), "Tags": listed}
    return Preview(number, cast("Any", stack))


def scaled(lambda_: Stubber, requested: dict[str, int], applied: dict[str, int]) -> None:
    """Let Lambda answer once for the scaling of version 7."""
    answer = {"RequestedFunctionScalingConfig": requested, "AppliedFunctionScalingConfig": applied}
    lambda_.add_response(
        "get_function_scaling_config",
        {key: value for key, value in answer.items() if value},
        {"FunctionName": FUNCTION, "Qualifier": "7"},
    )


def answering(answer: Any) -> Callable[..., Any]:
    """Return what gives this answer, whatever it is asked."""

    def call(*_: object) -> Any:
        return answer

    return call


def limits(minimum: int, maximum: int) -> dict[str, int]:
    return {"MinExecutionEnvironments": minimum, "MaxExecutionEnvironments": maximum}


def test_only_numbered_versions_are_listed_newest_first_from_every_page(client: Any, lambda_: Stubber) -> None:
    pages = (["$LATEST", "$LATEST.PUBLISHED", "9", "2"], ["10", "1"])
    first, second = ({"Versions": [{"Version": number} for number in page]} for page in pages)
    lambda_.add_response("list_versions_by_function", {**first, "NextMarker": "2"}, {"FunctionName": FUNCTION})
    lambda_.add_response("list_versions_by_function", second, {"FunctionName": FUNCTION, "Marker": "2"})
    assert versions.numbered(client, FUNCTION) == ["10", "9", "2", "1"]


def test_a_function_that_does_not_exist_has_no_versions(client: Any, lambda_: Stubber) -> None:
    lambda_.add_client_error("list_versions_by_function", "ResourceNotFoundException")
    assert versions.numbered(client, FUNCTION) == []


def test_a_version_is_deleted_by_its_number(client: Any, lambda_: Stubber) -> None:
    lambda_.add_response("delete_function", {}, {"FunctionName": FUNCTION, "Qualifier": "12"})
    versions.delete(client, FUNCTION, "12")


@pytest.mark.parametrize(
    "version",
    ["", "0", "$LATEST", "$LATEST.PUBLISHED", "live", "closed", "7 ", "7\n", "-7", "07", "7,8", "\u0667", "*"],
)
@pytest.mark.usefixtures("lambda_")
def test_nothing_but_a_number_is_ever_deleted(client: Any, version: str) -> None:
    with pytest.raises(ValueError, match="is not the number of a version of orders-dev"):
        versions.delete(client, FUNCTION, version)


@pytest.mark.parametrize(
    ("requested", "applied", "floor"),
    [
        pytest.param(limits(1, 4), limits(3, 4), 1, id="being scaled down"),
        pytest.param(limits(3, 4), limits(1, 4), 3, id="being scaled up"),
        pytest.param(limits(0, 0), limits(3, 4), 0, id="being deactivated"),
        pytest.param({}, limits(2, 4), 2, id="never asked for"),
        pytest.param({}, {}, 3, id="not told"),
    ],
)
def test_the_floor_is_what_was_asked_for_last(
    client: Any, lambda_: Stubber, requested: dict[str, int], applied: dict[str, int], floor: int
) -> None:
    scaled(lambda_, requested, applied)
    assert versions.floor(client, FUNCTION, "7") == floor


@pytest.mark.parametrize(
    ("requested", "applied", "wanted"),
    [
        pytest.param(limits(3, 4), limits(3, 4), limits(1, 4), id="as asked for"),
        pytest.param(limits(3, 8), limits(3, 4), limits(1, 8), id="as asked for last"),
        pytest.param({"MinExecutionEnvironments": 3}, limits(3, 4), {"MinExecutionEnvironments": 1}, id="none"),
    ],
)
def test_another_floor_leaves_the_maximum(
    client: Any, lambda_: Stubber, requested: dict[str, int], applied: dict[str, int], wanted: dict[str, int]
) -> None:
    scaled(lambda_, requested, applied)
    expected = {"FunctionName": FUNCTION, "Qualifier": "7", "FunctionScalingConfig": wanted}
    lambda_.add_response("put_function_scaling_config", {"FunctionState": "Active"}, expected)
    versions.set_floor(client, FUNCTION, "7", 1)


def test_the_versions_on_the_capacity_provider_are_counted_on_every_page(
    client: Any, lambda_: Stubber, monkeypatch: pytest.MonkeyPatch
) -> None:
    outputs = [
        {"OutputKey": "Other", "OutputValue": "other"},
        {"OutputKey": "CapacityProviderArn", "OutputValue": "cp"},
    ]

    def describe(_: object, name: str) -> dict[str, Any]:
        assert name == "platform-dev"
        return {"Outputs": outputs}

    monkeypatch.setattr(versions, "describe", describe)
    for marker, following, count in ((None, "50", 50), ("50", None, 7)):
        expected = {"CapacityProviderName": "cp", "Marker": marker} if marker else {"CapacityProviderName": "cp"}
        function = {"FunctionArn": "arn:aws:lambda:eu-west-1:111111111111:function:orders-dev:1", "State": "Active"}
        page = {"CapacityProviderArn": "cp", "FunctionVersions": [function] * count}
        answer = {**page, "NextMarker": following} if following else page
        lambda_.add_response("list_function_versions_by_capacity_provider", answer, expected)
    assert versions.on_provider(cast("Any", FakeSession(client)), DEV) == 57


@pytest.mark.parametrize("platform", [None, {"StackName": "platform-dev"}], ids=["not deployed", "without outputs"])
def test_an_environment_without_a_platform_has_no_capacity_provider(
    platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "describe", answering(platform))
    assert versions.on_provider(ANYTHING, DEV) is None


def test_an_environment_has_one_function_and_no_preview() -> None:
    assert versions.functions(ANYTHING, DEV, None) == ["orders-dev"]
    with pytest.raises(UsageError, match=r"preview_days in environments/dev\.toml"):
        versions.functions(ANYTHING, DEV, 7)


def test_a_platform_of_previews_has_the_functions_of_those_that_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        preview(7, naming.tags("preview", 7)),
        preview(8, naming.tags("preview", 9)),
        preview(12, naming.tags("preview", 12)),
    ]
    monkeypatch.setattr(versions.previews, "find", answering(found))
    assert versions.functions(ANYTHING, PREVIEW, None) == ["orders-pr-7", "orders-pr-12"]
    assert versions.functions(ANYTHING, PREVIEW, 12) == ["orders-pr-12"]
    assert versions.functions(ANYTHING, PREVIEW, 8) == []
