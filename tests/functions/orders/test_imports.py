import ast
import sys
from pathlib import Path

import orders

SOURCE = Path(orders.__path__[0])
SDK = "aws_durable_execution_sdk_python"


def imported_packages(module: Path) -> set[str]:
    packages: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            packages |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            packages.add((node.module or "").partition(".")[0])
    return packages


def test_the_function_imports_the_sdk_the_standard_library_and_itself() -> None:
    modules = (module for module in SOURCE.rglob("*.py") if module.name != "infrastructure.py")  # it is not deployed
    imported = set[str]().union(*(imported_packages(module) for module in modules))
    assert imported - sys.stdlib_module_names == {SDK, "orders"}


def test_the_business_logic_imports_the_standard_library_alone() -> None:
    assert imported_packages(SOURCE / "order.py") <= sys.stdlib_module_names
