import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra import ROOT
from infra.dependencies import registries
from tests.network import Network

PACKAGE = (
    '{"packages": {"": {}, "node_modules/a": {"version": "1.0.0", "integrity": "sha512-AA=="}}, "lockfileVersion": 3}'
)


@pytest.fixture
def unreachable(network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let every tool ask a registry that hangs up."""
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_", "npm_config_"))]:
        monkeypatch.delenv(name)
    environ = {
        "UV_DEFAULT_INDEX": network.url,
        "UV_HTTP_RETRIES": "0",
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "PIP_INDEX_URL": network.url,
        "PIP_RETRIES": "0",
        "PIP_CONFIG_FILE": os.devnull,
        "npm_config_registry": network.url,
        "npm_config_fetch_retries": "0",
        "npm_config_cache": str(tmp_path / "npm"),
        "npm_config_userconfig": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "package-lock.json").write_text(PACKAGE)
    (tmp_path / "package.json").write_text('{"dependencies": {"a": "1.0.0"}}')
    monkeypatch.setenv("PATH", os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))


UV = str(ROOT / ".tools" / "uv" / "bin" / "uv")
PIP = str(ROOT / ".tools" / "uv" / "bin" / "python")


@pytest.mark.usefixtures("unreachable")
@pytest.mark.parametrize(
    ("tool", "command"),
    [
        ("uv", [UV, "pip", "install", "--quiet", "--target", "there", "something==1"]),
        ("pip", [PIP, "-m", "pip", "--quiet", "install", "--target", "there", "something==1"]),
        ("npm", ["npm", "install", "--loglevel", "error", "b"]),
    ],
)
def test_a_registry_that_cannot_be_reached_is_told_in_a_sentence_after_all_that_the_tool_says(
    tool: str,
    command: Sequence[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert registries.main(["--otherwise", "the locks differ", *command]) != 0
    *said, last = capfd.readouterr().err.splitlines()
    assert said
    assert last == (
        f"{tool} could not reach its package registry, or was turned away: look at the network, and at what "
        'docs/platforms.md says under "Behind a proxy or a mirror"'
    )


def failing(said: str) -> list[str]:
    return [sys.executable, "-c", f"import sys; print({said!r}, file=sys.stderr); sys.exit(3)"]


def test_another_failure_is_told_as_the_caller_says(capfd: pytest.CaptureFixture[str]) -> None:
    command = failing("Failed to download `a==1`: Hash mismatch")
    assert registries.main(["--otherwise", "the locks differ", *command]) == 3
    assert capfd.readouterr().err.splitlines() == ["Failed to download `a==1`: Hash mismatch", "the locks differ"]
    assert registries.main(command) == 3
    assert capfd.readouterr().err.splitlines() == ["Failed to download `a==1`: Hash mismatch"]


def test_what_succeeds_is_left_alone(capfd: pytest.CaptureFixture[str]) -> None:
    assert registries.main(["--otherwise", "the locks differ", sys.executable, "-c", "print('done')"]) == 0
    assert capfd.readouterr() == ("done\n", "")
