"""One more function, and a change of it that leaves the others alone."""

import json
from pathlib import Path

from tests.adoption import changes
from tests.adoption.fork import Fork

NEW = "adopted"


def test_a_function_is_two_folders_and_leaves_the_others_alone(fork: Fork) -> None:
    first = fork.environments[fork.project.promote[0]].function_names[0]
    edited = changes.add_function(fork, NEW)
    # All tests run with all changes, in test_everything.py.
    fork.run("make", "lint", "types", "run")
    fork.python("pytest", "tests/functions")
    assert [file for file in fork.touched() if not file.startswith(edited)] == []
    fork.commit("A function of our own")
    before = templates(fork)
    fork.append(f"functions/{NEW}/handler.py", "# Another version of it.\n")
    after = templates(fork)
    assert before[first] == after[first], "the change of one function changes the template of another"
    assert before[NEW] != after[NEW]


def templates(fork: Fork) -> dict[str, object]:
    """Return the templates of the functions of the first environment, as they are built for one commit."""
    environment = fork.environments[fork.project.promote[0]]
    fork.python(
        "infra.pipeline", "build", "--environment", environment.name, "--commit", fork.ours, "--output", "built"
    )
    folder = fork.folder / "built"
    names = {function: path for function in environment.function_names for path in of(folder, function)}
    return {function: json.loads(path.read_text()) for function, path in names.items()}


def of(folder: Path, function: str) -> list[Path]:
    return list(folder.glob(f"*-{function.replace('_', '-')}.template.json"))
