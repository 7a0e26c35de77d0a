"""What counts as left of a stack, by what CloudFormation says of its own deletions."""

from typing import Any, cast

import boto3
import pytest
from botocore.stub import Stubber

from infra.aws import leftovers
from infra.environment import load

STACK = "arn:aws:cloudformation:eu-west-1:111111111111:stack/orders-dev/1"
ARN = "arn:aws:ec2:eu-west-1:111111111111:natgateway/nat-1"

# boto3's types have an overload for each service, and none for a name in a variable.
CLIENT: Any = cast("Any", boto3).client


class Session:
    """A session whose clients are stubbed."""

    def __init__(self) -> None:
        self.clients: dict[str, Any] = {}
        self.stubs: dict[str, Stubber] = {}
        for name in ("cloudformation", "resourcegroupstaggingapi"):
            self.clients[name] = CLIENT(name, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
            self.stubs[name] = Stubber(self.clients[name])
            self.stubs[name].activate()

    def client(self, name: str) -> Any:
        return self.clients[name]


def found(events: list[dict[str, Any]] | None, tags: dict[str, str]) -> leftovers.Leftovers:
    session: Any = Session()
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    session.stubs["resourcegroupstaggingapi"].add_response(
        "get_resources",
        {"ResourceTagMappingList": [{"ResourceARN": ARN, "Tags": listed}]},
        {
            "TagFilters": [
                {"Key": "project", "Values": ["orders"]},
                {"Key": "environment", "Values": ["preview"]},
                {"Key": "pull-request", "Values": ["7"]},
            ]
        },
    )
    stub = session.stubs["cloudformation"]
    if events is None:
        stub.add_client_error("describe_stack_events", "ValidationError", f"Stack [{STACK}] does not exist")
    else:
        base = {"StackId": STACK, "StackName": "orders-pr-7", "Timestamp": "2026-01-01T00:00:00Z"}
        given = [base | {"EventId": str(number)} | event for number, event in enumerate(events)]
        stub.add_response("describe_stack_events", {"StackEvents": given}, {"StackName": STACK})
    return leftovers.find(session, load("preview"), 7)


OF_STACK = {"aws:cloudformation:stack-id": STACK, "aws:cloudformation:logical-id": "Nat"}


def event(status: str, logical_id: str = "Nat", physical_id: str = "nat-1") -> dict[str, Any]:
    return {"LogicalResourceId": logical_id, "ResourceStatus": status, "PhysicalResourceId": physical_id}


@pytest.mark.parametrize(
    ("events", "tags", "unwanted", "retained"),
    [
        pytest.param(
            [event("DELETE_COMPLETE"), event("CREATE_COMPLETE")], OF_STACK, [], [], id="deleted, still listed"
        ),
        pytest.param([event("DELETE_SKIPPED"), event("CREATE_COMPLETE")], OF_STACK, [], [ARN], id="retained"),
        pytest.param([event("DELETE_FAILED"), event("CREATE_COMPLETE")], OF_STACK, [ARN], [], id="not deleted"),
        pytest.param([event("CREATE_COMPLETE")], OF_STACK, [ARN], [], id="never deleted"),
        pytest.param([event("DELETE_COMPLETE", "Other")], OF_STACK, [ARN], [], id="of another name"),
        pytest.param(None, OF_STACK, [ARN], [], id="of a stack that is forgotten"),
        pytest.param(
            [event("DELETE_COMPLETE", physical_id="nat-2"), event("DELETE_FAILED")],
            OF_STACK,
            [ARN],
            [],
            id="replaced, and not deleted then",
        ),
        pytest.param(
            [event("DELETE_FAILED", physical_id="nat-2"), event("DELETE_COMPLETE")],
            OF_STACK,
            [],
            [],
            id="replaced, and deleted then",
        ),
        pytest.param(
            [event("DELETE_COMPLETE", physical_id="a"), event("DELETE_FAILED", physical_id="b")],
            OF_STACK,
            [ARN],
            [],
            id="of several, and it is not clear which",
        ),
        pytest.param(
            [event("DELETE_COMPLETE"), event("CREATE_IN_PROGRESS", physical_id="")],
            OF_STACK,
            [],
            [],
            id="deleted, and had no id at first",
        ),
        pytest.param([], {}, [ARN], [], id="of no stack"),
    ],
)
def test_a_tagged_resource_is_left_when_it_is(
    events: list[dict[str, Any]] | None, tags: dict[str, str], unwanted: list[str], retained: list[str]
) -> None:
    assert found(events, tags) == leftovers.Leftovers(unwanted, retained)
