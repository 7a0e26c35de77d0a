from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import aws_cdk as cdk
import pytest

from infra.environment import Environment
from infra.services import Service
from infra.stacks.platform import Platform
from tests.infra.synthesis import ENVIRONMENTS, Resources, Synthesize, make_app, resources_of

NOTHING: Mapping[str, Iterable[Service]] = {}


@pytest.fixture(scope="session", params=ENVIRONMENTS)
def environment(request: pytest.FixtureRequest) -> Environment:
    return ENVIRONMENTS[request.param]


@pytest.fixture
def platform(environment: Environment, synthesize: Synthesize) -> Resources:
    """The resources of the platform of each environment."""
    return synthesize(environment.name).stack(f"acme-platform-{environment.name}").resources


@pytest.fixture
def make_platform(tmp_path: Path) -> Callable[..., Resources]:
    """Makes the resources of the platform of an environment that is of one test alone."""

    def make(environment: Environment, services: Mapping[str, Iterable[Service]] = NOTHING) -> Resources:
        return resources_of(Platform(make_app(tmp_path), environment, cdk.DefaultStackSynthesizer(), services))

    return make
