"""What a team changes first, each as docs/change.md says it."""

from itertools import cycle

from infra.project import EXAMPLE_OWNER
from infra.toml import FileError
from tests.adoption.fork import Fork

REGIONS = ("eu-central-1", "us-east-2")


def take_over(fork: Fork, *, subject_has_ids: bool) -> set[str]:
    """Put another repository, other accounts, another region and its zones in place of ours; return what was edited."""
    repository = fork.project.repository
    known = {"owner_id": 424242, "id": 737373} if subject_has_ids else {"owner_id": 0, "id": 0}
    fork.assign("project.toml", owner=f"not-{EXAMPLE_OWNER}", subject_has_ids=subject_has_ids, **known)
    # The first line of that key is the project's own name.
    text = (fork.folder / "project.toml").read_text()
    head, found, tail = text.partition("[repository]")
    assert found, "project.toml has no table [repository]"
    tail = tail.replace(f'name = "{repository.name}"', 'name = "its.own_name"', 1)
    (fork.folder / "project.toml").write_text(head + found + tail)
    edited = {"project.toml"}
    accounts: dict[str, str] = {}
    numbers = cycle(("345678901234", "456789012345", "567890123456", "678901234567"))
    for name, environment in fork.environments.items():
        if name not in fork.project.environments:
            continue
        region = next(each for each in REGIONS if each != environment.region)
        account = accounts.setdefault(environment.account, next(numbers))
        zones = [region + zone[-1] for zone in environment.network.zones]
        fork.assign(f"environments/{name}.toml", account=account, region=region, zones=zones)
        edited.add(f"environments/{name}.toml")
    return edited


def rename(fork: Fork, name: str) -> set[str]:
    """Give the project another name, which is one line."""
    text = (fork.folder / "project.toml").read_text()
    line = f'name = "{fork.project.name}"'
    (fork.folder / "project.toml").write_text(text.replace(line, f'name = "{name}"', 1))
    return {"project.toml"}


def add_environment(fork: Fork, name: str) -> set[str]:
    """Add an environment to the promotion order: a file, and a word."""
    fork.add_environment(name)
    return {"project.toml", f"environments/{name}.toml"}


def add_function(fork: Fork, name: str) -> tuple[str, ...]:
    """Make a function, and return what may be touched by it: folders, and the files of environments without room."""
    before = fork.environments
    fork.run("make", "function", f"NAME={name}")
    made = (f"functions/{name}/", f"tests/functions/{name}/")
    try:
        assert fork.environments
    except FileError:
        # As its message asks for; how large a fork lets its capacity providers be is its own.
        fork.make_room_for_a_function(before)
        return (*made, "environments/")
    return made
