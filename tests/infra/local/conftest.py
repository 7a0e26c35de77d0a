from collections.abc import Callable
from uuid import uuid4

import pytest

from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack


@pytest.fixture
def new_stack(local_aws: LocalAws) -> Callable[[], DurableStack]:
    return lambda: DurableStack(local_aws.session(ACCOUNT, REGION), f"stack-{uuid4().hex[:12]}")


@pytest.fixture(scope="module")
def stack(local_aws: LocalAws) -> DurableStack:
    """One deployed stack for the tests of a module, which leave it as it is."""
    stack = DurableStack(local_aws.session(ACCOUNT, REGION), f"shared-{uuid4().hex[:12]}")
    stack.deploy("shared")
    return stack
