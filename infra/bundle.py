"""The function's bundle: its sources and locked dependencies in one zip, the same bytes each time.

Dependencies are installed by `make bundle`, for the function's architecture and runtime and without Docker. The zip is
then made from files alone, so that synthesizing needs no network.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import ROOT
from infra.environment import load, names

FUNCTIONS = ROOT / "functions"
LOCK = FUNCTIONS / "orders" / "requirements.txt"
INSTALLED = ROOT / ".tools" / "bundle"
BUILT = ROOT / "build" / "bundle"

# The services that the function calls: Lambda for its checkpoints, STS for credentials of an assumed role. Whoever
# calls another service from a step names it here.
SERVICES = ("lambda", "sts")

_PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that a zip can hold
_FILE_MODE = 0o100644 << 16
_INSTALLER_RECORDS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}


class BundleError(Exception):
    """The dependencies are not installed, or installing them failed."""


def build(architecture: str, runtime: str) -> Path:
    """Build the bundle from what is installed, and return its zip.

    Raises:
        BundleError: the dependencies are not installed as the lock has them.
    """
    dependencies = _dependencies(architecture, runtime)
    if not _is_current(dependencies):
        raise BundleError(
            f"the function's dependencies for {architecture} and {runtime} are not installed as "
            f"{LOCK.relative_to(ROOT)} has them; `make bundle` installs them"
        )
    archive = BUILT / f"orders-{dependencies.name}.zip"
    _zip(archive, [*_files(dependencies, is_needed), *_sources()])
    return archive


def install(architecture: str, runtime: str) -> Path:
    """Install the dependencies for one architecture and runtime, unless they are there as the lock has them.

    Raises:
        BundleError: uv could not install them.
    """
    dependencies = _dependencies(architecture, runtime)
    if _is_current(dependencies):
        return dependencies
    shutil.rmtree(dependencies, ignore_errors=True)
    uv = shutil.which("uv", path=os.pathsep.join([str(ROOT / ".tools" / "uv" / "bin"), os.environ.get("PATH", "")]))
    if uv is None:
        raise BundleError("uv is not installed; `make bundle` installs it")
    options = ["--target", str(dependencies), "--python-platform", _PLATFORMS[architecture]]
    options += ["--python-version", runtime.removeprefix("python"), "--only-binary", ":all:", "--require-hashes"]
    command = [uv, "pip", "install", "--quiet", *options, "--requirement", str(LOCK)]
    if subprocess.run(command, check=False).returncode != 0:
        raise BundleError(f"uv could not install {LOCK.relative_to(ROOT)} for {architecture} and {runtime}")
    _stamp(dependencies).write_text(_lock_digest())
    return dependencies


def is_needed(path: Path) -> bool:
    """Whether the function needs a file of its dependencies, by its path relative to their folder."""
    if path.parts[0] == "bin" or "__pycache__" in path.parts or path.name in _INSTALLER_RECORDS:
        return False
    if path.parts[:2] == ("botocore", "data"):
        # Files beside the services' folders describe partitions, endpoints and retries for all of them.
        return path.parent.name == "data" or path.parts[2] in SERVICES
    return path.parts[:2] != ("boto3", "data") and not path.name.startswith(".")


def report() -> Iterator[str]:
    """Install what every environment needs, and tell the bundles' sizes before and after stripping."""
    functions: dict[tuple[str, str], list[str]] = {}
    for name in names():
        environment = load(name)
        functions.setdefault((environment.capacity_provider.architecture, environment.function.runtime), []).append(
            name
        )
    for (architecture, runtime), environments in functions.items():
        dependencies = install(architecture, runtime)
        yield f"{architecture}, {runtime} ({', '.join(environments)}):"
        whole = [*_files(dependencies, lambda _: True), *_sources()]
        stripped = [*_files(dependencies, is_needed), *_sources()]
        yield f"  whole     {_unzipped(whole)}"
        yield f"  stripped  {_unzipped(stripped)}, {_zipped(stripped)}"


def _dependencies(architecture: str, runtime: str) -> Path:
    return INSTALLED / f"{architecture}-{runtime}"


def _stamp(dependencies: Path) -> Path:
    # Inside the folder, so that neither outlives the other when an installation is cut short or the folder removed.
    return dependencies / ".lock-digest"


def _is_current(dependencies: Path) -> bool:
    stamp = _stamp(dependencies)
    return stamp.exists() and stamp.read_text() == _lock_digest()


def _lock_digest() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def _files(folder: Path, wanted: Callable[[Path], bool]) -> Iterator[tuple[str, Path]]:
    """Yield the name within the bundle and the place of every wanted file of a folder."""
    for path in folder.rglob("*"):
        relative = path.relative_to(folder)
        if path.is_file() and wanted(relative):
            yield relative.as_posix(), path


def _sources() -> Iterator[tuple[str, Path]]:
    return _files(FUNCTIONS, lambda path: path.suffix == ".py")


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
        archive = Path(folder) / "orders.zip"
        _zip(archive, files)
        return f"{archive.stat().st_size / 1e6:.2f} MB zipped"


def main() -> int:
    """Run `make bundle`."""
    try:
        for line in report():
            print(line)
    except BundleError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
