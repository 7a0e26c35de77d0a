"""Packages that a test makes itself, in a folder that uv takes for all that there is."""

import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from infra import ROOT

PURE = "py3-none-any"


class Shelf:
    """A folder with wheels."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    def add(
        self,
        name: str,
        version: str,
        tag: str = PURE,
        files: Mapping[str, bytes] | None = None,
        requires: Iterable[str] = (),
    ) -> None:
        """Add a package, which needs others."""
        about = f"{name}-{version}.dist-info"
        needed = "".join(f"Requires-Dist: {each}\n" for each in requires)
        content = {
            **(files or {f"{name}.py": b""}),
            f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needed}".encode(),
            f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        }
        record = "".join(f"{path},,\n" for path in [*content, f"{about}/RECORD"]).encode()
        with zipfile.ZipFile(self.folder / f"{name}-{version}-{tag}.whl", "w") as archive:
            for path, data in {**content, f"{about}/RECORD": record}.items():
                archive.writestr(path, data)

    def be_all(self, patch: pytest.MonkeyPatch) -> None:
        """Let uv, which is on the path then, know these packages and no registry."""
        config = self.folder / "uv.toml"
        config.write_text(f"no-index = true\nfind-links = [{json.dumps(str(self.folder))}]\n")
        for name, value in {"UV_CONFIG_FILE": config, "UV_CACHE_DIR": self.folder / ".cache"}.items():
            patch.setenv(name, str(value))
        patch.setenv("PATH", str(ROOT / ".tools" / "uv" / "bin"), prepend=os.pathsep)


def elf(machine: int) -> bytes:
    """Return the head of a file of ELF, of 64 bits and little endian, for a machine by its number there."""
    return b"\x7fELF\x02\x01\x01" + bytes(11) + machine.to_bytes(2, "little") + bytes(44)


X86_64, ARM64 = elf(62), elf(183)
