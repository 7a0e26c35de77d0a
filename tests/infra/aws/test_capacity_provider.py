"""The versions on a capacity provider."""

import pytest
from botocore.exceptions import ClientError

from infra import naming
from infra.aws import capacity_provider
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV

ARN = "arn:aws:lambda:eu-west-1:111111111111:capacity-provider:some"
VERSIONS = [f"arn:aws:lambda:eu-west-1:111111111111:function:some:{number}" for number in range(5)]


@pytest.fixture
def aws() -> FakeAws:
    """An AWS with the platform of dev."""
    aws = FakeAws()
    outputs = {"Other": "other", "CapacityProviderArn": ARN}
    aws.formation.stack(naming.platform_stack(DEV), naming.tags(DEV), outputs=outputs)
    return aws


def test_the_versions_of_every_page_are_on_it(aws: FakeAws) -> None:
    aws.lambda_.on_provider[ARN] = VERSIONS
    assert capacity_provider.versions(target(aws, DEV)) == VERSIONS


def test_one_that_is_gone_has_none_and_one_that_may_not_be_read_is_an_error(aws: FakeAws) -> None:
    assert capacity_provider.versions(target(aws, DEV)) == []
    aws.deny("ListFunctionVersionsByCapacityProvider")
    with pytest.raises(ClientError, match="no ListFunctionVersionsByCapacityProvider"):
        capacity_provider.versions(target(aws, DEV))


def test_without_a_platform_or_its_output_there_is_no_telling(aws: FakeAws) -> None:
    aws.formation.stacks[naming.platform_stack(DEV)]["Outputs"] = []
    assert capacity_provider.versions(target(aws, DEV)) is None
    assert capacity_provider.versions(target(FakeAws(), DEV)) is None
