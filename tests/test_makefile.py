"""What make does with its command line, with the shell's environment, and where it is the old one of macOS."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from infra import ROOT
from infra.dependencies.stale import GROUPS
from tests.network import Network

VERSION = sys.version.split()[0]
MAKEFILE = (ROOT / "Makefile").read_text()
# The targets that act on an environment.
ACTING = re.findall(r"^([a-z-]+):(?:.*\n\t)+.*\$\(ENVIRONMENT\)", MAKEFILE, re.MULTILINE)


def make(
    *arguments: str, environ: Mapping[str, str] | None = None, folder: Path = ROOT, more: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run make with this environment and no other, on our Makefile and what more it shall have."""
    return subprocess.run(
        [shutil.which("make") or "make", "--file", "-", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHON": sys.executable, **(environ or {})},
        input=f"include Makefile\n{more}",
        capture_output=True,
        text=True,
        check=False,
    )


def test_these_targets_act_on_an_environment() -> None:
    assert sorted(ACTING) == ["access", "bootstrap", "contract", "doctor", "platform", "synth"]


@pytest.mark.parametrize("target", ACTING)
@pytest.mark.parametrize(
    ("arguments", "environ", "told"),
    [
        ([], {}, ""),
        (["ENVIRONMENT="], {}, ""),
        (["ENVIRONMENT= "], {}, ""),
        ([], {"ENVIRONMENT": "prod"}, "; ENVIRONMENT=prod in the shell does not count"),
        (["--environment-overrides"], {"ENVIRONMENT": "prod"}, "; ENVIRONMENT=prod in the shell does not count"),
    ],
)
def test_a_target_that_acts_on_an_environment_wants_it_on_the_command_line(
    target: str, arguments: list[str], environ: dict[str, str], told: str
) -> None:
    done = make("--dry-run", target, *arguments, environ=environ)
    assert done.returncode == 2
    assert done.stdout == ""
    assert f"on the command line, as in `make {target} ENVIRONMENT=dev`{told}." in done.stderr


@pytest.mark.parametrize("target", ACTING)
def test_the_environment_of_the_command_line_is_the_one_that_counts(target: str) -> None:
    done = make("--dry-run", target, "ENVIRONMENT=one", environ={"ENVIRONMENT": "another"})
    assert '--environment "one"' in done.stdout
    assert "another" not in done.stdout


@pytest.mark.parametrize(
    ("target", "given", "passed"),
    [
        ("access", "YES=1", "--yes"),
        ("bootstrap", "YES=1", "--yes"),
        ("contract", "YES=1", "--yes"),
        ("synth", "PULL_REQUEST=7", '--pull-request "7"'),
        ("run", "EVENT=my event.json", '--event "my event.json"'),
        ("run", "FUNCTION=refunds", '--function "refunds"'),
        ("run", "JSON=1", "--json"),
        ("dev", "FUNCTION=refunds", '--function "refunds"'),
        ("dev", "EVENT=my event.json", '--event "my event.json"'),
        ("debug", "FUNCTION=refunds", '--function "refunds"'),
        ("debug", "EVENT=my event.json", '--event "my event.json"'),
        ("debug", "AWS=local", '--aws "local"'),
        ("debug", "WAIT=1", "--wait"),
        ("replay", "FUNCTION=refunds", 'check --function "refunds"'),
        ("record", "FUNCTION=refunds", 'record --function "refunds"'),
        ("function", "NAME=refunds", 'infra.scaffold "refunds"'),
        ("lock", "UPGRADE=1", "infra.dependencies.lock --upgrade"),
        ("lock", "UPGRADE=1", "npm update --package-lock-only"),
        ("add", "FUNCTION=refunds", 'infra.dependencies.add "refunds"'),
        ("add", "PACKAGE=six>=1.17", '"six>=1.17"'),
        ("docs", "PAGE=docs/roles.md", '--page "docs/roles.md"'),
        ("rehearse", "SCENARIO=merge", "--scenario merge"),
        ("rehearse", "KEEP=1", "--keep"),
        ("rehearse", "ACTIONS=my actions", '--actions "my actions"'),
    ],
)
def test_consent_and_choices_are_those_of_the_command_line_alone(target: str, given: str, passed: str) -> None:
    command = ["--dry-run", target, "ENVIRONMENT=one"]
    assert passed in make(*command, given).stdout
    name, value = given.split("=", 1)
    for arguments in (command, [*command, "--environment-overrides"]):
        done = make(*arguments, environ={name: value})
        assert done.returncode == 0
        assert passed not in done.stdout


def test_a_platform_is_asked_about_unless_the_command_line_consents() -> None:
    asks = 'deploy --environment "one" --ask'
    command = ["--dry-run", "platform", "ENVIRONMENT=one"]
    assert asks in make(*command).stdout
    assert asks in make(*command, environ={"YES": "1"}).stdout
    assert 'deploy --environment "one" \n' in make(*command, "YES=1").stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the Makefile, two environments beside the local one, and two functions."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    files = [f"environments/{name}.toml" for name in ("one", "two", "local")]
    files += [f"functions/{name}/requirements.txt" for name in ("billing", "refunds")]
    files += ["infra/local/requirements.txt", "requirements.txt", "requirements-uv.txt", "requirements-checkov.txt"]
    for file in [*files, "package-lock.json"]:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    return tmp_path


def test_templates_are_those_of_each_environment_of_access_to_it_and_of_a_preview(checkout: Path) -> None:
    done = make("--dry-run", "templates", folder=checkout)
    assert done.returncode == 0, done.stderr
    assert sorted(re.findall(r"--output build/templates/(\S+)", done.stdout)) == [
        "access-one",
        "access-two",
        "local",
        "one",
        "pr-1",
        "two",
    ]
    assert "--context access=true --context environment=two " in done.stdout
    # Which environment hosts it, project.toml says.
    assert "infra.pipeline build --pull-request 1 " in done.stdout


def test_what_functions_pin_is_installed_over_what_we_do(checkout: Path) -> None:
    done = make("--dry-run", "lint", folder=checkout)
    assert done.returncode == 0, done.stderr
    ours = done.stdout.rindex("--require-hashes requirements.txt")
    pinned = "--requirement functions/billing/requirements.txt --requirement functions/refunds/requirements.txt"
    assert done.stdout.index(f"uv pip install --quiet --python .venv --no-deps --require-hashes {pinned}") > ours


def test_without_functions_what_makes_the_first_one_is_installed(checkout: Path) -> None:
    shutil.rmtree(checkout / "functions")
    done = make("--dry-run", "function", "NAME=billing", folder=checkout)
    assert done.returncode == 0, done.stderr
    assert "uv pip install" not in done.stdout


def test_locks_of_functions_that_disagree_do_not_keep_make_from_mending_them(checkout: Path) -> None:
    assert "functions/" not in make("--dry-run", "lock", folder=checkout).stdout


# What is installed, or used, from locks.
INSTALLED = ("add", "bundle", "lint", "local", "run", "setup", "templates", "tools", "unit")


@pytest.mark.parametrize("target", INSTALLED)
def test_a_lock_that_is_not_of_its_source_is_told_before_anything_is_installed(checkout: Path, target: str) -> None:
    for name in ("__init__.py", "errors.py"):
        shutil.copy(ROOT / "infra" / name, checkout / "infra")
    shutil.copytree(ROOT / "infra" / "dependencies", checkout / "infra" / "dependencies")
    for name in ("pyproject.toml", "package.json", *GROUPS.values(), "package-lock.json"):
        shutil.copy(ROOT / name, checkout / name)
    (checkout / "functions" / "billing" / "requirements.in").write_text("six\n")
    (checkout / "functions" / "billing" / "handler.py").touch()
    done = make(target, folder=checkout)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[:2] == [
        "functions/billing/requirements.txt: has no six, which functions/billing/requirements.in names",
        "`make lock` writes the locks anew, and moves nothing that need not",
    ]
    assert not (checkout / ".tools").exists()


def test_locks_that_are_of_their_sources_are_looked_at_once_and_nothing_is_installed_for_that(checkout: Path) -> None:
    (checkout / "infra" / "dependencies").mkdir()
    (checkout / "infra" / "dependencies" / "stale.py").write_text("print('looked')\n")
    installed = [f".tools/uv/ready-{VERSION}", f".venv/ours-{VERSION}", f".venv/ready-{VERSION}"]
    for stamp in installed:
        (checkout / stamp).parent.mkdir(parents=True, exist_ok=True)
        (checkout / stamp).touch()
    (checkout / ".venv" / "bin").mkdir()
    (ruff := checkout / ".venv" / "bin" / "ruff").write_text("#!/bin/sh\n")
    ruff.chmod(0o755)
    assert make("lint", folder=checkout).stdout.count("looked\n") == 1
    assert make("lint", folder=checkout).stdout.count("looked\n") == 0
    os.utime(checkout / "build" / "locked", (0, 0))
    done = make("lint", folder=checkout)
    assert (done.stdout.count("looked\n"), done.stderr) == (1, "")


def test_a_lock_that_is_not_of_its_source_does_not_keep_make_from_mending_it(checkout: Path) -> None:
    assert "infra.dependencies.stale" in make("--dry-run", "lint", folder=checkout).stdout
    assert "infra.dependencies.stale" not in make("--dry-run", "lock", folder=checkout).stdout


def test_a_package_that_a_function_adds_reinstalls_nothing_of_ours(checkout: Path) -> None:
    """What is newer than the stamps is the function's lock alone."""
    installed = [f".tools/uv/ready-{VERSION}", f".venv/ours-{VERSION}", f".venv/ready-{VERSION}"]
    for stamp in installed:
        (checkout / stamp).parent.mkdir(parents=True, exist_ok=True)
        (checkout / stamp).touch()
    os.utime(checkout / installed[-1], (1, 1))
    for lock in checkout.glob("*requirements*.txt"):
        os.utime(lock, (0, 0))
    done = make("--dry-run", "lint", folder=checkout)
    assert "--requirement functions/billing/requirements.txt" in done.stdout
    assert "uv venv" not in done.stdout
    assert "pip --quiet" not in done.stdout


def test_recipes_find_the_checkouts_own_programs_in_a_folder_with_a_space_too(tmp_path: Path) -> None:
    # With the make of macOS this holds that simple recipes are started by a shell.
    program = tmp_path / "a checkout" / ".venv" / "bin" / "program"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho ours\n")
    program.chmod(0o755)
    checkout = tmp_path / "a checkout"
    shutil.copy(ROOT / "Makefile", checkout)
    done = make("try", folder=checkout, more="try:\n\t@program\n")
    assert (done.stdout, done.stderr) == ("ours\n", "")


def test_the_makefile_holds_nothing_that_the_make_of_macos_lacks() -> None:
    # It is GNU make 3.81, in which these either fail or, worse, mean nothing.
    newer = r"^\.(ONESHELL|SHELLFLAGS|RECIPEPREFIX|NOTINTERMEDIATE|EXTRA_PREREQS)|!=|::=|&:|^(un|re)define|^define .*="
    newer += r"|\$\((file|guile|let|intcmp) |^private|--output-sync|--shuffle|^\$?\(?load"
    assert re.findall(newer, MAKEFILE, re.MULTILINE) == []
    # By these names it starts simple recipes itself, and from the path that it was started with.
    (shell,) = re.findall(r"^SHELL := (.*)", MAKEFILE, re.MULTILINE)
    assert shell not in {"/bin/sh", "/bin/bash", "/bin/dash", "/bin/zsh"}


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"PIP_INDEX_URL": "/mirror"}, "/mirror"),
        ({"PIP_INDEX_URL": "/of-pip", "UV_INDEX_URL": "/of-uv"}, "/of-uv"),
        ({"PIP_INDEX_URL": "/of-pip", "UV_DEFAULT_INDEX": "/of-uv"}, "/of-uv"),
        ({"PIP_INDEX_URL": "/mirror", "PIP_EXTRA_INDEX_URL": "/extra"}, "/extra"),
        ({"PIP_INDEX_URL": "/mirror", "PIP_EXTRA_INDEX_URL": "/of-pip", "UV_INDEX": "/of-uv"}, "/of-uv"),
    ],
)
def test_uv_asks_the_mirror_that_pip_is_told_of(network: Network, environ: dict[str, str], path: str) -> None:
    urls = {name: network.url + mirror for name, mirror in environ.items()}
    asking = "try:\n\t@echo something | uv pip compile --no-cache -\n"
    make("try", more=asking, environ=urls | {"UV_HTTP_RETRIES": "0"})
    assert network.asked == [f"GET {path}/something/ HTTP/1.1"]


