"""The typed reading of infra/repository.toml: which repository on GitHub this is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from infra.toml import Table, read

FILE = Path(__file__).with_name("repository.toml")


class Repository(Table):
    """A repository on GitHub. Names can be given up and taken by somebody else, ids can't."""

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

    def _problems(self) -> Iterator[str]:
        if (self.owner_id > 0) != (self.repository_id > 0):
            yield "owner_id and repository_id must both be known, or both be 0"


def load(file: Path = FILE) -> Repository:
    """Read the repository's identity.

    Raises:
        FileError: the file is wrong.
    """
    return read(file, Repository)
