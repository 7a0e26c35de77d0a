"""Files that can't be read at all; the tests of environments show what is said of their keys."""

from pathlib import Path

import pytest

from infra import toml
from infra.toml import FileError, Table, read


class Place(Table):
    name: str


@pytest.mark.parametrize("content", [b"name = ", b'name = "\xff"', b"\xff\xfe"], ids=["cut", "latin", "bytes"])
def test_what_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "place.toml").write_bytes(content)
    with pytest.raises(FileError) as caught:
        read(file, Place)
    assert str(caught.value).startswith(f"{file} is not TOML: ")


def test_what_cannot_be_read_is_named_with_the_cause(tmp_path: Path) -> None:
    for file, cause in [(tmp_path / "missing.toml", "No such file or directory"), (tmp_path, "Is a directory")]:
        with pytest.raises(FileError) as caught:
            read(file, Place)
        assert str(caught.value) == f"{file}: can't be read: {cause}"


def test_a_file_of_the_checkout_is_called_by_its_place_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toml, "ROOT", tmp_path)
    with pytest.raises(FileError, match=r"^places/missing\.toml: can't be read"):
        read(tmp_path / "places" / "missing.toml", Place)
