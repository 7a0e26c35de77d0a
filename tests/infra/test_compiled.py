import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from infra.compiled import HEAD, foreign, here
from tests.infra.fakes.wheels import ARM64, X86_64

MAC_ARM64 = b"\xcf\xfa\xed\xfe" + (0x0100000C).to_bytes(4, "little") + bytes(56)
# Of both processors, as the installers of python.org are.
MAC_BOTH = (
    b"\xca\xfe\xba\xbe"
    + (2).to_bytes(4, "big")
    + (0x01000007).to_bytes(4, "big")
    + bytes(16)
    + (0x0100000C).to_bytes(4, "big")
    + bytes(32)
)


@pytest.mark.parametrize(
    ("name", "head", "machine", "runtime"),
    [
        ("a.cpython-313-aarch64-linux-gnu.so", ARM64, "arm64", "python3.13"),
        ("a.cpython-313-aarch64-linux-gnu.so", ARM64, "linux-arm64", "python3.13"),
        ("a.cpython-314-x86_64-linux-gnu.so", X86_64, "x86_64", "python3.14"),
        ("a.abi3.so", X86_64, "x86_64", "python3.14"),
        ("a.so", X86_64, "x86_64", "python3.13"),
        ("a.cpython-313-darwin.so", MAC_ARM64, "macos-arm64", "python3.13"),
        ("a.cpython-313-darwin.so", MAC_BOTH, "macos-arm64", "python3.13"),
        ("a.cpython-313-darwin.so", MAC_BOTH, "macos-x86_64", "python3.13"),
    ],
)
def test_a_module_of_a_machine_is_none_of_another(name: str, head: bytes, machine: str, runtime: str) -> None:
    assert foreign(name, head, machine, runtime) is None


@pytest.mark.parametrize(
    ("name", "head", "found"),
    [
        ("a.cpython-313-x86_64-linux-gnu.so", X86_64, "linux-x86_64 and python3.13"),
        ("a.cpython-312-aarch64-linux-gnu.so", ARM64, "linux-arm64 and python3.12"),
        ("a.cpython-313t-aarch64-linux-gnu.so", X86_64, "linux-x86_64 and python3.13"),
        ("a.abi3.so", MAC_ARM64, "macos-arm64"),
        ("a.abi3.so", MAC_BOTH, "macos-x86_64 or macos-arm64"),
        ("a.abi3.so", b"", "no machine that is known"),
        ("a.abi3.so", b"\x7fELF", "no machine that is known"),
    ],
)
def test_a_module_of_another_machine_or_python_is_told_as_such(name: str, head: bytes, found: str) -> None:
    assert foreign(name, head, "arm64", "python3.13") == found


def test_what_this_python_has_compiled_is_of_this_machine() -> None:
    machine, runtime = here()
    assert runtime == f"python{sys.version_info.major}.{sys.version_info.minor}"
    # One that the tests' own environment has.
    module = find_spec("pydantic_core._pydantic_core")
    assert module
    path = Path(module.origin or "")
    assert foreign(path.name, path.read_bytes()[:HEAD], machine, runtime) is None
