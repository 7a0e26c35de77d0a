from pathlib import Path

import pytest

from infra.errors import UsageError
from infra.sources import carried, strings
from tests.infra.fakes.modules import written


def of(function: str, root: Path) -> list[str]:
    return [path.relative_to(root / "functions").as_posix() for path in carried(function, root)]


def test_a_function_carries_its_package_and_what_it_imports_of_those_beside_it(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        {
            "billing/handler.py": "import boto3\nfrom billing.tax.rates import RATE\nfrom money.coins import Coin\n",
            "billing/tax/rates.py": "RATE = 1\n",
            "refunds/handler.py": "",
            "money/coins.py": "def late() -> None:\n    import metals.gold\n    import plain\n",
            "metals/gold.py": "from . import silver\nfrom money import coins\n",
            "metals/silver.py": "",
            "unused/module.py": "",
            "plain.py": "",
        },
    )
    assert of("billing", root) == [
        "billing/handler.py",
        "billing/tax/rates.py",
        "metals/gold.py",
        "metals/silver.py",
        "money/coins.py",
        "plain.py",
    ]
    assert of("refunds", root) == ["refunds/handler.py"]


@pytest.mark.parametrize(
    ("statement", "file"),
    [
        ("import billing.work", "functions/billing/work.py"),
        ("from billing.work import charge", "functions/billing/work.py"),
        ("from billing import work", "functions/billing/work.py"),
        ("import billing", "functions/billing/__init__.py"),
        ("from billing.nothing import charge", "functions/billing/__init__.py"),
    ],
)
@pytest.mark.parametrize("importing", ["refunds/work.py", "money/coins.py"])
def test_importing_another_function_is_refused_with_both_files(
    tmp_path: Path, importing: str, statement: str, file: str
) -> None:
    modules = dict.fromkeys(["billing/__init__.py", "billing/handler.py", "billing/work.py", "money/coins.py"], "")
    root = written(tmp_path, modules | {"refunds/handler.py": "import money\n"} | {importing: f"{statement}\n"})
    assert of("billing", root)
    with pytest.raises(UsageError) as refused:
        carried("refunds", root)
    assert str(refused.value) == (
        f"functions/{importing} imports {file}, which is another function's; move what both use "
        "into a package beside them, a folder of functions/ without a handler.py, and import that"
    )


def test_a_module_that_is_not_python_is_named_with_its_line(tmp_path: Path) -> None:
    root = written(tmp_path, {"billing/handler.py": "\nimport\n"})
    with pytest.raises(UsageError, match=r"functions/billing/handler\.py:2: is not Python: "):
        carried("billing", root)


def test_strings_are_those_of_all_modules(tmp_path: Path) -> None:
    root = written(tmp_path, {"billing/handler.py": '"a docstring"\n', "billing/work.py": 'client("s3")\n'})
    assert strings(carried("billing", root)) == {"a docstring", "s3"}
