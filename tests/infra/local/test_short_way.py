"""A bundle with the code of this moment; that it arrives is tried with the whole loop, in test_dev.py."""

import io
import zipfile
from pathlib import Path

import pytest

from infra.errors import UsageError
from infra.local.short_way import fingerprint, renewed

HANDLER = "functions/billing/handler.py"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (HANDLER, "functions/money/__init__.py", "functions/other/__init__.py"):
        write(tmp_path, name, "import money\n" if name == HANDLER else "")
    return tmp_path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """What was deployed: a dependency, what boto3 knows, and older code with a module that is gone."""
    path = tmp_path / "deployed.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for name in ("library/__init__.py", "botocore/data/lambda/model.json", "botocore/data/partitions.json"):
            bundle.writestr(name, "deployed")
        for name in ("billing/handler.py", "billing/gone.py"):
            bundle.writestr(name, "older")
    return path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_dependencies_stay_and_all_of_our_code_is_that_of_this_moment(root: Path, archive: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(renewed(archive, "billing", root))) as bundle:
        assert sorted(bundle.namelist()) == [
            "billing/handler.py",
            "botocore/data/lambda/model.json",
            "botocore/data/partitions.json",
            "library/__init__.py",
            "money/__init__.py",
        ]
        assert bundle.read("billing/handler.py") == b"import money\n"
        assert bundle.read("library/__init__.py") == b"deployed"


def test_a_client_of_a_service_that_boto3_does_not_know_there_is_refused(root: Path, archive: Path) -> None:
    write(root, HANDLER, 'import boto3\n\ntable = boto3.client("lambda")\n')
    renewed(archive, "billing", root)
    write(root, HANDLER, 'import boto3\n\ntable = boto3.client("dynamodb")\n')
    with pytest.raises(UsageError, match=f"{HANDLER}:3: makes a client of dynamodb"):
        renewed(archive, "billing", root)


def test_the_fingerprint_is_of_what_the_function_carries(root: Path) -> None:
    before = fingerprint("billing", root)
    write(root, "functions/other/__init__.py", "other = 1")
    assert fingerprint("billing", root) == before
    write(root, "functions/money/__init__.py", "more = 1")
    assert fingerprint("billing", root) != before
