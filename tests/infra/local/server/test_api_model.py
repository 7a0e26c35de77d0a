import json
from pathlib import Path
from typing import Any

import botocore
import pytest

from infra.local.server.api_model import ApiModel

MODEL = ApiModel(Path(botocore.__file__).parent / "data")
FUNCTION = "/2025-12-01/functions/billing/durable-executions"
INVOKE = "/2015-03-31/functions/billing/invocations"
EXECUTION = (
    "/2025-12-01/durable-executions/arn:aws:lambda:eu-west-1:111111111111:function:billing:1/durable-execution/a/b"
)
PROVIDERS = "/2025-11-30/capacity-providers"
PROVIDER: dict[str, Any] = {
    "CapacityProviderName": "provider",
    "VpcConfig": {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
    "PermissionsConfig": {"CapacityProviderOperatorRoleArn": "arn:aws:iam::111111111111:role/operator"},
}


def problems(
    request: str,
    query: dict[str, list[str]] | None = None,
    body: object = None,
    headers: dict[str, str] | None = None,
) -> str:
    method, path = request.split(" ")
    text = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    return "\n".join(MODEL.problems(method, path, headers or {}, query or {}, text))


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"Statuses": ["RUNNING", "ENDED"]}, "Value 'ENDED' at 'Statuses.2' failed .* enum value set"),
        ({"MaxItems": ["1001"]}, "Value 1001 at 'MaxItems' .* less than or equal to 1000"),
        ({"MaxItems": ["-1"]}, "Value -1 at 'MaxItems' .* greater than or equal to 0"),
        ({"MaxItems": ["few"]}, "Value 'few' at 'MaxItems' is no integer"),
        ({"ReverseOrder": ["maybe"]}, "'ReverseOrder' is no boolean"),
        ({"StartedAfter": ["yesterday"]}, "'StartedAfter' .* timestamp"),
        ({"Qualifier": ["a b"]}, "'Qualifier' .* pattern"),
        ({"DurableExecutionName": ["x" * 65]}, "'DurableExecutionName' .* length less than or equal to 64"),
    ],
)
def test_a_query_that_the_model_refuses_is_told(query: dict[str, list[str]], said: str) -> None:
    assert_told(problems(f"GET {FUNCTION}", query), said)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"VpcConfig": None}, "'VpcConfig' .* not be null"),
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "'VpcConfig.SecurityGroupIds' .* not be null"),
        ({"VpcConfig": "vpc-1"}, "'VpcConfig' is no structure"),
        ({"CapacityProviderName": "a b"}, "'CapacityProviderName' .* pattern"),
        ({"CapacityProviderScalingConfig": {"MaxVCpuCount": 1}}, "MaxVCpuCount' .* greater than or equal to 2"),
        ({"CapacityProviderScalingConfig": {"MaxVCpuCount": True}}, "MaxVCpuCount' is no integer"),
        ({"Tags": {"what?": "1"}}, "'Tags.key' .* pattern"),
        ({"Tags": {"project": 1}}, "'Tags.project' is no string"),
        ({"PropagateTags": {"Mode": "All"}}, "'PropagateTags.Mode' .* enum"),
    ],
)
def test_a_body_that_the_model_refuses_is_told(changed: dict[str, Any], said: str) -> None:
    assert_told(problems(f"POST {PROVIDERS}", body=PROVIDER | changed), said)


def test_a_body_that_is_not_json_is_told() -> None:
    assert "not JSON" in problems(f"POST {PROVIDERS}", body=b"{")
    assert "not JSON" in problems(f"POST {PROVIDERS}", body=[1])


def test_a_header_that_the_model_refuses_is_told() -> None:
    assert "'InvocationType'" in problems(f"POST {INVOKE}", headers={"x-amz-invocation-type": "Later"})


def test_a_long_value_is_told_shortened() -> None:
    assert len(problems(f"GET {FUNCTION}", {"Qualifier": ["x" * 10_000]})) < 200


def test_the_longest_path_that_fits_is_the_one_that_counts() -> None:
    assert "MaxItems" in problems(f"GET {EXECUTION}/history", {"MaxItems": ["1001"]})
    assert not problems(f"GET {EXECUTION}", {"MaxItems": ["1001"]})


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (f"POST {PROVIDERS}", PROVIDER | {"Tags": {"proj\u00e9t": "a b/1"}}),
        (f"POST {INVOKE}", b"no JSON, which is not the model's"),
        (f"POST {EXECUTION}/stop", {"ErrorMessage": "why"}),
        (f"POST {EXECUTION}/stop", None),
        (f"GET {EXECUTION}/history", None),
        ("POST /2015-03-31/functions", b"not ours"),
    ],
)
def test_what_aws_takes_is_taken(request_: str, body: object) -> None:
    assert not problems(request_, body=body)


def assert_told(told: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        raise ValueError(told)
