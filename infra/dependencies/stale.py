"""Whether each lock is of what its source names: pyproject.toml, package.json, and each function's requirements.in.

What is asked for has to be in the lock, in a version that is asked for, and nothing is there as asked for that is not.
There is no digest that a merge would have to bring along: the lock that git has merged is held against the source that
git has merged, and passes where it fits. It runs before anything is installed: standard library only.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from infra import ROOT
from infra.dependencies.requirements import pins, read

SOURCE, LOCK = "requirements.in", "requirements.txt"
# The lock of each group of pyproject.toml.
GROUPS = {
    "uv": "requirements-uv.txt",
    "development": "requirements.txt",
    "local": "infra/local/requirements.txt",
    "checkov": "requirements-checkov.txt",
}
_NODE = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")


def problems(root: Path = ROOT) -> Iterator[str]:
    """Yield, for each lock that is not of what its source names, what differs."""
    groups: dict[str, list[Any]] = tomllib.loads((root / "pyproject.toml").read_text())["dependency-groups"]
    for group, lock in GROUPS.items():
        lines = [line for line in groups[group] if isinstance(line, str)]
        yield from _differences(root / lock, lines, f"group {group} of pyproject.toml", f"pyproject.toml:{group}", root)
    for source in sorted(path.with_name(SOURCE) for path in (root / "functions").glob("*/handler.py")):
        lines = source.read_text().splitlines() if source.is_file() else []
        yield from _differences(source.with_name(LOCK), lines, str(source.relative_to(root)), f"-r {SOURCE}", root)
    yield from _node_differences(root)


def _differences(lock: Path, lines: Iterable[str], source: str, origin: str, root: Path) -> Iterator[str]:
    """Yield what is wrong with a lock whose source has these lines, and which calls that source by this origin."""
    name = lock.relative_to(root)
    if not lock.is_file():
        yield f"{name}: there is no such file; it locks what {source} names"
        return
    locked = list(pins(lock.read_text()))
    wanted = [found for found in map(read, lines) if found]
    for requirement in wanted:
        versions = [pin.version for pin in locked if pin.name == requirement.name]
        if not any(pin.name == requirement.name and pin.extras >= requirement.extras for pin in locked):
            yield f"{name}: has no {requirement.text}, which {source} names"
        elif not any(map(requirement.allows, versions)):
            yield f"{name}: has {requirement.name} {', '.join(versions)}, and {source} asks for {requirement.text}"
    named = {requirement.name for requirement in wanted}
    for pin in locked:
        if pin.name not in named and any(re.search(rf"(^|\(){re.escape(origin)}($|\))", each) for each in pin.origins):
            yield f"{name}: has {pin.name} from {source}, which does not name it any more"


def _node_differences(root: Path) -> Iterator[str]:
    source, lock = (root / name for name in ("package.json", "package-lock.json"))
    if not lock.is_file():
        yield f"{lock.name}: there is no such file; it locks what {source.name} names"
        return
    asked, locked = json.loads(source.read_text()), json.loads(lock.read_text())["packages"][""]
    for kind in _NODE:
        wanted, found = ({*each.get(kind, {}).items()} for each in (asked, locked))
        for package in sorted({name for name, _ in wanted ^ found}):
            yield (
                f"{lock.name}: has {package} {dict(found).get(package, 'in no version')} in {kind}, and {source.name} "
                f"asks for {dict(wanted).get(package, 'none')}"
            )


def main() -> int:
    """Tell, before anything is installed. Exit code 2 where a lock is not of its source."""
    try:
        found = list(problems())
    except (ValueError, KeyError) as error:
        found = [f"pyproject.toml, package.json or package-lock.json can't be read: {error}"]
    if found:
        print(
            "\n".join([*found, "`make lock` writes the locks anew, and moves nothing that need not"]), file=sys.stderr
        )
    return 2 if found else 0


if __name__ == "__main__":
    sys.exit(main())
