"""Copies of the checkout, to change them, and code that stands for a function's own.

Everything is called as the checkout's own files say, so that tests with such a copy are those of any fork.
"""

import re
import shutil
from functools import partial
from pathlib import Path

import aws_cdk

from infra import ROOT, app, bundle, functions
from infra.environment import Environment, load
from infra.project import LOCAL

CHANGED = ("environments", "functions")
# Of the functions the one that tests change.
FOLDER = functions.names()[0]
# One that nobody has.
TWIN = next(name for name in ("twin", "other_twin") if name not in functions.names())

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
    """A copy of the checkout, to change its functions. What stands beside them is the checkout's own.

    Args:
        folder: where the copy is made.
    """

    def __init__(self, folder: Path) -> None:
        self.root = folder / "tree"
        for name in CHANGED:
            shutil.copytree(ROOT / name, self.root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.iterdir():
            if path.name not in (*CHANGED, "build"):
                (self.root / path.name).symlink_to(path)

    @property
    def environment(self) -> Environment:
        """The local environment, as the copy has it now."""
        return load(LOCAL, self.root)

    def append(self, code: str, function: str = FOLDER) -> None:
        """Add to the end of a function's handler.py, where a handler stands for that above it."""
        handler = self.root / "functions" / function / "handler.py"
        handler.write_text(handler.read_text() + code)

    def add_infrastructure(self, code: str, function: str = FOLDER) -> None:
        """Add to the end of a function's infrastructure.py, which has an `add` above it."""
        path = self.root / "functions" / function / "infrastructure.py"
        before = path.read_text() if path.exists() else "def add(stack, function, alias):\n    pass\n"
        path.write_text(before + code)

    def add_twin(self) -> None:
        """Add a function with the code and the dependencies of the first."""
        folder = Path(shutil.copytree(self.root / "functions" / FOLDER, self.root / "functions" / TWIN))
        for path in folder.rglob("*.py"):
            path.write_text(re.sub(rf"(?m)^(\s*(?:from|import)\s+){FOLDER}\b", rf"\g<1>{TWIN}", path.read_text()))
        # One function more may be one more than the instances are for.
        self.configure("maximum_vcpus", "15_000")

    def configure(self, key: str, value: str) -> None:
        """Give a key another value, in TOML, in the files of all environments that have it."""
        for path in (self.root / "environments").glob("*.toml"):
            path.write_text(re.sub(rf"(?m)^(\s*{key}\s*=\s*).*$", rf"\g<1>{value}", path.read_text()))

    def other_instances(self, environment: str = LOCAL) -> None:
        """Give an environment's capacity provider instances of another type."""
        settings = load(environment, self.root).capacity_provider
        family = {"arm64": "m7g", "x86_64": "m7i"}[settings.architecture]
        other = next(f'["{family}.{size}"]' for size in ("2xlarge", "4xlarge") if size not in str(settings))
        path, block = self._table("capacity_provider", environment)
        new = re.sub(r"(?m)^instance_types\s*=.*$", f"instance_types = {other}", block)
        path.write_text(path.read_text().replace(block, new))

    def next_generation(self) -> None:
        """Let the local environment have the next generation of its capacity provider, beside the one it has."""
        generation = self.environment.capacity_provider.generation
        path, block = self._table("capacity_provider")
        _, *keys = [line for line in block.splitlines() if not line.startswith("generation")]
        tables = [["[capacity_provider]", f"generation = {generation + 1}", *keys], [f"[retiring.{generation}]", *keys]]
        path.write_text(path.read_text().replace(block, "\n".join(line for table in tables for line in [*table, ""])))

    def retire(self) -> None:
        """Let the local environment have no earlier generation any more."""
        path, block = self._table(r"retiring\.\d+")
        path.write_text(path.read_text().replace(block, ""))

    def _table(self, name: str, environment: str = LOCAL) -> tuple[Path, str]:
        """Return the file of an environment, and the text of a table in it."""
        path = self.root / "environments" / f"{environment}.toml"
        match = re.search(rf"(?ms)^\[{name}\].*?(?=^\[|\Z)", path.read_text())
        assert match, f"{path} has no table [{name}]"
        return path, match[0]

    def remove(self, function: str) -> None:
        """Remove a function."""
        shutil.rmtree(self.root / "functions" / function)

    def build(self, folder: Path, commit: str = "0" * 40) -> Path:
        """Build the assembly of the local environment into a new folder."""
        context = {"environment": LOCAL, "commit": commit}
        built = aws_cdk.App(outdir=str(folder / "assembly"), context=context)
        app.build(built, partial(bundle.build, root=self.root), partial(load, root=self.root))
        built.synth()
        return folder / "assembly"
