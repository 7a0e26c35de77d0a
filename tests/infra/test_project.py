from pathlib import Path

import pytest

from infra import project
from infra.project import EXAMPLE_OWNER, Project
from infra.toml import FileError

RIGHT = """\
name = "acme"
promote = ["dev", "prod"]
previews = "preview"

[repository]
owner = "acme-inc"
name = "money"
owner_id = 1001
id = 2002
subject_has_ids = true
"""


def read(root: Path, text: str) -> Project:
    (root / "project.toml").write_text(text)
    return project.load(root)


def test_the_file_of_this_checkout_is_right() -> None:
    assert project.load().repository.full_name.count("/") == 1


def test_environments_are_those_of_the_promotion_order_and_of_previews(tmp_path: Path) -> None:
    found = read(tmp_path, RIGHT)
    assert (found.name, found.environments, found.root) == ("acme", ["dev", "prod", "preview"], tmp_path)


def test_whether_ids_are_known_and_whether_subjects_have_them_are_two_settings(tmp_path: Path) -> None:
    found = read(tmp_path, RIGHT).repository
    assert (found.has_ids, found.subject_has_ids) == (True, True)
    found = read(tmp_path, RIGHT.replace("true", "false")).repository
    assert (found.has_ids, found.subject_has_ids) == (True, False)
    unknown = RIGHT.replace("1001", "0").replace("2002", "0").replace("true", "false")
    found = read(tmp_path, unknown).repository
    assert (found.has_ids, found.subject_has_ids) == (False, False)


def test_the_owner_of_the_example_is_known(tmp_path: Path) -> None:
    assert not read(tmp_path, RIGHT).repository.is_example
    assert read(tmp_path, RIGHT.replace("acme-inc", EXAMPLE_OWNER)).repository.is_example


WRONG = [
    ('"acme-inc"', '"acme-inc/money"', "repository.owner = 'acme-inc/money': must be the owner's login"),
    ('"acme-inc"', '"*"', "repository.owner = '*': must be the owner's login"),
    ('"money"', '"*"', "repository.name = '*': must be the repository's name"),
    ("owner_id = 1001\n", "", "repository.owner_id: missing; must be the owner's id"),
    ("owner_id = 1001", 'owner_id = "1001"', "repository.owner_id = '1001': must be the owner's id"),
    ("owner_id = 1001", "owner_id = 0", "repository.owner_id = 0: must be known where id is, and 0 where that is 0"),
    ("owner_id = 1001\nid = 2002", "owner_id = 0\nid = 0", "repository.subject_has_ids = True: takes owner_id and id"),
    ("owner_id = 1001", "ownerid = 1001", "repository.ownerid: unknown key; known here: owner, name, owner_id"),
    ('"acme"', '"ac-me"', "name = 'ac-me': must be 2 to 12 of a to z and 0 to 9"),
    ('"acme"', '"a"', "name = 'a': must be 2 to 12"),
    ('"acme"', '"acme567890123"', "name = 'acme567890123': must be 2 to 12"),
    ('"acme"', '"Acme"', "name = 'Acme': must be 2 to 12"),
    ('["dev", "prod"]', "[]", "promote = []: must be 1 to 4 environments"),
    ('["dev", "prod"]', '["a", "b", "c", "d", "e"]', "must be 1 to 4 environments, as many as deploy.yml has stages"),
    ('["dev", "prod"]', '["dev", "dev"]', "promote = 'dev': must be named once"),
    ('["dev", "prod"]', '["dev", "preview"]', "promote = 'preview': must be named once, in promote or as previews"),
    ('["dev", "prod"]', '["dev", "dev-2"]', "promote = 'dev-2': must be 1 to 4 environments, as many"),
    ('"preview"', '"pr"', "promote = 'pr': must be none of local, access, platform, pr"),
    ('"preview"', '"local"', "promote = 'local': must be none of local, access, platform, pr"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in RIGHT
    with pytest.raises(FileError, match=r"project\.toml: ") as failure:
        read(tmp_path, RIGHT.replace(old, new))
    assert said in str(failure.value)
