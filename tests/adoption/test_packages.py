"""Packages that a function carries: one in plain Python, and one that is compiled."""

import importlib.util
import sysconfig
import zipfile
from pathlib import Path

import pytest

from infra import bundle, compiled
from infra.dependencies import lock
from infra.dependencies.requirements import pins
from tests.adoption import changes
from tests.adoption.fork import Fork
from tests.infra.fakes.wheels import ARM64, HERE, X86_64, Shelf

NEW = "adopted"
# A compiled module of ours, which stands for one that a team wants.
COMPILED = "rpds"


def test_packages_are_a_line_each_and_come_with_the_bundle_of_each_machine(
    fork: Fork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes.add_function(fork, NEW)
    machines = targets(fork)
    shelf = Shelf(tmp_path / "wheels")
    shelf.be_all(monkeypatch)
    put_what_is_locked(fork, shelf, machines)
    fork.own_packages()
    fork.ours = fork.commit("A function of our own")
    put_new(shelf, machines)
    for package in ("plainly", "swiftly"):
        fork.run("make", "add", f"FUNCTION={NEW}", f"PACKAGE={package}")
    use(fork)
    fork.run("make", "lint", "run")
    fork.python("pytest", f"tests/functions/{NEW}")
    check_bundles(fork)
    code = f"functions/{NEW}"
    assert fork.touched() == {f"{code}/{file}" for file in ("handler.py", "requirements.in", "requirements.txt")}


def targets(fork: Fork) -> set[tuple[str, str]]:
    """Return what bundles are made for: each architecture and runtime of Lambda."""
    found = {bundle.machine(each, name) for each in fork.environments.values() for name in each.function_names}
    return found - {compiled.here()}


def tag(architecture: str, runtime: str) -> str:
    python = f"cp{runtime.removeprefix('python').replace('.', '')}"
    return f"{python}-{python}-manylinux_2_28_{architecture.replace('arm64', 'aarch64')}"


def put_what_is_locked(fork: Fork, shelf: Shelf, machines: set[tuple[str, str]]) -> None:
    """Let all that functions carry be had without a network, as far as it is installed here, and lock that."""
    locks = [*(fork.folder / "functions").glob("*/requirements.txt")]
    for name, version in {(pin.name, pin.version) for path in locks for pin in pins(path.read_text())}:
        shelf.add_installed(name, version, [tag(*machine) for machine in machines])
    for path in locks:
        # uv would keep the hashes of what the registry has.
        path.unlink()
    lock.write(fork.folder)
    fork.settle()


def put_new(shelf: Shelf, machines: set[tuple[str, str]]) -> None:
    shelf.add("plainly", "1.0", files={"plainly.py": b"def same(text: str) -> str:\n    return text\n"})
    for architecture, runtime in machines:
        name = f"swiftly/{COMPILED}.cpython-{runtime.removeprefix('python').replace('.', '')}-{architecture}.so"
        content = {"arm64": ARM64, "x86_64": X86_64}[architecture]
        shelf.add("swiftly", "2.0", tag(architecture, runtime), {"swiftly/__init__.py": b"", name: content})
    found = importlib.util.find_spec(f"{COMPILED}.{COMPILED}")
    assert found
    assert found.origin
    name = f"swiftly/{COMPILED}{sysconfig.get_config_var('EXT_SUFFIX')}"
    shelf.add("swiftly", "2.0", HERE, {"swiftly/__init__.py": b"", name: Path(found.origin).read_bytes()})


def use(fork: Fork) -> None:
    """Let a step use both."""
    fork.replace(
        f"functions/{NEW}/handler.py",
        {
            f"\nfrom {NEW}.work import": (
                f"from plainly import same\nfrom swiftly.{COMPILED} import HashTrieMap\n\nfrom {NEW}.work import"
            ),
            "read(event).id,": 'HashTrieMap({"id": same(read(event).id)})["id"],',
        },
    )


def check_bundles(fork: Fork) -> None:
    """See that each environment's bundle has both, the compiled one for its own machine."""
    for environment in fork.environments.values():
        machine, runtime = bundle.machine(environment, NEW)
        with zipfile.ZipFile(bundle.build(NEW, machine, runtime, root=fork.folder)) as archive:
            assert "plainly.py" in archive.namelist()
            (name,) = (name for name in archive.namelist() if name.startswith(f"swiftly/{COMPILED}."))
            head = archive.read(name)[: compiled.HEAD]
        assert compiled.foreign(Path(name).name, head, machine, runtime) is None