def test_the_cdk_asks_nobody_for_a_newer_version_of_itself_though_it_prints_to_a_terminal(
    network: Network, tmp_path: Path
) -> None:
    terminal = 'try:\n\t@python -c \'import pty; pty.spawn(["cdk", "context"])\'\n'
    environ = {"HTTPS_PROXY": network.url, "CDK_HOME": str(tmp_path)}
    done = make("try", more=terminal, environ=environ)
    assert done.stdout, done.stderr
    assert network.asked == []


# A Python that is asked, and says so; it answers once it is told to. A script of the shell's: what stands behind #! can
# have no space in it.
ASKED = """#!/bin/sh
exec "{python}" -c 'import sys; print("asked", file=sys.stderr, flush=True); print(sys.stdin.readline())'
"""


@pytest.mark.parametrize("asked", ["python3", "its version"])
def test_an_interrupt_ends_make_without_a_traceback_of_the_python_that_it_asks(asked: str, tmp_path: Path) -> None:
    (python := tmp_path / "python3").write_text(ASKED.format(python=sys.executable))
    python.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    environ = {"PATH": f"{tmp_path}:{os.environ['PATH']}"} | ({} if asked == "python3" else {"PYTHON": str(python)})
    with subprocess.Popen(
        [shutil.which("make") or "make", "help"],
        cwd=tmp_path,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as run:
        assert run.stdout
        assert run.stdout.readline() == "asked\n"
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        assert run.wait() == -signal.SIGINT
        assert run.communicate("python3\n")[0] == ""
