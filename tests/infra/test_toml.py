"""Files that can't be read at all; the tests of environments show what is said of their keys."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from infra import toml
from infra.toml import FileError, Table, read


class Place(Table):
    """Where something is.

    More of it.
    """

    name: str


class Peak(Place):
    height: Annotated[int, Field(ge=0, le=9000, description="0 to 9000 m")]


@pytest.mark.parametrize("content", [b"name = ", b'name = "\xff"', b"\xff\xfe"], ids=["cut", "latin", "bytes"])
def test_what_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (file := tmp_path / "place.toml").write_bytes(content)
    with pytest.raises(FileError) as caught:
        read(file, Place)
    assert str(caught.value).startswith(f"{file} is not TOML: ")


def test_what_cannot_be_read_is_named_with_the_cause_or_with_what_it_is_for(tmp_path: Path) -> None:
    missing = "there is no such file; it says: Where something is."
    for file, said in [(tmp_path / "missing.toml", missing), (tmp_path, "can't be read: Is a directory")]:
        with pytest.raises(FileError) as caught:
            read(file, Place)
        assert str(caught.value) == f"{file}: {said}"


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("4096.0", "must be an integer, written 4096: 0 to 9000 m"),
        ("4096.5", "must be an integer: 0 to 9000 m"),
        ('"4096"', "must be 0 to 9000 m"),
        ("9001", "must be 0 to 9000 m"),
        ("true", "must be 0 to 9000 m"),
    ],
)
def test_an_integer_is_written_as_one(tmp_path: Path, written: str, rule: str) -> None:
    (file := tmp_path / "place.toml").write_text(f'name = "peak"\nheight = {written}')
    with pytest.raises(FileError) as caught:
        read(file, Peak)
    assert str(caught.value).endswith(f": {rule}")
    assert str(caught.value).startswith(f"{file}: height = ")


def test_a_file_of_the_checkout_is_called_by_its_place_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toml, "ROOT", tmp_path)
    with pytest.raises(FileError, match=r"^places/missing\.toml: there is no such file"):
        read(tmp_path / "places" / "missing.toml", Place)
