"""What goes wrong with one of several things, where the others are to go on all the same."""

from collections.abc import Generator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from infra.errors import CommandError


@contextmanager
def noting(problems: list[str]) -> Generator[None]:
    """Add to a list why something failed, in place of raising it."""
    try:
        yield
    except CommandError as error:
        problems.append(str(error))
    except (BotoCoreError, ClientError) as error:
        problems.append(f"AWS: {error}")
