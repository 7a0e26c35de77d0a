"""Making of a function, below any folder that is laid out as a checkout is."""

import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from string import Template

from infra import ROOT, contract
from infra.dependencies import lock
from infra.errors import CommandError, UsageError
from infra.functions import check_name
from infra.replay import recorded
from infra.replay.code import imported, replaced
from infra.replay.record import record

TEMPLATES = Path(__file__).with_name("templates")


def make(name: str, root: Path = ROOT) -> list[Path]:
    """Make a function and its tests, and return their files.

    Args:
        name: what its folder in functions/ is to be called.
        root: the folder that holds pyproject.toml, functions/ and tests/.

    Raises:
        UsageError: the name can't be a function's, or is taken. Nothing was written.
        CommandError: what it carries could not be resolved, or ruff failed. Nothing is left of it.
    """
    check_name(name)
    _check_free(name, root)
    code, tests = _folders(name, root)
    try:
        _write(TEMPLATES / "functions", code, name, root)
        _write(TEMPLATES / "tests", tests, name, root)
        _lock(code, root)
        _tidy([code, tests], root)
        with imported(name, root) as handler, replaced(name, root):
            record(handler, contract.load(name, root).sample, recorded(name, root))
    except BaseException:
        for folder in (code, tests):
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return sorted(path for folder in (code, tests) for path in _files(folder))


def _folders(name: str, root: Path) -> tuple[Path, Path]:
    return root / "functions" / name, root / "tests" / "functions" / name


def _files(folder: Path) -> list[Path]:
    # Byte code stays where a function was removed, and where one was recorded.
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def _check_free(name: str, root: Path) -> None:
    for folder in _folders(name, root):
        if _files(folder) or folder.with_suffix(".py").exists():
            raise UsageError(f"{folder.relative_to(root)}: is there already; give the function another name")
    if (root / name).exists() or name in packages_distributions():
        raise UsageError(f"functions/{name}: another package is imported as {name}; give it another name")


def _write(templates: Path, folder: Path, name: str, root: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    values = {"name": name, "sdk": _requirement("aws-durable-execution-sdk-python", root)}
    values["boto3"] = _requirement("boto3", root)
    for template in templates.glob("*.template"):
        (folder / template.stem).write_text(Template(template.read_text()).substitute(values))


def _requirement(package: str, root: Path) -> str:
    """Return the version that we ask for ourselves, as it is written."""
    groups = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]
    (found,) = (line for line in groups["development"] if line.removeprefix(package)[:1] in tuple("~=<>!"))
    return found


def _lock(code: Path, root: Path) -> None:
    """Take over the lock of a function that carries the same, or else resolve all functions."""
    for source in sorted((root / "functions").glob(f"*/{lock.SOURCE}")):
        other = source.with_name(lock.LOCK)
        if source.parent != code and other.is_file() and _lines(source) == _lines(code / lock.SOURCE):
            shutil.copyfile(other, code / lock.LOCK)
            return
    lock.write(root)


def _lines(source: Path) -> set[str]:
    return {line.partition("#")[0].strip() for line in source.read_text().splitlines()} - {""}


def _tidy(folders: list[Path], root: Path) -> None:
    """Sort imports and break lines as the length of the name wants it."""
    for command in (["check", "--fix"], ["format"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--quiet", *map(str, folders)]
        if subprocess.run(ruff, cwd=root, check=False).returncode != 0:
            raise CommandError("ruff finds something in the new function's files, see above")
