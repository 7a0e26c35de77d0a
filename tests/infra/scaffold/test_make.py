"""The making of a function below another folder than the checkout, where uv finds nothing to resolve."""

import subprocess
import sys
from pathlib import Path

import pytest

from infra import ROOT, contract, functions
from infra.errors import CommandError, UsageError
from infra.replay.__main__ import main as replay
from infra.scaffold.__main__ import main
from infra.scaffold.make import make

# Makes a function below a folder.
MAKE = """
import pathlib, sys
from infra.scaffold.__main__ import main
sys.exit(main([sys.argv[1]], pathlib.Path(sys.argv[2])))
"""
# A test of a team's own, of another answer than the contract's.
REFUSING = """
from refunds.handler import handler
from tests.local_runner import run


def test_what_is_not_granted_fails() -> None:
    assert run(handler, {"id": "example-1"}, callbacks={"approval": "refused"}).ended.status == "FAILED"
"""
LONGEST = "the_longest_of_names"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with a function that carries what new ones do, whose lock is to be taken over."""
    text = (ROOT / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(text)
    made = tmp_path / "functions" / "known"
    made.mkdir(parents=True)
    (made / "handler.py").touch()
    lines = [line.strip().partition('"')[2].partition('"')[0] for line in text.splitlines()]
    carried = [line for line in lines if line.startswith(("boto3>", "boto3~", "aws-durable-execution-sdk-python~"))]
    assert len(carried) == 2
    (made / "requirements.in").write_text("# why\n" + "".join(f"{line} # a reason of its own\n" for line in carried))
    (made / "requirements.txt").write_text("# the lock of another function\n")
    monkeypatch.setenv("PATH", "")
    return tmp_path


def make_apart(name: str, root: Path) -> str:
    """Make a function in a process of its own, since the local runner leaves the event loop open that it makes."""
    command = [sys.executable, "-c", MAKE, name, str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def left(root: Path) -> list[str]:
    """Return the files of functions and their tests, but for what was there before."""
    paths = [path for folder in ("functions", "tests") for path in (root / folder).rglob("*") if path.is_file()]
    found = sorted(path.relative_to(root).as_posix() for path in paths if path.suffix != ".pyc")
    return [path for path in found if not path.startswith("functions/known/")]


def test_a_function_is_made_with_its_tests_and_the_lock_of_one_that_carries_the_same(root: Path) -> None:
    told = make_apart("refunds", root)
    made = [line.removeprefix("Made ") for line in told.splitlines() if line.startswith("Made ")]
    assert made == left(root)
    assert made == [
        "functions/refunds/__init__.py",
        "functions/refunds/contract.toml",
        "functions/refunds/handler.py",
        "functions/refunds/infrastructure.py",
        "functions/refunds/requirements.in",
        "functions/refunds/requirements.txt",
        "functions/refunds/work.py",
        "tests/functions/refunds/recorded/1-pause-started.json",
        "tests/functions/refunds/recorded/2-work-pending.json",
        "tests/functions/refunds/recorded/3-work-succeeded.json",
        "tests/functions/refunds/recording.py",
        "tests/functions/refunds/test_handler.py",
        "tests/functions/refunds/test_work.py",
    ]
    assert (root / made[5]).read_text() == "# the lock of another function\n"
    assert "refunds" in functions.names(root)
    assert "make record FUNCTION=refunds" in told


@pytest.mark.parametrize("name", ["a", LONGEST])
def test_it_passes_the_checks_as_it_stands_however_it_is_called(root: Path, name: str) -> None:
    assert len(LONGEST) == functions.LONGEST_NAME
    make_apart(name, root)
    folders = [f"functions/{name}", f"tests/functions/{name}"]
    for command in (["check"], ["format", "--check"]):
        subprocess.run([sys.executable, "-m", "ruff", *command, "--quiet", *folders], cwd=root, check=True)
    assert contract.load(name, root).example
    assert replay(["check", "--function", name], root) == 0


def own_tests(root: Path) -> str:
    """Run the tests that it was made with, and return what they tell; they passed."""
    for name in ("infra", "tests/local_runner.py"):
        (root / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "pytest", "-n", "0", "tests/functions/refunds"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_its_own_tests_pass(root: Path) -> None:
    make_apart("refunds", root)
    assert "12 passed" in own_tests(root)


def test_its_own_tests_pass_when_it_was_given_a_callback(root: Path) -> None:
    """As docs/operations.md says: in its code, and in its contract."""
    make_apart("refunds", root)
    folder = root / "functions" / "refunds"
    pause = '    context.wait(PAUSE, name="pause")\n'
    asking = '    assert context.wait_for_callback(lambda *_: None, name="approval") == \'"granted"\'\n'
    edit(folder / "handler.py", pause, pause + asking)
    edit(folder / "contract.toml", '"step work"]', '"callback approval", "step work"]')
    edit(folder / "contract.toml", "[event]", '[callbacks]\napproval = "granted"\n\n[event]')
    (root / "tests" / "functions" / "refunds" / "test_approval.py").write_text(REFUSING)
    assert "13 passed" in own_tests(root)


def edit(file: Path, old: str, new: str) -> None:
    assert file.read_text().count(old) == 1
    file.write_text(file.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("known", "functions/known: is there already"),
        ("shared", "functions/shared: is there already"),
        ("module", "functions/module: is there already"),
        ("tested", "tests/functions/tested: is there already"),
        ("json", "json is Python's own"),
        ("lambda", "lambda is Python's own"),
        ("boto3", "another package is imported as boto3"),
        ("tests", "another package is imported as tests"),
        ("Refunds", "functions/Refunds: must be named by"),
        ("re-funds", "functions/re-funds: must be named by"),
        (f"{LONGEST}s", "must be named by 20 characters at most"),
    ],
)
def test_a_name_that_is_taken_or_wrong_is_refused_before_anything_is_written(
    root: Path, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    for path in ("functions/shared/coins.py", "functions/module.py", "tests/functions/tested/test_it.py"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()
    before = left(root)
    with pytest.raises(UsageError, match=told):
        make(name, root)
    assert main([name], root) == 2
    assert told in capsys.readouterr().err
    assert left(root) == before


def test_nothing_is_left_where_no_lock_can_be_had(root: Path) -> None:
    with (root / "functions" / "known" / "requirements.in").open("a") as source:
        source.write("six\n")
    with pytest.raises((CommandError, FileNotFoundError)):
        make("refunds", root)
    assert left(root) == []


def test_the_name_of_one_that_was_removed_is_free_though_its_byte_code_stays(root: Path) -> None:
    cache = root / "functions" / "refunds" / "__pycache__"
    cache.mkdir(parents=True)
    (cache / "handler.pyc").touch()
    make_apart("refunds", root)


def test_what_environments_lack_for_one_more_function_is_told(root: Path) -> None:
    (root / "project.toml").touch()
    told = make_apart("refunds", root)
    assert f"for the environments to hold one more function:\n\n{root}/project.toml: name: missing" in told
