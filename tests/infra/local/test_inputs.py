"""What counts as an input of the synthesis: all that it opens, and no less."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from infra import ROOT
from infra.local import inputs
from infra.project import LOCAL

# Runs the app, and tells which files of the checkout it opened, or took from their byte code.
WATCHED = """
import json, os, sys
opened = set()
sys.addaudithook(lambda event, given: opened.add(str(given[0])) if event == "open" else None)
from infra import ROOT
from infra.local import app
code = app.main(sys.argv[1])
opened |= {str(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
places = {os.path.relpath(path, ROOT) for path in opened if os.path.isabs(path)}
print(json.dumps(sorted(place for place in places if not place.startswith(".."))))
sys.exit(code)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with something in it of each kind, and a commit."""
    root = tmp_path / "checkout"
    for name in ("infra/app.py", "functions/billing/handler.py", "environments/local.toml", "cdk.json", "tests/a.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    git(root, "init", "--quiet")
    commit(root)
    return root


def git(root: Path, *arguments: str) -> None:
    who = {f"GIT_{role}_{what}": "a@b.example" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=root, env=os.environ | who, check=True)  # noqa: S607


def commit(root: Path) -> None:
    git(root, "commit", "--quiet", "--allow-empty", "--message", "one")


@pytest.mark.usefixtures("installed_dependencies")
def test_everything_that_the_synthesis_opens_counts(tmp_path: Path) -> None:
    context = json.dumps({"environment": LOCAL, "commit": "0" * 40})
    environ = os.environ | {"CDK_CONTEXT_JSON": context, "CDK_OUTDIR": str(tmp_path / "stacks")}
    command = [sys.executable, "-c", WATCHED, str(tmp_path / "access")]
    ended = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    read = {
        place
        for place in json.loads(ended.stdout)
        if Path(place).parts[0] not in (*inputs.INSTALLED, *inputs.BUILT) and inputs.COMPILED not in Path(place).parts
    }
    assert {"project.toml", f"environments/{LOCAL}.toml", "infra/app.py"} <= read
    missing = {place for place in read if (ROOT / place).is_file()} - inputs.files(ROOT).keys()
    assert not missing, f"infra/local/inputs.py does not count what the synthesis reads: {', '.join(sorted(missing))}"


@pytest.mark.parametrize(
    "name",
    [
        *("infra/app.py", "functions/billing/handler.py", "environments/local.toml", "cdk.json"),
        *("cdk.context.json", "functions/billing/table.json", "new/file", ".npmrc"),
    ],
)
def test_each_file_counts_by_its_content_its_name_and_its_absence(name: str, checkout: Path) -> None:
    path = checkout / name
    path.parent.mkdir(exist_ok=True)
    digests = [inputs.digest(checkout)]
    for content in ("one", "two"):
        path.write_text(content)
        digests.append(inputs.digest(checkout))
    path.rename(path.with_name("other"))
    digests.append(inputs.digest(checkout))
    path.with_name("other").unlink()
    digests.append(inputs.digest(checkout))
    assert len({*digests}) == len(digests) - (digests[0] == digests[-1])


@pytest.mark.parametrize(
    "name", ["tests/a.py", "docs/local.md", "README.md", "build/local/x", "infra/__pycache__/app.pyc", ".git/x"]
)
def test_what_no_synthesis_reads_does_not_count(name: str, checkout: Path) -> None:
    before = inputs.digest(checkout)
    (checkout / name).parent.mkdir(parents=True, exist_ok=True)
    (checkout / name).write_text("changed")
    assert inputs.digest(checkout) == before


def test_the_commit_counts(checkout: Path) -> None:
    before = inputs.digest(checkout)
    git(checkout, "commit", "--quiet", "--allow-empty", "--message", "two")
    assert inputs.digest(checkout) != before


@pytest.mark.parametrize("name", ["CDK_DEBUG", "JSII_NODE", "NODE_OPTIONS", "PYTHONPATH"])
def test_variables_that_set_the_programs_count(name: str, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = inputs.digest(checkout)
    monkeypatch.setenv("TERM_SESSION", "another")
    assert inputs.digest(checkout) == before
    monkeypatch.setenv(name, "another")
    assert inputs.digest(checkout) != before


def test_the_users_own_settings_of_the_cdk_count(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    before = inputs.digest(checkout)
    (tmp_path / ".cdk.json").write_text("{}")
    assert inputs.digest(checkout) != before


def test_what_is_installed_counts_by_its_versions() -> None:
    found = inputs.circumstances(ROOT)
    assert f"aws_cdk_lib-{version('aws-cdk-lib')}.dist-info" in str(found["packages"])
    cli = json.loads((ROOT / "node_modules" / "aws-cdk" / "package.json").read_text())
    assert json.loads(str(found["node"]))["packages"]["node_modules/aws-cdk"]["version"] == cli["version"]
    assert found["python"] == sys.version
