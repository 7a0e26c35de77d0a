"""What of functions/ a function carries: its own package, and the packages beside it that it imports.

Import statements count, wherever in a file they stand. What a name made at run time imports is not seen.
"""

import ast
from collections.abc import Collection, Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from infra import ROOT
from infra.errors import UsageError


def carried(function: str, root: Path = ROOT) -> list[Path]:
    """Return the modules that a function carries.

    Args:
        function: its folder in functions/.
        root: the folder that holds functions/.

    Raises:
        UsageError: one imports another function or an infrastructure.py, or is not Python.
    """
    functions = root / "functions"
    found: dict[str, list[Path]] = {}
    pending = [function]
    while pending:
        package = pending.pop()
        found[package] = _modules(functions, package)
        imported = {name for path in found[package] for name in _beside(functions, path, function)}
        pending += sorted(imported - found.keys() - {*pending})
    return sorted(path for paths in found.values() for path in paths)


def clients(paths: Iterable[Path]) -> Iterator[tuple[Path, int, str]]:
    """Yield where these modules make clients of services, as `boto3.client("s3")` does: file, line and service.

    A name that is not written out there is not seen.
    """
    for path in paths:
        for node in ast.walk(_parsed(path)):
            match node:
                case ast.Call(func=ast.Attribute(attr="client" | "resource"), args=[ast.Constant(value=str(name)), *_]):
                    yield path, node.lineno, name
                case _:
                    pass


def check_clients(function: str, known: Collection[str], root: Path = ROOT) -> None:
    """Refuse a client of a service that nothing grants: boto3 would not know it, and no endpoint might lead there.

    Args:
        function: its folder in functions/.
        known: the services that its bundle lets boto3 make clients of.
        root: the folder that holds functions/.

    Raises:
        UsageError: a module that the function carries makes a client of another of AWS's services.
    """
    for path, line, name in clients(carried(function, root)):
        if name not in known and (files("botocore") / "data" / name).is_dir():
            raise UsageError(
                f"{path.relative_to(root)}:{line}: makes a client of {name}, of which "
                f"functions/{function}/infrastructure.py grants the function nothing; grant there what it calls, or "
                "name the service in SERVICES"
            )


def _modules(functions: Path, package: str) -> list[Path]:
    """Return the modules of a package, but for what describes a function's infrastructure."""
    folder, module = functions / package, functions / f"{package}.py"
    apart = folder / "infrastructure.py" if (folder / "handler.py").is_file() else None
    return [*(path for path in folder.rglob("*.py") if path != apart), *([module] if module.is_file() else [])]


def _beside(functions: Path, path: Path, function: str) -> Iterator[str]:
    """Yield what of functions/ a module imports that is not the function itself."""
    for name in _imports(path):
        package = name.partition(".")[0]
        if f"{name}.".startswith(f"{function}.infrastructure."):
            raise UsageError(f"{path.relative_to(functions.parent)} imports {name}, which no bundle carries")
        if package == function or not _modules(functions, package):
            continue
        if (functions / package / "handler.py").is_file():
            importing, imported = (each.relative_to(functions.parent) for each in (path, _file(functions, name)))
            raise UsageError(
                f"{importing} imports {imported}, which is another function's; move what both use into a package "
                "beside them, a folder of functions/ without a handler.py, and import that"
            )
        yield package


def _imports(path: Path) -> Iterator[str]:
    """Yield the full names that a module imports; relative ones stay inside its package."""
    for node in ast.walk(_parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _file(functions: Path, name: str) -> Path:
    """Return the file in which an imported name is, or else its package."""
    place = functions.joinpath(*name.split("."))
    for each in (place, *place.parents):
        for file in (each.with_suffix(".py"), each / "__init__.py"):
            if file.is_file():
                return file
        if each.parent == functions:
            break
    return functions / name.partition(".")[0]


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), str(path))
    except SyntaxError as error:
        raise UsageError(f"{path}:{error.lineno}: is not Python: {error.msg}") from error
