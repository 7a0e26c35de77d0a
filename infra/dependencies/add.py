"""Add a package to what a function carries: a line of its requirements.in, and its lock.

What is locked stays where it is. Locks of other functions change only where they must agree with it: the tests of all
functions run in one environment. It runs before anything is installed: standard library only.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from infra import ROOT
from infra.dependencies import lock
from infra.dependencies.requirements import Requirement, allows, compatible, is_plain, pins, read
from infra.dependencies.stale import LOCK, SOURCE
from infra.errors import CommandError, UsageError


def add(function: str, package: str, root: Path = ROOT) -> Iterator[str]:
    """Add a package to a function, and yield what changed.

    Args:
        function: its folder in functions/.
        package: the package's name, with extras and a constraint if need be. Without a constraint it gets one of what
            is found.
        root: the folder that holds functions/.

    Raises:
        UsageError: there is no such function, it has the package already, or the package can't be named so.
        CommandError: uv could not resolve it. In either case all files stay as they were.
    """
    source = _source(function, root)
    requirement = _requirement(package, function, root)
    before = {path: path.read_text() for path in (root / "functions").glob(f"*/{LOCK}")}
    kept = source.read_text()
    try:
        source.write_text(_with_line(kept, requirement.text))
        changed = lock.write(root)
        if not requirement.clauses:
            found = [pin.version for pin in pins(source.with_name(LOCK).read_text()) if pin.name == requirement.name]
            source.write_text(_with_line(kept, f"{requirement.text}{_constraint(found)}"))
    except BaseException:
        source.write_text(kept)
        raise
    yield f"{source.relative_to(root)}: {source.read_text().splitlines()[-1]}"
    for path in sorted(changed, key=lambda path: path.parent.name != function):
        moved = ", ".join(_moves(before.get(path, ""), path.read_text()))
        reason = "" if path.parent.name == function else "had to agree: "
        yield f"{path.relative_to(root)}: {reason}{moved}"
    yield f"Say why behind the line in {SOURCE}, and then: make test"


def _source(function: str, root: Path) -> Path:
    known = sorted(path.parent.name for path in (root / "functions").glob("*/handler.py"))
    if function not in known:
        raise UsageError(
            f"FUNCTION={function}: must be the name of a folder in functions/ with a handler.py: "
            f"{', '.join(known)}; as in `make add FUNCTION={(known or ['refunds'])[0]} PACKAGE=pydantic`"
        )
    source = root / "functions" / function / SOURCE
    if not source.is_file():
        raise UsageError(
            f"{source.relative_to(root)}: there is no such file; it names what the function carries, a line each"
        )
    return source


def _requirement(package: str, function: str, root: Path) -> Requirement:
    requirement = read(package)
    if not requirement or not is_plain(package.strip()):
        raise UsageError(
            f"PACKAGE={package}: must be the name of a package, with versions if need be, as in PACKAGE=pydantic or "
            "PACKAGE='pydantic>=2'"
        )
    module = requirement.name.replace("-", "_")
    for place in (root / "functions" / module, root / "functions" / f"{module}.py"):
        if place.exists():
            raise UsageError(
                f"PACKAGE={package}: {place.relative_to(root)} has that name, and a function would find that or the "
                "package; give the folder another name"
            )
    source = root / "functions" / function / SOURCE
    for number, line in enumerate(source.read_text().splitlines(), 1):
        if (there := read(line)) and there.name == requirement.name:
            raise UsageError(
                f"{source.relative_to(root)}:{number}: has {there.text} already; change that line, and then: make lock"
            )
    return requirement


def _constraint(versions: Sequence[str]) -> str:
    """Return a constraint of what was found, which may be several versions, each for some versions of Python."""
    candidates = [*map(compatible, versions), *(f">={version}" for version in versions)]
    return next(each for each in candidates if all(allows(each, version) for version in versions))


def _with_line(text: str, line: str) -> str:
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    return f"{ended}{line}\n"


def _moves(before: str, after: str) -> Iterator[str]:
    earlier, later = _versions(before), _versions(after)
    for name in sorted(earlier.keys() | later.keys()):
        if name not in earlier:
            yield f"{name} {later[name]}"
        elif earlier[name] != later.get(name):
            yield f"{name} {later.get(name, 'gone')} instead of {earlier[name]}"


def _versions(text: str) -> dict[str, str]:
    return {pin.name: pin.version for pin in pins(text)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `make add`. Exit code 1 where uv can't resolve the package, 2 where the input is wrong."""
    parser = argparse.ArgumentParser("python -m infra.dependencies.add", description=__doc__)
    parser.add_argument("function", help="the function's folder in functions/")
    parser.add_argument("package", help="the package, such as pydantic or 'pydantic>=2'")
    parsed = parser.parse_args(arguments)
    try:
        for line in add(parsed.function, parsed.package):
            print(line)
    except (CommandError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
