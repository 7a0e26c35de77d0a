"""A function's bundle: the sources that it imports and its locked dependencies in one zip, the same bytes each time.

Dependencies are installed by `make bundle`, for each lock, architecture and runtime, and without Docker. The zip is
then made from files alone, so that synthesizing needs no network. What is to run on this machine is made for it.
"""

import hashlib
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import ROOT, compiled, sources
from infra import functions as all_functions
from infra.dependencies import registries
from infra.environment import Environment, load_all
from infra.errors import UsageError
from infra.project import LOCAL
from infra.services import ALWAYS, Service, clients

# Set to anything, bundles of all environments are made for this machine: the rehearsal deploys them to a local AWS.
ALL_RUN_HERE = "BUNDLES_RUN_HERE"

_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
_FILE_MODE = 0o100644 << 16
_INSTALLER_RECORDS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}


class BundleError(Exception):
    """The dependencies are not installed, are for another machine, or installing them failed."""


def machine(environment: Environment, function: str) -> tuple[str, str]:
    """Return the architecture and the runtime that a function's bundle is made for in an environment."""
    if environment.name == LOCAL or os.environ.get(ALL_RUN_HERE):
        return compiled.here()
    return environment.capacity_provider.architecture, environment.settings(function).runtime


def build(function: str, architecture: str, runtime: str, services: Iterable[Service] = (), root: Path = ROOT) -> Path:
    """Build a function's bundle from what is installed, and return its zip.

    Args:
        function: its folder in functions/.
        architecture: arm64 or x86_64 for Lambda's Linux, or this machine's.
        runtime: such as python3.13.
        services: what it calls besides what every function does; boto3 knows these alone.
        root: the folder that holds functions/.

    Raises:
        BundleError: the dependencies are not installed as the lock has them, or one is compiled for another machine.
        UsageError: the function imports another one, has a dependency's name, or makes a client of another service.
    """
    dependencies = _dependencies(function, architecture, runtime, root)
    if not dependencies.is_dir():
        raise BundleError(
            f"the dependencies of {function} for {architecture} and {runtime} are not installed as "
            f"{_lock(function, root).relative_to(root)} has them; `make bundle` installs them"
        )
    _check_compiled(function, dependencies, architecture, runtime)
    archive = root / "build" / "bundle" / f"{function}-{architecture}-{runtime}.zip"
    services = [*services]
    sources.check_clients(function, clients([*ALWAYS, *services]), root)
    _zip(archive, _contents(function, dependencies, services, root))
    return archive


def install(function: str, architecture: str, runtime: str, root: Path = ROOT) -> Path:
    """Install a function's dependencies for one architecture and runtime, unless they are there as the lock has them.

    Functions whose locks are equal share the folder, which is returned.

    Raises:
        BundleError: there is no lock, or uv could not install what it has.
    """
    dependencies = _dependencies(function, architecture, runtime, root)
    if dependencies.is_dir():
        return dependencies
    lock = _lock(function, root)
    dependencies.parent.mkdir(parents=True, exist_ok=True)
    # Others may install the same at this moment, and any may be cut short: the folder appears as a whole or not at all.
    with TemporaryDirectory(dir=dependencies.parent) as folder:
        (unfinished := Path(folder) / "installed").mkdir()
        options = ["--only-binary", ":all:", "--require-hashes", "--target", str(unfinished)]
        command = [_uv(root), "pip", "install", "--quiet", *options, *_interpreter(architecture, runtime)]
        code, said = registries.run([*command, "--requirement", str(lock)], root)
        if code != 0:
            raise BundleError(_failure(lock.relative_to(root), architecture, runtime, said))
        if not dependencies.is_dir():
            unfinished.rename(dependencies)
    return dependencies


def is_needed(path: Path, known: Collection[str]) -> bool:
    """Whether a function needs a file of its dependencies, by its path in their folder, if it calls these services."""
    if path.parts[0] == "bin" or "__pycache__" in path.parts or path.name in _INSTALLER_RECORDS:
        return False
    if path.parts[:2] == ("botocore", "data"):
        # Files beside the services' folders describe partitions, endpoints and retries for all of them.
        return path.parent.name == "data" or path.parts[2] in known
    if path.parts[:2] == ("boto3", "data"):
        return path.parts[2] in known
    return not path.name.startswith(".")


def report(root: Path = ROOT) -> Iterator[str]:
    """Install what every environment needs, and tell the size of each function's bundle before and after stripping.

    What an infrastructure.py lets boto3 know of more services comes on top.
    """
    for function in all_functions.names(root):
        for (architecture, runtime), environments in _targets(function, root).items():
            dependencies = install(function, architecture, runtime, root)
            yield f"{function}, {architecture}, {runtime} ({', '.join(environments)}):"
            modules = _named(sources.carried(function, root), root / "functions")
            yield f"  whole     {_unzipped([*_named(dependencies.rglob('*'), dependencies), *modules])}"
            stripped = _contents(function, dependencies, [], root)
            yield f"  stripped  {_unzipped(stripped)}, {_zipped(stripped)}"


