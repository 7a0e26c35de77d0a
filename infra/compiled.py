"""Compiled modules: the machine and the Python that each is for, read from its first bytes and from its name.

A machine is called after its system and its processor, as in linux-arm64. That of Lambda is Linux, and called arm64 or
x86_64. The local AWS has no package but the standard library to read this with.
"""

import platform
import re
import sys

# What a compiled module's name ends with, on Linux and on macOS, and how many of its first bytes tell what it is for.
SUFFIX = ".so"
HEAD = 64
# e_machine of ELF, and cputype of Mach-O: elf.h, and mach/machine.h.
_ELF = {0x3E: "x86_64", 0xB7: "arm64"}
_MACH_O = {0x01000007: "x86_64", 0x0100000C: "arm64"}
_ARCHITECTURES = {"aarch64": "arm64", "amd64": "x86_64"}
_SYSTEMS = {"darwin": "macos"}


def here() -> tuple[str, str]:
    """Return this machine and the runtime that its Python is like, such as linux-x86_64 and python3.13."""
    processor = platform.machine().lower()
    system = _SYSTEMS.get(sys.platform, sys.platform)
    runtime = "python{}.{}".format(*sys.version_info)
    return f"{system}-{_ARCHITECTURES.get(processor, processor)}", runtime


def foreign(name: str, head: bytes, machine: str, runtime: str) -> str | None:
    """Return what a compiled module is for, if it can't be imported there, and otherwise None.

    Args:
        name: its file's.
        head: as many of its first bytes as `HEAD` says.
        machine: where it is to run: arm64 or x86_64 of Lambda, or what `here` tells.
        runtime: such as python3.13.
    """
    machines = _machines(head)
    version = re.search(r"\.cpython-(\d)(\d+)[a-z]*-", name)
    python = f"python{version[1]}.{version[2]}" if version else runtime
    wanted = machine if "-" in machine else f"linux-{machine}"
    if python == runtime and wanted in machines:
        return None
    return " and ".join([" or ".join(machines) or "no machine that is known", *([python] if version else [])])


def _machines(head: bytes) -> list[str]:
    """Return the machines that a file is for: of macOS, a file may be for several."""
    if head[:4] == b"\x7fELF":
        order = "big" if head[5:6] == b"\x02" else "little"
        return [f"linux-{_ELF[code]}" for code in [int.from_bytes(head[18:20], order)] if code in _ELF]
    codes: list[int] = []
    if head[:4] == b"\xcf\xfa\xed\xfe":
        codes = [int.from_bytes(head[4:8], "little")]
    elif head[:4] == b"\xca\xfe\xba\xbe":
        codes = [int.from_bytes(head[start : start + 4], "big") for start in (8, 28)[: head[7]]]
    return [f"macos-{_MACH_O[code]}" for code in codes if code in _MACH_O]
