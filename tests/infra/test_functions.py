from pathlib import Path

import pytest

from infra import functions
from infra.toml import FileError


def write(root: Path, *names: str) -> None:
    for name in names:
        (folder := root / "functions" / name).mkdir(parents=True)
        (folder / "handler.py").touch()


def test_a_folder_with_a_handler_is_a_function(tmp_path: Path) -> None:
    write(tmp_path, "refunds", "billing", "send_invoice")
    (tmp_path / "functions" / "shared").mkdir()
    assert functions.names(tmp_path) == ("billing", "refunds", "send_invoice")


def test_this_checkout_has_functions_whose_names_are_right() -> None:
    assert functions.names()


def test_a_project_without_a_function_is_told_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"functions/: holds no folder with a handler\.py; `make function NAME=\.\.\.`"):
        functions.names(tmp_path)


@pytest.mark.parametrize("name", ["Billing", "1st", "send__invoice", "_send", "send_", "send-invoice", "n" * 21])
def test_a_folder_whose_name_aws_would_not_take_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    with pytest.raises(FileError, match=rf"^functions/{name}: must be named by 20 characters at most"):
        functions.names(tmp_path)


@pytest.mark.parametrize("name", ["email", "queue", "class"])
def test_a_folder_named_like_a_module_of_pythons_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    with pytest.raises(FileError, match=rf"^functions/{name}: can't be imported, since {name} is Python's own"):
        functions.names(tmp_path)