def _targets(function: str, root: Path) -> dict[tuple[str, str], list[str]]:
    """Return what a function is deployed for, each architecture and runtime with the environments that have it."""
    found: dict[tuple[str, str], list[str]] = {}
    for environment in load_all(root).values():
        found.setdefault(machine(environment, function), []).append(environment.name)
    return found


def _interpreter(architecture: str, runtime: str) -> list[str]:
    """Return the options by which uv installs for a machine: Lambda's Linux, or this one and its Python."""
    if (architecture, runtime) == compiled.here():
        return ["--python", sys.executable]
    return ["--python-platform", _PLATFORMS[architecture], "--python-version", runtime.removeprefix("python")]


def _failure(lock: Path, architecture: str, runtime: str, said: str) -> str:
    """Return what to say of an installation that failed with these complaints of uv's."""
    if sentence := registries.unreached("uv", said):
        return f"{lock} is not installed for {architecture} and {runtime}: {sentence}"
    missing = sorted({*re.findall(r"(\S+?==[^\s,]+) has no (?:usable )?wheels", said)})
    if missing:
        return (
            f"{lock}: {', '.join(missing)} has no wheel for {architecture} and {runtime}, and none is made here; "
            "ask for a version that has one, in the requirements.in beside it, and then: make lock"
        )
    return (
        f"uv could not install {lock} for {architecture} and {runtime}; where the lock is at fault, `make lock` writes "
        "it anew"
    )


def _check_compiled(function: str, dependencies: Path, architecture: str, runtime: str) -> None:
    """Raise BundleError where a dependency was compiled for another machine or another Python than is wanted."""
    for path in sorted(dependencies.rglob(f"*{compiled.SUFFIX}")):
        with path.open("rb") as file:
            found = compiled.foreign(path.name, file.read(compiled.HEAD), architecture, runtime)
        if found:
            raise BundleError(
                f"functions/{function}: its dependency {path.relative_to(dependencies)} is compiled for {found}, and "
                f"wanted is {architecture} and {runtime}; its package has to be another, or of another version"
            )


def _lock(function: str, root: Path) -> Path:
    lock = root / "functions" / function / "requirements.txt"
    if not lock.is_file():
        file = lock.relative_to(root)
        raise BundleError(f"{file}: there is no such file; `make lock` writes it from the requirements.in beside it")
    return lock


def _dependencies(function: str, architecture: str, runtime: str, root: Path) -> Path:
    digest = hashlib.sha256(_lock(function, root).read_bytes()).hexdigest()
    return root / ".tools" / "bundle" / f"{digest[:16]}-{architecture}-{runtime}"


def _uv(root: Path) -> str:
    uv = shutil.which("uv", path=os.pathsep.join([str(root / ".tools" / "uv" / "bin"), os.environ.get("PATH", "")]))
    if uv is None:
        raise BundleError("uv is not installed; `make bundle` installs it")
    return uv


def _contents(function: str, dependencies: Path, services: Iterable[Service], root: Path) -> list[tuple[str, Path]]:
    """Return the name and the place of every file of a bundle."""
    modules = sources.carried(function, root)
    known = clients([*ALWAYS, *services])
    needed = [
        (name, path) for name, path in _named(dependencies.rglob("*"), dependencies) if is_needed(Path(name), known)
    ]
    ours = _named(modules, root / "functions")
    if both := {_importable(name) for name, _ in needed} & {_importable(name) for name, _ in ours}:
        name = min(both)
        raise UsageError(f"functions/{name}: has the name of a dependency of {function}; give it another")
    return [*needed, *ours]


def _named(paths: Iterable[Path], folder: Path) -> list[tuple[str, Path]]:
    return [(path.relative_to(folder).as_posix(), path) for path in paths if path.is_file()]


def _importable(name: str) -> str:
    """Return what a file of a bundle is imported by."""
    return name.partition("/")[0].removesuffix(".py")


def _zip(target: Path, files: list[tuple[str, Path]]) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Others may write or read the same bundle at this moment, so it appears as a whole or not at all.
    with TemporaryDirectory(dir=target.parent) as folder:
        unfinished = Path(folder) / target.name
        with zipfile.ZipFile(unfinished, "w") as archive:
            for name, path in sorted(files):
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.external_attr = _FILE_MODE
                entry.create_system = 3  # Unix, whatever builds it
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
        unfinished.replace(target)


def _unzipped(files: list[tuple[str, Path]]) -> str:
    return f"{sum(path.stat().st_size for _, path in files) / 1e6:6.1f} MB unzipped, {len(files):4} files"


def _zipped(files: list[tuple[str, Path]]) -> str:
    with TemporaryDirectory() as folder:
        archive = Path(folder) / "bundle.zip"
        _zip(archive, files)
        return f"{archive.stat().st_size / 1e6:.2f} MB zipped"


def main() -> int:
    """Run `make bundle`. Exit code 1 where something can't be installed, 2 where a file is wrong."""
    try:
        for line in report():
            print(line)
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
