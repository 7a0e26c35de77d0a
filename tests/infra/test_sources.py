from pathlib import Path

import pytest

from infra.errors import UsageError
from infra.sources import carried, clients
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


def test_clients_of_services_are_found_where_their_names_are_written_out(tmp_path: Path) -> None:
    work = (
        'import boto3\n\nBUCKET = boto3.client("s3", region_name="x")\nTABLE = boto3.Session().resource("dynamodb")\n'
    )
    others = 'print("sns")\nboto3.client(name)\nclient("sqs")\nthing.clients("kms")\n'
    root = written(tmp_path, {"billing/handler.py": others, "billing/work.py": work})
    path = root / "functions" / "billing" / "work.py"
    assert [*clients(carried("billing", root))] == [(path, 3, "s3"), (path, 4, "dynamodb")]


def test_an_infrastructure_py_is_not_carried(tmp_path: Path) -> None:
    files = {
        "billing/handler.py": "",
        "billing/infrastructure.py": "import aws_cdk\n",
        "billing/parts/infrastructure.py": "",
    }
    root = written(tmp_path, files)
    assert of("billing", root) == ["billing/handler.py", "billing/parts/infrastructure.py"]


def test_a_module_of_a_shared_package_may_be_called_infrastructure(tmp_path: Path) -> None:
    root = written(tmp_path, {"billing/handler.py": "import bridges.infrastructure\n", "bridges/infrastructure.py": ""})
    assert of("billing", root) == ["billing/handler.py", "bridges/infrastructure.py"]


@pytest.mark.parametrize("statement", ["import billing.infrastructure", "from billing.infrastructure import add"])
def test_code_may_not_import_its_infrastructure_py(tmp_path: Path, statement: str) -> None:
    root = written(tmp_path, {"billing/handler.py": f"{statement}\n", "billing/infrastructure.py": ""})
    with pytest.raises(UsageError, match=r"^functions/billing/handler\.py imports billing\.infrastructure"):
        carried("billing", root)
