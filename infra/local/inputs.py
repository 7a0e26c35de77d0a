"""What the synthesis of this checkout reads, as one digest: with equal inputs it makes equal assemblies.

Everything in the checkout counts but what is named here, so that a new file counts as well. What the code of
`infrastructure.py` reads elsewhere, of the network or the time of day, is not seen.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from infra import ROOT

# What is installed counts by the versions of its packages, and what is built is made from the rest.
INSTALLED = (".tools", ".venv", "node_modules")
BUILT = ("build", "cdk.out", ".coverage", ".hypothesis", ".pytest_cache", ".ruff_cache")
# What no synthesis reads.
PAGES = ("CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md")
BESIDE = (".ci", ".git", ".github", "docs", "tests", *PAGES)
COMPILED = "__pycache__"
# Of environment variables those which the CDK, jsii, Node and Python are set by.
SETTINGS = ("CDK_", "JSII_", "NODE_", "PYTHON")


def digest(root: Path = ROOT) -> str:
    """Return the digest of all inputs."""
    total = hashlib.sha256()
    for name, path in sorted(files(root).items()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{content}  {name}\n".encode())
    total.update(json.dumps(circumstances(root), sort_keys=True).encode())
    return total.hexdigest()


def files(root: Path) -> dict[str, Path]:
    """Return the files that count, by their names in the checkout."""
    found = {path.relative_to(root).as_posix(): path for path in _files(root)}
    # The CDK CLI takes context and settings from the home of whoever runs it as well.
    of_user = Path.home() / ".cdk.json"
    return found | ({"~/.cdk.json": of_user} if of_user.is_file() else {})


def circumstances(root: Path) -> dict[str, object]:
    """Return what counts and is no file: versions, the commit, and variables of the environment."""
    packages = root / "node_modules" / ".package-lock.json"
    return {
        "python": sys.version,
        "packages": sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info")),
        "node": packages.read_text() if packages.is_file() else None,
        "commit": _commit(root),
        "variables": {name: value for name, value in os.environ.items() if name.startswith(SETTINGS)},
    }


def _files(root: Path) -> Iterator[Path]:
    for top in root.iterdir():
        if top.name in (*INSTALLED, *BUILT, *BESIDE):
            continue
        if top.is_file():
            yield top
        for folder, folders, names in os.walk(top, followlinks=True):
            folders[:] = [name for name in folders if name != COMPILED]
            yield from (path for name in names if (path := Path(folder, name)).is_file())


def _commit(root: Path) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    command = [git, "rev-parse", "HEAD"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.strip()
