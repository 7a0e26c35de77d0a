"""Write the locks of all functions: functions/NAME/requirements.txt, of what the requirements.in beside it names.

They are resolved together first, so that they agree: the tests of all functions run in one environment. Nothing moves
that need not, unless an upgrade is asked for. It runs before anything is installed: standard library only.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import ROOT
from infra.errors import CommandError, UsageError

SOURCE, LOCK = "requirements.in", "requirements.txt"
# As the Makefile resolves our own.
_OPTIONS = ("--quiet", "--universal", "--python-version", "3.11", "--generate-hashes", "--no-header")


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
        given = [str((folder / SOURCE).relative_to(root)) for folder in folders]
        _compile(given, everything, root, *(["--upgrade"] if upgrade else []))
        locks = {folder / LOCK: Path(temporary) / f"{folder.name}.txt" for folder in folders}
        for lock, new in locks.items():
            shutil.copyfile(everything, new)
            # From its folder, so that functions which name the same have the same lock.
            _compile([SOURCE], new, lock.parent)
        changed = [lock for lock, new in locks.items() if not lock.is_file() or lock.read_bytes() != new.read_bytes()]
        for lock in changed:
            shutil.copyfile(locks[lock], lock)
    return changed


def _compile(given: Sequence[str], lock: Path, folder: Path, *options: str) -> None:
    command = ["uv", "pip", "compile", *_OPTIONS, *options, *given, "--output-file", str(lock)]
    if subprocess.run(command, cwd=folder, check=False).returncode != 0:
        raise CommandError(
            f"uv could not resolve {', '.join(given)}; where functions exclude each other, let their lines agree: the "
            "tests of all run in one environment"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the functions' part of `make lock`. Exit code 1 where uv can't resolve them, 2 where a file is missing."""
    parser = argparse.ArgumentParser("python -m infra.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="let all versions move")
    try:
        for lock in write(upgrade=parser.parse_args(arguments).upgrade):
            print(f"Wrote {lock.relative_to(ROOT)}")
    except (CommandError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
