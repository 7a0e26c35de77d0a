"""The short way of a function's code to a local AWS: past CloudFormation, which takes seconds where that takes none.

It exists only here, and nothing but `make dev` takes it: nowhere else does anything run that was not synthesized.
CloudFormation does not know of it, and need not. `$LATEST` keeps the code that CloudFormation gave it, so that the next
version which CloudFormation publishes has the code of its template; and every deployment sees to it that the alias
names the version of the stack.
"""

import hashlib
import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from infra import sources
from infra.aws.assembly import Assembly
from infra.aws.function import DeployedFunction
from infra.aws.target import Target
from infra.errors import UsageError

_FRAME = re.compile(r'File "(?P<path>[^"]+)", line (?P<line>\d+)')


class ShortWay:
    """What was deployed by the long way, and which code it has since then.

    Args:
        target: where it was deployed.
        code: the fingerprints of the functions' code, from before it was built.
        assembly: what was deployed.
    """

    def __init__(self, target: Target, code: dict[str, str], assembly: Assembly) -> None:
        self._target = target
        self._code = code
        self._assembly = assembly
        self._client = target.session.client("lambda")

    def changed(self) -> list[str]:
        """Return the functions that have other code than was deployed.

        Raises:
            UsageError: a file of one is not Python.
        """
        now = fingerprints(self._target)
        return [name for name in now if now[name] != self._code.get(name)]

    def take(self, name: str) -> str:
        """Let the next executions of a function run its code of this moment, and return their version.

        Raises:
            UsageError: it can't be imported, imports another function, or makes a client of a service that its
                infrastructure.py grants it nothing of.
        """
        root, function = self._target.environment.project.root, self._target.function(name)
        code = fingerprint(name, root)
        self._check_import(function)
        version = self._publish(function, renewed(self._assembly.archive(function.name), name, root))
        self._code[name] = code
        return version

    def _publish(self, function: DeployedFunction, archive: bytes) -> str:
        name, deployed = function.name, self._assembly.archive(function.name)
        published = self._client.update_function_code(FunctionName=name, ZipFile=archive, Publish=True)
        function.go_live(published["Version"])
        self._client.update_function_code(FunctionName=name, ZipFile=deployed.read_bytes())
        return published["Version"]

    def _check_import(self, function: DeployedFunction) -> None:
        """Import a function's handler as Lambda does when it starts a process, in a process of its own.

        Lambda would try again and again, and tell it late and without its place.
        """
        root = self._target.environment.project.root
        config = self._client.get_function_configuration(FunctionName=function.name)
        variables = config.get("Environment", {}).get("Variables", {})
        ended = subprocess.run(
            [sys.executable, "-c", f"import {function.folder}.handler"],
            cwd=root,
            env=os.environ | variables | {"PYTHONPATH": str(root / "functions")},
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            raise UsageError(_told(function.folder, ended.stderr, root))


def renewed(archive: Path, function: str, root: Path) -> bytes:
    """Return a function's bundle with the code of functions/ of this moment: what it depends on has not changed.

    Raises:
        UsageError: boto3 does not know a service in it that the code makes a client of.
    """
    modules = sources.carried(function, root)
    ours = {path.name.removesuffix(".py") for path in (root / "functions").iterdir()}
    written = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        models = (re.match(r"botocore/data/([^/]+)/", name) for name in old.namelist())
        sources.check_clients(function, {match[1] for match in models if match}, root)
        for entry in old.infolist():
            if entry.filename.partition("/")[0].removesuffix(".py") not in ours:
                new.writestr(entry, old.read(entry), zipfile.ZIP_DEFLATED, 1)
        for path in modules:
            new.write(path, path.relative_to(root / "functions").as_posix())
    return written.getvalue()


def fingerprints(target: Target) -> dict[str, str]:
    """Return the fingerprints of the code of all functions that this checkout has for a target."""
    return {name: fingerprint(name, target.environment.project.root) for name in target.function_names}


def fingerprint(function: str, root: Path) -> str:
    """Return a digest of the code of functions/ that a function carries.

    Raises:
        UsageError: something of it is not Python, or another function's.
    """
    total = hashlib.sha256()
    for path in sources.carried(function, root):
        total.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path}\n".encode())
    return total.hexdigest()


def _told(function: str, trace: str, root: Path) -> str:
    """Tell an error's place first, as an editor takes it, and then how it came to it."""
    lines = trace.replace(f"{root}/", "").rstrip().splitlines()
    places = [match for match in map(_FRAME.search, lines) if match and match["path"].startswith("functions/")]
    place = f"{places[-1]['path']}:{places[-1]['line']}" if places else f"functions/{function}/handler.py"
    return "\n".join([f"{place}: can't be imported: {lines[-1] if lines else 'no error was given'}", *lines[:-1]])
