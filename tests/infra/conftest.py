from collections.abc import Callable
from functools import cache

import pytest

from infra import bundle, functions
from infra.app import build
from infra.environment import Environment, load, load_all
from tests.infra.synthesis import COMMIT, ENVIRONMENTS, Assembly, Synthesize, make_app, synthesized


@pytest.fixture(scope="session")
def installed_dependencies() -> None:
    """Install what every environment's bundles hold, which takes no time where `make bundle` has done so."""
    for environment in load_all().values():
        for name in functions.names():
            bundle.install(name, environment.capacity_provider.architecture, environment.settings(name).runtime)


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesizes environments of the tests' own."""
    return synthesizer(tmp_path_factory, ENVIRONMENTS.__getitem__)


@pytest.fixture(scope="session")
def synthesize_checkout(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesizes environments of this checkout, whatever they are."""
    return synthesizer(tmp_path_factory, load)


def synthesizer(tmp_path_factory: pytest.TempPathFactory, read: Callable[[str], Environment]) -> Synthesize:
    """Return what synthesizes environments that are read so, with empty bundles."""
    (archive := tmp_path_factory.mktemp("bundle") / "function.zip").touch()

    @cache
    def synthesize(environment: str, pull_request: str | None = None) -> Assembly:
        folder = tmp_path_factory.mktemp("assembly")
        app = make_app(folder, environment=environment, pull_request=pull_request, commit=COMMIT)
        build(app, lambda *_: archive, read)
        return synthesized(app)

    return synthesize
