"""Names of services against what boto3, IAM and the CDK call them."""

import json
from importlib.resources import files
from typing import Any

import pytest
from aws_cdk import aws_ec2 as ec2

from infra.errors import UsageError
from infra.services import ALWAYS, DIFFERENT, Service, clients, service

# Their data, which cfn-lint ships: the service authorization reference.
PREFIXES = json.loads((files("cfnlint") / "data" / "AdditionalSpecs" / "Policies.json").read_text()).keys()
KNOWN = [*DIFFERENT, *map(service, ("sqs", "sns", "ssm", "kms", "events", "secretsmanager", "lambda")), *ALWAYS]


def endpoints(kind: Any, attribute: str) -> set[str]:
    """Return the names of the endpoints that the CDK knows."""
    values = (getattr(kind, name) for name in dir(kind) if name.isupper())
    return {getattr(value, attribute).rpartition("amazonaws.")[2] for value in values}


@pytest.mark.parametrize("known", KNOWN, ids=lambda known: known.prefix)
def test_a_service_is_called_so_by_iam_by_boto3_and_as_an_endpoint(known: Service) -> None:
    assert known.prefix in PREFIXES
    for name in known.clients:
        assert (files("botocore") / "data" / name).is_dir()


def test_endpoints_are_called_as_the_cdk_calls_them() -> None:
    interfaces = endpoints(ec2.InterfaceVpcEndpointAwsService, "short_name")
    for known in KNOWN:
        if known.endpoint and not known.is_gateway:
            assert known.endpoint in interfaces


def test_the_gateways_are_those_that_the_cdk_knows() -> None:
    known = {name.rpartition(".")[2] for name in endpoints(ec2.GatewayVpcEndpointAwsService, "name")}
    assert {each.endpoint for each in DIFFERENT if each.is_gateway} == known - {"s3express"}


def test_a_service_that_is_called_the_same_everywhere_needs_no_line_here() -> None:
    assert service("textract") == Service("textract", ("textract",), "textract")


def test_a_service_that_nothing_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="no service of boto3 is called nonsense, as its actions are"):
        service("nonsense")


def test_clients_are_those_of_all_services() -> None:
    assert clients([service("states"), service("ses"), service("execute-api")]) == {"stepfunctions", "ses", "sesv2"}
