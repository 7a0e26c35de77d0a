from functools import cache
from pathlib import Path

import pytest

from infra import bundle
from infra.app import build
from infra.environment import load, names
from tests.infra.synthesis import COMMIT, Assembly, Synthesize, make_app, synthesized


@pytest.fixture(scope="session")
def installed_dependencies() -> Path:
    """Install what every environment's bundle holds, which takes no time where `make bundle` has done so."""
    for environment in map(load, names()):
        bundle.install(environment.capacity_provider.architecture, environment.function.runtime)
    return bundle.INSTALLED


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    (archive := tmp_path_factory.mktemp("bundle") / "orders.zip").touch()

    @cache
    def synthesize(environment: str, pull_request: str | None = None) -> Assembly:
        folder = tmp_path_factory.mktemp("assembly")
        app = make_app(folder, environment=environment, pull_request=pull_request, commit=COMMIT)
        build(app, lambda _architecture, _runtime: archive)
        return synthesized(app)

    return synthesize
