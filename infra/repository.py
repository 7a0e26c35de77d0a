"""The typed reading of infra/repository.toml: which repository on GitHub this is."""

import tomllib
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

FILE = Path(__file__).with_name("repository.toml")


class RepositoryFileError(Exception):
    """The file is missing, unreadable or wrong. The message names the file, the key and what is right."""


class Repository(BaseModel):
    """A repository on GitHub. Names can be given up and taken by somebody else, ids can't."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    owner: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", description="the owner's login on GitHub")]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", description="the repository's name, without its owner")]
    owner_id: Annotated[int, Field(ge=0, description="the owner's id, or 0")]
    repository_id: Annotated[int, Field(ge=0, description="the repository's id, or 0")]

    @property
    def full_name(self) -> str:
        """Owner and name, as GitHub writes them."""
        return f"{self.owner}/{self.name}"

    @property
    def has_ids(self) -> bool:
        """Whether the ids are known."""
        return self.repository_id > 0

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.owner_id > 0) != (self.repository_id > 0):
            raise ValueError("owner_id and repository_id must both be known, or both be 0")
        return self


def load(file: Path = FILE) -> Repository:
    """Read the repository's identity.

    Raises:
        RepositoryFileError: the file is wrong; the message names every wrong key.
    """
    try:
        return Repository(**tomllib.loads(file.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RepositoryFileError(f"infra/{file.name} can't be read: {error}") from error
    except ValidationError as error:
        explained = (_explain(".".join(map(str, found["loc"])), found["msg"]) for found in error.errors())
        raise RepositoryFileError("\n".join(f"infra/{file.name}: {text}" for text in explained)) from error


def _explain(key: str, message: str) -> str:
    fields = Repository.model_fields
    if key in fields:
        return f"{key}: must be {fields[key].description}"
    if key:
        return f"{key}: unknown key; known here: {', '.join(fields)}"
    return message.removeprefix("Value error, ")
