"""Which room may know of which: arrows point one way, so that each can be read, and replaced, by itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import ROOT

# What reaches further than the files of the checkout.
OUTER = ("infra.aws", "infra.github", "infra.pipeline", "infra.stacks", "infra.local", "aws_cdk", "boto3")

# What must not be imported where, and why: of folders, and of modules that stand by themselves.
UNKNOWN = {
    "functions": ("infra", "aws_cdk"),  # what runs on Lambda
    # All names follow from these, so they can follow from none.
    "infra/project.py": (*OUTER, "infra.environment", "infra.functions", "infra.naming"),
    "infra/functions.py": (*OUTER, "infra.environment", "infra.naming", "infra.project"),
    "infra/environment.py": (*OUTER, "infra.naming"),
    "infra/naming.py": OUTER,
    # What of a function is known by its files alone.
    "infra/sources.py": (*OUTER, "infra.environment", "infra.naming"),
    "infra/needs.py": (*(room for room in OUTER if room != "aws_cdk"), "infra.environment", "infra.naming"),
    "infra/services.py": (*OUTER, "infra.environment", "infra.naming"),
    "infra/dependencies": (*OUTER, "infra.environment", "infra.naming"),
    "infra/compiled.py": (*OUTER, "infra.environment", "infra.naming"),  # the local AWS reads modules with it
    "infra/bundle.py": (*OUTER, "infra.naming"),
    # It takes its options as the pipeline's commands do.
    "infra/replay": (*(room for room in OUTER if room != "infra.pipeline"), "infra.environment", "infra.naming"),
    "infra/scaffold": (*OUTER, "infra.naming"),
    "infra/aws": ("infra.github", "infra.pipeline", "infra.stacks", "infra.local", "aws_cdk"),
    "infra/assumptions": ("infra.github", "infra.pipeline", "infra.stacks", "infra.local", "aws_cdk"),
    "infra/github": ("infra.aws", "infra.pipeline", "infra.stacks", "infra.local", "aws_cdk"),
    "infra/console": ("infra.aws", "infra.github", "infra.pipeline", "infra.stacks", "infra.local", "aws_cdk"),
    "infra/policies": OUTER,
    "infra/stacks": ("infra.aws", "infra.github", "infra.pipeline", "infra.local", "boto3"),
    "infra/pipeline": ("infra.stacks", "infra.local", "aws_cdk"),  # the CDK is the CLI's to start
    "infra/local/server": ("infra.aws", "infra.console", "infra.pipeline", "boto3"),  # it has an interpreter of its own
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("room", UNKNOWN)
def test_a_room_does_not_know_those_above_it(room: str) -> None:
    place = ROOT / room
    files = [place] if place.suffix else list(place.rglob("*.py"))
    assert files
    for path in files:
        unknown = {*UNKNOWN[room]} - ({"aws_cdk"} if path.match("functions/*/infrastructure.py") else set())
        for name in imports(path):
            known = [each for each in unknown if f"{name}.".startswith(f"{each}.")]
            assert not known, f"{path.relative_to(ROOT)} imports {name}, of which {room} must not know"
