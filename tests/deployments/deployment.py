"""What the deployments share: the checkout and copies of it with other code, and executions of its functions.

Everything is called as the checkout's own files say, so that these are the tests of any fork.
"""

import json
import re
import shutil
from pathlib import Path
from uuid import uuid4

import aws_cdk
import pytest

from infra import ROOT, app, budgets, bundle, contract, naming
from infra.aws.execution import Execution
from infra.aws.function import DeployedFunction
from infra.environment import Environment, load
from infra.project import LOCAL

ENVIRONMENT = load(LOCAL)
# One function, for what takes no more than one.
FOLDER = ENVIRONMENT.function_names[0]
FUNCTION = naming.function(ENVIRONMENT, FOLDER)
PLATFORM = naming.platform_stack(ENVIRONMENT)
WHOLE = naming.whole(ENVIRONMENT)

FUNCTIONS = [naming.function(ENVIRONMENT, each) for each in ENVIRONMENT.function_names]

# What an execution of HOLDING waits, in seconds: longer than a deployment takes here, where it matters.
SHORT, LONG = 5, 60

# The code of a function that has nothing of the team's: it waits, so that executions run when a test needs them to.
HOLDING = """
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration


@durable_execution
def handler(event, context):
    context.wait(Duration.from_seconds({seconds}), name="hold")
    return {{"code": {code!r}}}
"""
BROKEN = """
from aws_durable_execution_sdk_python import durable_execution


@durable_execution
def handler(event, context):
    raise ValueError("broken on purpose")
"""


def holding(seconds: int, code: str = "") -> str:
    """Return code whose executions wait that long, and then return what `code` says."""
    return HOLDING.format(seconds=seconds, code=code)


def marked(mark: str) -> str:
    """Return code that changes nothing of what a function does."""
    return f"\n# {mark}\n"


class Tree:
    """A copy of what of the checkout makes its functions, to change it.

    Args:
        folder: where the copy is made.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        for name in ("environments", "functions"):
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "project.toml", self.root)

    @property
    def environment(self) -> Environment:
        """The local environment, as the copy has it now."""
        return load(LOCAL, self.root)

    def append(self, code: str, function: str = FOLDER) -> None:
        """Add to the end of a function's handler.py, where a handler stands for that above it."""
        handler = self.root / "functions" / function / "handler.py"
        handler.write_text(handler.read_text() + code)

    def add_twin(self, twin: str) -> None:
        """Add a function with the code and the dependencies of the first."""
        folder = Path(shutil.copytree(self.root / "functions" / FOLDER, self.root / "functions" / twin))
        for path in folder.rglob("*.py"):
            path.write_text(re.sub(rf"\b{FOLDER}\b", twin, path.read_text()))
        # One function more may be one more than the instances are for.
        for path in (self.root / "environments").glob("*.toml"):
            most = re.sub(r"(?m)^(\s*maximum_vcpus\s*=\s*)\w+", r"\g<1>15_000", path.read_text())
            path.write_text(most)

    def remove(self, function: str) -> None:
        """Remove a function."""
        shutil.rmtree(self.root / "functions" / function)

    def build(self, folder: Path, commit: str = "0" * 40) -> Path:
        """Build the assembly of the local environment into a new folder."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bundle, "BUILT", folder / "bundle")
            context = {"environment": LOCAL, "commit": commit}
            built = aws_cdk.App(outdir=str(folder / "assembly"), context=context)
            app.build(built, root=self.root)
            built.synth()
        return folder / "assembly"


def synthesize(folder: Path, code: str = "", commit: str = "0" * 40) -> Path:
    """Build the local environment's assembly, with code added to the function that tests change."""
    tree = Tree(folder)
    tree.append(code)
    return tree.build(folder, commit)


def name() -> str:
    """Return the name of an execution that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


def event(identifier: str, folder: str = FOLDER) -> bytes:
    """Return the event of an execution of that name, as its function's contract has it."""
    return json.dumps(contract.load(folder).event_of(identifier)).encode()


def start(function: DeployedFunction, identifier: str) -> str:
    """Start an execution."""
    return function.start(identifier, event(identifier))


def follow(function: DeployedFunction, arn: str) -> Execution:
    """Follow an execution to its end."""
    return function.follow(arn, budgets.SMOKE_EXECUTION)
