"""Fixtures that several folders of tests share."""

import os
import signal
from collections.abc import Iterator
from threading import Thread

import pytest

from infra.local.aws import LocalAws
from tests.github.server import serve
from tests.github.state import State
from tests.network import Network


@pytest.fixture(scope="session", autouse=True)
def outside_of_workflows() -> Iterator[None]:
    """Hide what commands find in a workflow's job, so that tests do the same there as on a laptop."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GITHUB_")]:
            patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Let what tests start end on Ctrl-C: a shell lets its background jobs ignore that, and whatever those start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    """A GitHub with nothing in it, as the job of a workflow finds it in its environment."""
    with serve(State()) as state:
        monkeypatch.setenv("GITHUB_API_URL", state.url)
        monkeypatch.setenv("GITHUB_REPOSITORY", state.repository)
        monkeypatch.setenv("GITHUB_TOKEN", "issues=write,pull-requests=write")
        yield state


@pytest.fixture
def network() -> Iterator[Network]:
    """What programs that are given its address as their proxy, mirror or endpoint take for the network."""
    with Network() as server:
        Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()
