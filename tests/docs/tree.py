"""Print what each module and folder of infra/ is, in the words of its docstring."""

import ast
from collections.abc import Iterator
from pathlib import Path

from infra import ROOT


def main() -> None:
    """Print a row for each."""
    print("| path | what is there |")
    print("| --- | --- |")
    for path in _paths(ROOT / "infra"):
        name = path.parent if path.name == "__init__.py" else path
        ending = "/" if name != path else ""
        print(f"| `{name.relative_to(ROOT).as_posix()}{ending}` | {summary(path)} |")


def summary(path: Path) -> str:
    """Return the first paragraph of a module's docstring, without the point at its end."""
    told = ast.get_docstring(ast.parse(path.read_text())) or ""
    return " ".join(told.split("\n\n")[0].split()).removesuffix(".").replace("|", "\\|")


def _paths(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.glob("*.py") if path.name != "__init__.py")
    yield from sorted(folder.glob("*/__init__.py"))


if __name__ == "__main__":
    main()
