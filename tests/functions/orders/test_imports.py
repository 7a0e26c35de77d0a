import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import orders
from infra.dependencies.requirements import normalized, read

SOURCE = Path(orders.__path__[0])


def imported_packages(module: Path) -> set[str]:
    packages: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add((node.module or "").partition(".")[0])
    return packages


def test_the_function_imports_what_it_carries_the_standard_library_and_what_is_beside_it() -> None:
    modules = (module for module in SOURCE.rglob("*.py") if module.name != "infrastructure.py")  # it is not deployed
    imported = set[str]().union(*(imported_packages(module) for module in modules))
    beside = {path.stem for path in SOURCE.parent.iterdir()}
    named = {each.name for line in (SOURCE / "requirements.in").read_text().splitlines() if (each := read(line))}
    for package in imported - sys.stdlib_module_names - beside:
        assert named & {*map(normalized, packages_distributions().get(package, []))}, (
            f"functions/orders/requirements.in names nothing that is imported as {package}; "
            "`make add FUNCTION=orders PACKAGE=...` adds it"
        )


def test_the_business_logic_imports_the_standard_library_alone() -> None:
    assert imported_packages(SOURCE / "order.py") <= sys.stdlib_module_names
