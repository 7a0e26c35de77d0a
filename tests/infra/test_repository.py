from pathlib import Path

import pytest

from infra.repository import FILE, load
from infra.toml import FileError

RIGHT = 'owner = "example-org"\nname = "orders"\nowner_id = 1001\nrepository_id = 2002\n'


def written(folder: Path, text: str) -> Path:
    file = folder / "repository.toml"
    file.write_text(text)
    return file


def test_the_file_of_this_repository_is_right() -> None:
    assert load(FILE).full_name.count("/") == 1


def test_ids_are_known_or_both_zero(tmp_path: Path) -> None:
    assert load(written(tmp_path, RIGHT)).has_ids
    unknown = RIGHT.replace("1001", "0").replace("2002", "0")
    assert not load(written(tmp_path, unknown)).has_ids


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'owner = "example-org"',
            'owner = "example-org/orders"',
            "owner = 'example-org/orders': must be ",
        ),
        ('owner = "example-org"', 'owner = "*"', "owner = '*': must be the owner's login"),
        ('name = "orders"', 'name = "*"', "name = '*': must be the repository's name"),
        ("owner_id = 1001\n", "", "owner_id: missing; must be the owner's id"),
        ("owner_id = 1001", 'owner_id = "1001"', "owner_id = '1001': must be the owner's id"),
        ("owner_id = 1001", "owner_id = 0", "must both be known, or both be 0"),
        ("owner_id = 1001", "ownerid = 1001", "ownerid: unknown key; known here: owner, name, owner_id"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in RIGHT
    with pytest.raises(FileError, match=r"repository\.toml: ") as failure:
        load(written(tmp_path, RIGHT.replace(old, new)))
    assert message in str(failure.value)
