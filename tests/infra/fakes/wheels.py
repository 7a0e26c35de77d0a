"""Packages that a test makes itself, in a folder that uv takes for all that there is."""

import hashlib
import os
import re
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

from infra import ROOT

PURE = "py3-none-any"
_PYTHON = "cp{}{}".format(*sys.version_info)
# Of what is compiled for this machine and its Python.
HERE = f"{_PYTHON}-{_PYTHON}-{re.sub('[-.]', '_', sysconfig.get_platform())}"


class Shelf:
    """A folder with wheels."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "simple").mkdir()
        self._index = folder / "simple"

    def add(
        self,
        name: str,
        version: str,
        tag: str = PURE,
        files: Mapping[str, bytes] | None = None,
        requires: Iterable[str] = (),
    ) -> None:
        """Add a package, which needs others."""
        needed = "".join(f"Requires-Dist: {each}\n" for each in requires)
        about = {"METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}".encode()}
        self._write(name, version, tag, files or {f"{name}.py": b""}, about)

    def add_installed(self, name: str, version: str, elsewhere: Iterable[str]) -> None:
        """Add a package as it is installed here, and for machines elsewhere, by their tags, without what is compiled.

        One that is for other systems or versions of Python alone has nothing in it.
        """
        try:
            found = distribution(name)
        except PackageNotFoundError:
            found = None
        if not found or found.version != version:
            self.add(name.replace("-", "_"), version)
            return
        known = {str(path): Path(str(path.locate())) for path in found.files or [] if path.parts[0] != ".."}
        files = {name: path.read_bytes() for name, path in known.items() if path.is_file() and path.suffix != ".pyc"}
        about = {"METADATA": next(data for path, data in files.items() if path.endswith(".dist-info/METADATA"))}
        content = {path: data for path, data in files.items() if ".dist-info/" not in path}
        pure = {path: data for path, data in content.items() if not path.endswith(".so")}
        distributed = name.replace("-", "_")
        for tag in [PURE] if pure == content else elsewhere:
            self._write(distributed, version, tag, pure, about)
        if pure != content:
            self._write(distributed, version, HERE, content, about)

    def _write(self, name: str, version: str, tag: str, files: Mapping[str, bytes], metadata: dict[str, bytes]) -> None:
        about = f"{name}-{version}.dist-info"
        content = {
            **files,
            **{f"{about}/{file}": data for file, data in metadata.items()},
            f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        }
        record = "".join(f"{path},,\n" for path in [*content, f"{about}/RECORD"]).encode()
        wheel = self.folder / f"{name}-{version}-{tag}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, data in {**content, f"{about}/RECORD": record}.items():
                archive.writestr(path, data)
        # With its hash, as a registry has it: a lock is to hold those of all machines.
        page = self._index / name.lower().replace("_", "-") / "index.html"
        page.parent.mkdir(exist_ok=True)
        with page.open("a") as links:
            digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
            links.write(f'<a href="{wheel.as_uri()}#sha256={digest}">{wheel.name}</a>\n')

    def be_all(self, patch: pytest.MonkeyPatch) -> None:
        """Let uv, which is on the path then, know these packages and no registry."""
        config = self.folder / "uv.toml"
        config.write_text(f'index-url = "{self._index.as_uri()}"\n')
        for name, value in {"UV_CONFIG_FILE": config, "UV_CACHE_DIR": self.folder / ".cache"}.items():
            patch.setenv(name, str(value))
        patch.setenv("PATH", str(ROOT / ".tools" / "uv" / "bin"), prepend=os.pathsep)


def elf(machine: int) -> bytes:
    """Return the head of a file of ELF, of 64 bits and little endian, for a machine by its number there."""
    return b"\x7fELF\x02\x01\x01" + bytes(11) + machine.to_bytes(2, "little") + bytes(44)


X86_64, ARM64 = elf(62), elf(183)
