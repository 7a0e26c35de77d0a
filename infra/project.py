"""The typed reading of project.toml: what this project is called, whose it is, and what it is deployed to."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from infra import ROOT
from infra.toml import Table, read, wrong

# The environment that `make run` deploys to. No workflow knows it.
LOCAL = "local"
# The owner that a fork replaces by its own.
EXAMPLE_OWNER = "example-org"
# What stands in names where an environment's name stands in others.
RESERVED = ("access", "platform", "pr")

# Without a hyphen, so that no name begins with another's and a hyphen: policies tell names apart by their beginnings.
ENVIRONMENT_NAME = r"^[a-z][a-z0-9]{0,9}$"
EnvironmentName = Annotated[
    str,
    Field(
        pattern=ENVIRONMENT_NAME,
        description="the name of a file in environments/: a to z and 0 to 9, a letter first, 10 at most, and no hyphen",
    ),
]


class Repository(Table):
    """A repository on GitHub. Names can be given up and taken by somebody else, ids can't."""

    owner: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", description="the owner's login on GitHub")]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", description="the repository's name, without its owner")]
    owner_id: Annotated[int, Field(ge=0, description="the owner's id, or 0 where it is not known")]
    id: Annotated[int, Field(ge=0, description="the repository's id, or 0 where it is not known")]
    subject_has_ids: Annotated[
        bool, Field(description="true or false: whether tokens of its jobs carry both ids in their subject")
    ]

    @property
    def full_name(self) -> str:
        """Owner and name, as GitHub writes them."""
        return f"{self.owner}/{self.name}"

    @property
    def is_example(self) -> bool:
        """Whether no fork has put its own repository here."""
        return self.owner == EXAMPLE_OWNER

    @property
    def has_ids(self) -> bool:
        """Whether the ids are known."""
        return self.id > 0

    def _problems(self) -> Iterator[str]:
        if (self.owner_id > 0) != (self.id > 0):
            yield wrong("owner_id", self.owner_id, "must be known where id is, and 0 where that is 0")
        if self.subject_has_ids and not self.has_ids:
            yield wrong("subject_has_ids", True, "takes owner_id and id, which are 0")


class Project(Table):
    """What this project is called, whose it is, and what it is deployed to.

    Args:
        root: the folder that holds project.toml, environments/ and functions/.
    """

    root: Path
    name: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9]{1,11}$",
            description="2 to 12 of a to z and 0 to 9, a letter first; no hyphen, since every name begins with it",
        ),
    ]
    promote: Annotated[
        list[EnvironmentName],
        Field(
            min_length=1,
            max_length=4,
            description="1 to 4 environments, as many as deploy.yml has stages, each the name of a file in "
            "environments/: a to z and 0 to 9, a letter first, 10 at most, and no hyphen",
        ),
    ]
    previews: EnvironmentName
    repository: Repository

    @property
    def environments(self) -> list[str]:
        """The names of all environments that workflows deploy to, in the order of promotion, that of previews last."""
        return [*self.promote, self.previews]

    def _problems(self) -> Iterator[str]:
        names = self.environments
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield wrong("promote", name, "must be named once, in promote or as previews")
        for name in {*names} & {LOCAL, *RESERVED}:
            yield wrong("promote", name, f"must be none of {', '.join((LOCAL, *RESERVED))}")


def load(root: Path = ROOT) -> Project:
    """Read the project.

    Raises:
        FileError: project.toml is missing or wrong.
    """
    return read(root / "project.toml", Project, root=root)
