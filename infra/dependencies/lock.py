"""Write the locks: ours, of the groups of pyproject.toml, and functions/NAME/requirements.txt of the file beside each.

Those of functions are resolved together first, so that they agree: the tests of all functions run in one environment.
Nothing moves that need not, unless an upgrade is asked for. It runs before anything is installed, so it takes the
standard library only.
"""

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import ROOT
from infra.dependencies.registries import run, unreached
from infra.dependencies.stale import GROUPS, LOCK, SOURCE
from infra.errors import CommandError, UsageError

_COMPILE = ("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes")
# Extras stay in sight, so that one more of them shows as a lock that is not of its source.
_OPTIONS = ("--no-header", "--no-strip-extras")


def write_ours(root: Path = ROOT, *, upgrade: bool = False) -> list[Path]:
    """Write the locks of the groups of pyproject.toml, and return those that changed.

    Raises:
        CommandError: uv could not resolve them. The locks stay as they are.
    """
    with TemporaryDirectory() as folder:
        written = {root / lock: Path(folder) / f"{group}.txt" for group, lock in GROUPS.items()}
        for group, (lock, new) in zip(GROUPS, written.items(), strict=True):
            if lock.is_file():
                shutil.copyfile(lock, new)
            _compile(["--group", f"pyproject.toml:{group}"], new, root, upgrade=upgrade)
        return _copied(written)


def write(root: Path = ROOT, *, upgrade: bool = False) -> list[Path]:
    """Write the locks of all functions, and return those that changed.

    Args:
        root: the folder that holds functions/.
        upgrade: whether all versions may move, and not only those that must.

    Raises:
        UsageError: a function has no requirements.in.
        CommandError: uv could not resolve them. The locks stay as they are.
    """
    folders = sorted(path.parent for path in (root / "functions").glob("*/handler.py"))
    if not folders:
        return []
    if missing := [folder for folder in folders if not (folder / SOURCE).is_file()]:
        file = (missing[0] / SOURCE).relative_to(root)
        raise UsageError(f"{file}: there is no such file; it names what the function carries, a line each")
    with TemporaryDirectory() as temporary:
        # uv takes what stands in the file that it writes for the versions to prefer.
        everything = Path(temporary) / "everything.txt"
        everything.write_text("\n".join((folder / LOCK).read_text() for folder in folders if (folder / LOCK).is_file()))
        _compile([str((folder / SOURCE).relative_to(root)) for folder in folders], everything, root, upgrade=upgrade)
        locks = {folder / LOCK: Path(temporary) / f"{folder.name}.txt" for folder in folders}
        for lock, new in locks.items():
            shutil.copyfile(everything, new)
            # From its folder, so that functions which name the same have the same lock.
            _compile([SOURCE], new, lock.parent)
        return _copied(locks)


def _copied(written: dict[Path, Path]) -> list[Path]:
    """Put new locks in the place of those that differ, and return these."""
    changed = [lock for lock, new in written.items() if not lock.is_file() or lock.read_bytes() != new.read_bytes()]
    for lock in changed:
        lock.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(written[lock], lock)
    return changed


def _compile(given: Sequence[str], lock: Path, folder: Path, *, upgrade: bool = False) -> None:
    options = [*_OPTIONS, *(["--upgrade"] if upgrade else [])]
    code, said = run([*_COMPILE, *options, *given, "--output-file", str(lock)], folder)
    if code != 0:
        agree = "; where functions exclude each other, let their lines agree: the tests of all run in one environment"
        names = ", ".join(name for name in given if name != "--group")
        raise CommandError(
            unreached("uv", said) or f"uv could not resolve {names}{agree if given[0] != '--group' else ''}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `make lock`, but for npm's. Exit code 1 where uv can't resolve something, 2 where a file is missing."""
    parser = argparse.ArgumentParser("python -m infra.dependencies.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="let all versions move")
    upgrade: bool = parser.parse_args(arguments).upgrade
    try:
        for lock in [*write(upgrade=upgrade), *write_ours(upgrade=upgrade)]:
            print(f"Wrote {lock.relative_to(ROOT)}")
    except (CommandError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
