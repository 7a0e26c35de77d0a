"""A local AWS per file, since deployments change what the next test would find."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.local.aws import LocalAws
from infra.pipeline.__main__ import main
from tests.checkout import FOLDER
from tests.deployments.deployment import ENVIRONMENT

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient


def pytest_xdist_auto_num_workers() -> int:
    """Take one worker more than there are cores: a quarter of their time these tests wait."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 1


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS, with its credentials in the environment of this process."""
    with LocalAws.start(tmp_path_factory.mktemp("deployments")) as started, pytest.MonkeyPatch.context() as patch:
        for key, value in started.environ(ENVIRONMENT.account, ENVIRONMENT.region).items():
            patch.setenv(key, value)
        yield started


@pytest.fixture(scope="module")
def session(aws: LocalAws) -> boto3.Session:
    return aws.session(ENVIRONMENT.account, ENVIRONMENT.region)


@pytest.fixture(scope="module")
def target(session: boto3.Session) -> Target:
    """The local environment."""
    return Target(ENVIRONMENT, given_session=session)


@pytest.fixture(scope="module")
def function(target: Target) -> DeployedFunction:
    """Of the checkout's functions the one that tests change."""
    return target.function(FOLDER)


@pytest.fixture(scope="module")
def client(session: boto3.Session) -> "LambdaClient":
    return session.client("lambda")


@pytest.fixture(scope="module")
def pipeline(aws: LocalAws) -> Callable[..., int]:
    """Runs a command of the pipeline on the local environment, whose account is ready for deployments."""
    assert aws.endpoint

    def run(command: str, *options: str) -> int:
        return main([command, "--environment", ENVIRONMENT.name, *options])

    assert run("access", "--yes") == 0
    assert run("bootstrap", "--yes") == 0
    return run


@pytest.fixture(scope="module")
def deploy(pipeline: Callable[..., int]) -> Callable[[Path], int]:
    """Deploys an assembly."""
    return lambda assembly: pipeline("deploy", "--assembly", str(assembly))
