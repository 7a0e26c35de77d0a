"""What the pages call things, and what this checkout calls them: in a fork both go their own ways.

The pages tell of our sample. Their commands are run with the names of the checkout in the places of the sample's; what
commands print is compared where the checkout is the sample still.
"""

import re

from infra import ROOT
from infra import project as projects
from infra.environment import load_all
from infra.functions import names as function_names
from infra.project import EXAMPLE_OWNER, LOCAL

PROJECT = "shop"
FIRST, PREVIEWS, LAST = "dev", "preview", "prod"
# One that a page makes.
NEW_FUNCTION = "refunds"
# The function that the front page links to.
(FUNCTION,) = set(re.findall(r"\bfunctions/(\w+)/handler\.py", (ROOT / "README.md").read_text()))

_PROJECT = projects.load()
_OWN = {
    PROJECT: _PROJECT.name,
    FIRST: _PROJECT.promote[0],
    PREVIEWS: _PROJECT.previews,
    LAST: _PROJECT.promote[-1],
    LOCAL: LOCAL,
    FUNCTION: function_names()[0],
    NEW_FUNCTION: next(name for name in (NEW_FUNCTION, "one_more", "yet_one_more") if name not in function_names()),
}


def own(name: str) -> str:
    """Return what this checkout calls what the pages call so."""
    return _OWN[name]


def translated(command: str) -> str:
    """Put this checkout's names in the places of those that the pages use."""
    return re.sub(rf"(?<![\w./])({'|'.join(_OWN)})(?!\w|\.\w)", lambda match: _OWN[match[1]], command)


def is_sample() -> bool:
    """Return whether this checkout has our sample's names still, and belongs to nobody yet."""
    environments = set(load_all()) - {LOCAL}
    return (
        _PROJECT.repository.owner == EXAMPLE_OWNER
        and all(name == own for name, own in _OWN.items())
        and environments == {FIRST, PREVIEWS, LAST}
        and function_names() == (FUNCTION,)
    )
