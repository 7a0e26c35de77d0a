"""What is deployed to a local AWS: made by the CDK CLI, and used again for as long as it would be made the same.

Only here. What workflows deploy, and `make synth` and `make access` write, is built each time.
"""

import hashlib
import json
import os
import shlex
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import ROOT
from infra.aws.cdk import cdk
from infra.console.progress import doing
from infra.environment import Environment
from infra.local import inputs
from infra.pipeline import bootstrap

KEPT = ROOT / "build" / "local"
# How many of each kind stay: going back to what was there a moment ago is as fast as staying.
KEPT_AT_MOST = 5

ACCESS = "access"
STACKS = "stacks"


@dataclass(frozen=True)
class Built:
    """What is deployed: the assemblies of access and of the environment's stacks, and the bootstrap's template."""

    access: Path
    stacks: Path
    bootstrap: bootstrap.Json

    def preparation(self) -> str:
        """Return a digest of what prepares an account for the stacks: access and bootstrap."""
        templates = [path.read_text() for path in sorted(self.access.glob("*.template.json"))]
        return hashlib.sha256(json.dumps([templates, self.bootstrap]).encode()).hexdigest()


def build(environment: Environment, kept: Path = KEPT) -> Built:
    """Return what is deployed to an environment, made unless it is kept from an earlier time.

    Args:
        environment: the environment.
        kept: where all of it stays.

    Raises:
        CommandError: the CDK CLI failed.
    """
    name = environment.name
    folder = keep(kept / name, inputs.digest, lambda target: _synthesize(name, target))
    original = keep(kept / "bootstrap", _cli, lambda target: _write_bootstrap(name, target))
    template = json.loads((original / "template.json").read_text())
    return Built(folder / ACCESS, folder / STACKS, bootstrap.narrow(template, environment))


def keep(folder: Path, digest: Callable[[], str], make: Callable[[Path], None]) -> Path:
    """Return a folder that `make` fills, named by the digest of its inputs, and fill it unless it is there.

    What was made while its inputs changed is made again.
    """
    while not (found := folder / (before := digest())[:16]).is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        # Others may make the same at this moment, and any may be cut short: it appears as a whole or not at all.
        with TemporaryDirectory(dir=folder, prefix=".") as temporary:
            (unfinished := Path(temporary) / "made").mkdir()
            make(unfinished)
            if digest() == before and not found.is_dir():
                unfinished.rename(found)
    os.utime(found)
    _forget(folder)
    return found


def _forget(folder: Path) -> None:
    """Remove what was used longest ago."""
    with suppress(FileNotFoundError):  # somebody else does the same at this moment
        kept = sorted((path for path in folder.iterdir() if path.name[0] != "."), key=lambda path: path.stat().st_mtime)
        for path in kept[:-KEPT_AT_MOST]:
            shutil.rmtree(path, ignore_errors=True)


def _synthesize(environment: str, folder: Path) -> None:
    app = f"python -m infra.local.app {shlex.quote(str(folder / ACCESS))}"
    options = ["--app", app, "--context", f"environment={environment}", "--output", str(folder / STACKS)]
    with doing(f"Synthesizing {environment}"):
        cdk(["synth", "--quiet", *options], log=f"build-{environment}")


def _cli() -> str:
    """Return a digest of the CDK CLI that is installed."""
    return hashlib.sha256((ROOT / "node_modules" / ".package-lock.json").read_bytes()).hexdigest()


def _write_bootstrap(environment: str, folder: Path) -> None:
    with doing("Reading the CDK's bootstrap template"):
        (folder / "template.json").write_text(json.dumps(bootstrap.original(environment)))
