"""What counts as left of a stack, by what CloudFormation says of its own deletions."""

from typing import Any

import pytest

from infra.aws import leftovers
from infra.aws.leftovers import LOGICAL_ID, STACK_ID, Leftovers
from infra.environment import Environment
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV, PREVIEW, PROD

STACK = "arn:aws:cloudformation:eu-west-1:111111111111:stack/some/1"
NAT = "arn:aws:ec2:eu-west-1:111111111111:natgateway/nat-1"
LOG_GROUP = "arn:aws:logs:eu-west-1:111111111111:log-group:some"
OF_STACK = {STACK_ID: STACK, LOGICAL_ID: "Nat"}


def event(status: str, logical_id: str = "Nat", physical_id: str = "nat-1") -> dict[str, Any]:
    return {"LogicalResourceId": logical_id, "ResourceStatus": status, "PhysicalResourceId": physical_id}


def left(
    environment: Environment, events: list[dict[str, Any]] | None, tags: dict[str, str], arn: str = NAT
) -> Leftovers:
    """Find what is left where one resource is listed, and CloudFormation tells this of its stack."""
    aws = FakeAws()
    on = target(aws, environment)
    aws.tagged = [(arn, on.tags | tags)]
    if events is not None:
        aws.formation.events[STACK] = events
    return leftovers.find(on)


@pytest.mark.parametrize(
    ("events", "tags", "unwanted", "retained"),
    [
        pytest.param([event("DELETE_COMPLETE"), event("CREATE_COMPLETE")], OF_STACK, [], [], id="deleted, yet listed"),
        pytest.param(
            [event("DELETE_COMPLETE", physical_id="a")], OF_STACK, [], [], id="deleted, with an id of its own"
        ),
        pytest.param([event("DELETE_SKIPPED"), event("CREATE_COMPLETE")], OF_STACK, [], [NAT], id="retained"),
        pytest.param([event("DELETE_FAILED"), event("CREATE_COMPLETE")], OF_STACK, [NAT], [], id="not deleted"),
        pytest.param([event("CREATE_COMPLETE")], OF_STACK, [NAT], [], id="never deleted"),
        pytest.param([event("DELETE_COMPLETE", "Other")], OF_STACK, [NAT], [], id="of another name"),
        pytest.param(None, OF_STACK, [NAT], [], id="of a stack that is forgotten"),
        pytest.param([], {}, [NAT], [], id="of no stack"),
        pytest.param(
            [event("DELETE_COMPLETE", physical_id="nat-2"), event("DELETE_FAILED")],
            OF_STACK,
            [NAT],
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
            [NAT],
            [],
            id="of several, and it is not clear which",
        ),
        pytest.param(
            [event("DELETE_SKIPPED", physical_id="a"), event("DELETE_FAILED", physical_id="b")],
            OF_STACK,
            [NAT],
            [],
            id="of several, one of which is retained",
        ),
        pytest.param(
            [event("DELETE_COMPLETE"), event("CREATE_IN_PROGRESS", physical_id="")],
            OF_STACK,
            [],
            [],
            id="deleted, and had no id at first",
        ),
    ],
)
def test_a_tagged_resource_is_left_when_it_is(
    events: list[dict[str, Any]] | None, tags: dict[str, str], unwanted: list[str], retained: list[str]
) -> None:
    assert left(DEV, events, tags) == Leftovers(unwanted, retained)


@pytest.mark.parametrize("suffix", ["", ":*"])
def test_a_log_group_is_known_by_its_arn_in_both_forms(suffix: str) -> None:
    events = [event("DELETE_FAILED", physical_id="other"), event("DELETE_SKIPPED", physical_id="some")]
    assert left(PROD, events, OF_STACK, LOG_GROUP + suffix) == Leftovers([], [LOG_GROUP + suffix])


@pytest.mark.parametrize(
    ("environment", "arn", "is_retained"),
    [
        pytest.param(PROD, LOG_GROUP, True, id="a log group of an environment that retains them"),
        pytest.param(PROD, NAT, False, id="another resource of it"),
        pytest.param(DEV, LOG_GROUP, False, id="a log group of one that does not"),
    ],
)
def test_once_cloudformation_has_forgotten_a_stack_only_its_log_groups_were_meant_to_stay(
    environment: Environment, arn: str, is_retained: bool
) -> None:
    expected = Leftovers([], [arn]) if is_retained else Leftovers([arn], [])
    assert left(environment, None, OF_STACK, arn) == expected


def test_a_log_group_of_no_stack_was_not_retained() -> None:
    assert left(PROD, None, {}, LOG_GROUP) == Leftovers([LOG_GROUP], [])


def test_every_page_is_read_and_a_stack_is_asked_for_once() -> None:
    aws = FakeAws()
    on = target(aws, PREVIEW, 7)
    aws.formation.events[STACK] = [event("DELETE_COMPLETE", f"Nat{number}", f"nat-{number}") for number in (5, 4, 2)]
    arns = {number: f"{NAT[:-1]}{number}" for number in range(1, 6)}
    aws.tagged = [(arn, on.tags | OF_STACK | {LOGICAL_ID: f"Nat{number}"}) for number, arn in arns.items()]
    assert leftovers.find(on) == Leftovers([arns[1], arns[3]], [])
    assert aws.count("DescribeStackEvents") == 2  # its two pages


def test_what_is_of_others_is_not_looked_at() -> None:
    aws = FakeAws()
    for other in (target(aws, PREVIEW, 8), target(aws, DEV), target(aws, PREVIEW)):
        aws.tagged.append((NAT, other.tags))
    assert leftovers.find(target(aws, PREVIEW, 7)) == Leftovers([], [])


def test_of_one_function_only_that_is_left_which_its_own_stack_had() -> None:
    aws = FakeAws()
    on = target(aws, DEV, only="billing")
    for name in ("acme-dev-billing", "acme-dev-billing-more", "acme-platform-dev"):
        stack_id = f"arn:aws:cloudformation:eu-west-1:111111111111:stack/{name}/1"
        aws.tagged.append((f"{LOG_GROUP}-of-{name}", on.tags | {STACK_ID: stack_id}))
    aws.tagged.append((LOG_GROUP, on.tags))
    assert leftovers.find(on) == Leftovers([f"{LOG_GROUP}-of-acme-dev-billing"], [])
