"""Fixtures that several folders of tests share."""

from collections.abc import Iterator

import pytest

from infra.local.aws import LocalAws


@pytest.fixture(scope="session")
def local_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS that the tests of one process share: whatever a test makes in it has a name of its own."""
    with LocalAws.start(tmp_path_factory.mktemp("local-aws")) as aws:
        yield aws


@pytest.fixture(scope="session")
def enforcing_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """The same, with permissions checked."""
    with LocalAws.start(tmp_path_factory.mktemp("enforcing-aws"), enforce_iam=True) as aws:
        yield aws
