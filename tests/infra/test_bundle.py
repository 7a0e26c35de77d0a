import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from infra import bundle
from infra.bundle import BundleError, is_needed

ARCHITECTURE, RUNTIME = "arm64", "python3.13"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:111111111111:function:orders-dev:1"
EXECUTION_ID = "0b7a4c1e-3f4e-3a55-9a0e-6f2c1f0b9d11"
EXECUTION_ARN = f"{FUNCTION_ARN}/durable-execution/order-123/{EXECUTION_ID}"


@pytest.mark.parametrize(
    "path",
    [
        "six.py",
        "boto3/session.py",
        "boto3-1.44.5.dist-info/METADATA",
        "urllib3-2.8.0.dist-info/licenses/LICENSE.txt",
        "botocore/cacert.pem",
        "botocore/data/endpoints.json",
        "botocore/data/_retry.json",
        "botocore/data/lambda/2015-03-31/service-2.json.gz",
        "botocore/data/sts/2011-06-15/endpoint-rule-set-1.json.gz",
    ],
)
def test_code_licences_certificates_and_the_services_that_are_called_are_needed(path: str) -> None:
    assert is_needed(Path(path))


@pytest.mark.parametrize(
    "path",
    [
        "bin/jp.py",
        "boto3/__pycache__/session.cpython-313.pyc",
        "boto3-1.44.5.dist-info/RECORD",
        "boto3-1.44.5.dist-info/INSTALLER",
        "boto3-1.44.5.dist-info/REQUESTED",
        "botocore/data/s3/2006-03-01/service-2.json.gz",
        "botocore/data/lambda-core/2026-01-01/service-2.json.gz",
        "boto3/data/ec2/2016-11-15/resources-1.json",
        ".lock",
        ".lock-digest",
    ],
)
def test_other_services_byte_code_scripts_and_the_installers_records_are_not_needed(path: str) -> None:
    assert not is_needed(Path(path))


def copy(source: Path, target: Path) -> None:
    """Copy files without their times and modes, and without byte code, which comes and goes while other tests run."""
    shutil.copytree(source, target, copy_function=shutil.copyfile, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of what a bundle is made from, in another place and with nothing installed, and build from it."""
    copy(bundle.FUNCTIONS, tmp_path / "functions")
    monkeypatch.setattr(bundle, "ROOT", tmp_path)
    monkeypatch.setattr(bundle, "FUNCTIONS", tmp_path / "functions")
    monkeypatch.setattr(bundle, "LOCK", tmp_path / "functions" / "orders" / "requirements.txt")
    monkeypatch.setattr(bundle, "INSTALLED", tmp_path / "installed")
    monkeypatch.setattr(bundle, "BUILT", tmp_path / "built")
    return tmp_path


@pytest.fixture
def uv(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a uv on the path that writes its arguments to a file, and return that file."""
    record = checkout / "arguments"
    command = checkout / "bin" / "uv"
    command.parent.mkdir()
    command.write_text(
        f"""#!/bin/sh
while [ "$1" ]; do echo "$1" >>{record}; if [ "$1" = --target ]; then mkdir -p "$2"; fi; shift; done
[ ! -e {checkout}/offline ]
"""
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    return record


def test_building_without_the_dependencies_fails_with_a_line_that_says_what_to_do(checkout: Path) -> None:
    with pytest.raises(BundleError) as caught:
        bundle.build(ARCHITECTURE, RUNTIME)
    assert str(caught.value) == (
        "the function's dependencies for arm64 and python3.13 are not installed as functions/orders/requirements.txt "
        "has them; `make bundle` installs them"
    )
    assert not (checkout / "built").exists()


def test_building_after_the_lock_has_changed_fails_until_it_is_installed_again(checkout: Path, uv: Path) -> None:
    assert uv.parent == checkout
    bundle.install(ARCHITECTURE, RUNTIME)
    bundle.build(ARCHITECTURE, RUNTIME)
    with bundle.LOCK.open("a") as lock:
        lock.write("\n# another dependency\n")
    with pytest.raises(BundleError, match="make bundle"):
        bundle.build(ARCHITECTURE, RUNTIME)
    bundle.install(ARCHITECTURE, RUNTIME)
    bundle.build(ARCHITECTURE, RUNTIME)


def test_building_for_another_architecture_fails_until_it_is_installed(checkout: Path, uv: Path) -> None:
    assert uv.parent == checkout
    bundle.install(ARCHITECTURE, RUNTIME)
    with pytest.raises(BundleError, match=r"for x86_64 and python3\.13"):
        bundle.build("x86_64", RUNTIME)


@pytest.mark.parametrize(
    ("architecture", "runtime", "platform", "version"),
    [
        ("arm64", "python3.13", "aarch64-manylinux_2_28", "3.13"),
        ("x86_64", "python3.14", "x86_64-manylinux_2_28", "3.14"),
    ],
)
def test_dependencies_are_installed_from_hashes_for_the_functions_platform(
    uv: Path, architecture: str, runtime: str, platform: str, version: str
) -> None:
    folder = bundle.install(architecture, runtime)
    arguments = uv.read_text().splitlines()
    for option, value in {
        "--target": str(folder),
        "--python-platform": platform,
        "--python-version": version,
        "--only-binary": ":all:",
        "--requirement": str(bundle.LOCK),
    }.items():
        assert arguments[arguments.index(option) + 1] == value
    assert "--require-hashes" in arguments


def test_dependencies_that_are_current_are_not_installed_again(uv: Path) -> None:
    folder = bundle.install(ARCHITECTURE, RUNTIME)
    uv.unlink()
    assert bundle.install(ARCHITECTURE, RUNTIME) == folder
    assert not uv.exists()


def test_dependencies_of_which_the_installation_failed_do_not_pass_as_installed(checkout: Path, uv: Path) -> None:
    assert uv.parent == checkout
    installed = bundle.LOCK.read_text()
    bundle.install(ARCHITECTURE, RUNTIME)
    bundle.LOCK.write_text("")
    (checkout / "offline").touch()
    with pytest.raises(BundleError, match=r"uv could not install functions/orders/requirements\.txt"):
        bundle.install(ARCHITECTURE, RUNTIME)
    bundle.LOCK.write_text(installed)
    with pytest.raises(BundleError, match="make bundle"):
        bundle.build(ARCHITECTURE, RUNTIME)


def test_installing_without_uv_fails_with_a_line_that_says_what_to_do(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(BundleError, match="uv is not installed; `make bundle` installs it"):
        bundle.install(ARCHITECTURE, RUNTIME)


def test_another_copy_of_the_sources_gives_the_same_bytes_whatever_their_times_and_modes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    whole = bundle.INSTALLED / f"{ARCHITECTURE}-{RUNTIME}"
    monkeypatch.setattr(bundle, "BUILT", tmp_path / "first")
    first = bundle.build(ARCHITECTURE, RUNTIME).read_bytes()
    assert bundle.build(ARCHITECTURE, RUNTIME).read_bytes() == first

    checkout: Path = request.getfixturevalue("checkout")
    umask = os.umask(0o077)
    try:
        copy(whole, checkout / "installed" / whole.name)
        for path in [*(checkout / "installed").rglob("*.py"), *(checkout / "functions").rglob("*.py")]:
            path.chmod(0o700)
            os.utime(path, (0, 0))
        # What running the sources leaves beside them.
        (checkout / "functions" / "orders" / "__pycache__").mkdir()
        (checkout / "functions" / "orders" / "__pycache__" / "order.cpython-313.pyc").write_bytes(b"")
        assert bundle.build(ARCHITECTURE, RUNTIME).read_bytes() == first
    finally:
        os.umask(umask)


def test_a_change_of_the_sources_changes_the_bytes(checkout: Path, uv: Path) -> None:
    assert uv.parent == checkout
    bundle.install(ARCHITECTURE, RUNTIME)
    before = bundle.build(ARCHITECTURE, RUNTIME).read_bytes()
    with (checkout / "functions" / "orders" / "order.py").open("a") as source:
        source.write("# changed\n")
    assert bundle.build(ARCHITECTURE, RUNTIME).read_bytes() != before


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(bundle, "BUILT", tmp_path_factory.mktemp("built"))
        with zipfile.ZipFile(bundle.build(ARCHITECTURE, RUNTIME)) as opened:
            yield opened


def test_entries_are_sorted_and_carry_neither_clock_nor_umask(archive: zipfile.ZipFile) -> None:
    assert archive.namelist() == sorted(set(archive.namelist()))
    for entry in archive.infolist():
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        assert entry.external_attr >> 16 == 0o100644
        assert entry.create_system == 3
        assert entry.compress_type == zipfile.ZIP_DEFLATED


def test_the_bundle_holds_the_function_and_what_its_lock_names_and_nothing_else(archive: zipfile.ZipFile) -> None:
    locked = re.findall(r"^([\w.-]+)==([\w.]+)", bundle.LOCK.read_text(), re.MULTILINE)
    assert {"aws-durable-execution-sdk-python", "boto3", "botocore"} <= {name for name, _ in locked}
    expected = {"orders"}
    for name, version in locked:
        record = (
            bundle.INSTALLED / f"{ARCHITECTURE}-{RUNTIME}" / f"{name.replace('-', '_')}-{version}.dist-info" / "RECORD"
        )
        expected |= {line.split("/")[0].split(",")[0] for line in record.read_text().splitlines()}
    assert {name.split("/")[0] for name in archive.namelist()} == expected - {"bin", ".."}


def test_the_modules_of_the_function_are_in_the_bundle_and_nothing_else_beside_them(archive: zipfile.ZipFile) -> None:
    modules = {path.relative_to(bundle.FUNCTIONS).as_posix() for path in bundle.FUNCTIONS.rglob("*.py")}
    assert {name for name in archive.namelist() if name.startswith("orders/")} == modules


def test_nothing_compiled_is_in_the_bundle_so_it_runs_on_either_architecture(archive: zipfile.ZipFile) -> None:
    assert not [name for name in archive.namelist() if Path(name).suffix in {".so", ".pyc", ".pyd", ".dylib"}]
    for wheel in (name for name in archive.namelist() if name.endswith(".dist-info/WHEEL")):
        assert "Root-Is-Purelib: true" in archive.read(wheel).decode(), wheel


def test_only_the_services_that_are_called_have_their_models_in_the_bundle(archive: zipfile.ZipFile) -> None:
    models = {name.split("/")[2] for name in archive.namelist() if re.match(r"botocore/data/[^/]+/", name)}
    assert models == set(bundle.SERVICES)
    assert not [name for name in archive.namelist() if name.startswith("boto3/data/")]


def test_stripping_leaves_a_small_part_of_what_is_installed(archive: zipfile.ZipFile) -> None:
    installed = (bundle.INSTALLED / f"{ARCHITECTURE}-{RUNTIME}").rglob("*")
    whole = sum(path.stat().st_size for path in installed if path.is_file() and "__pycache__" not in path.parts)
    assert sum(entry.file_size for entry in archive.infolist()) < whole / 3
    assert Path(str(archive.filename)).stat().st_size < 2_000_000


class DurableExecutionApi(http.server.ThreadingHTTPServer):
    """As much of Lambda's API as an execution calls: it takes checkpoints and answers with what they led to."""

    def __init__(self, event: object) -> None:
        super().__init__(("127.0.0.1", 0), partial(Checkpoint, self))
        self.updates: list[dict[str, Any]] = []
        self.requests: list[str] = []
        self.operations: dict[str, dict[str, Any]] = {
            EXECUTION_ID: {
                "Id": EXECUTION_ID,
                "Type": "EXECUTION",
                "Status": "STARTED",
                "ExecutionDetails": {"InputPayload": json.dumps(event)},
            }
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def record(self, update: dict[str, Any]) -> dict[str, Any]:
        """Take one update of a checkpoint, and return the operation as it now is."""
        self.updates.append(update)
        operation = self.operations.setdefault(
            update["Id"], {key: update[key] for key in ("Id", "Type", "SubType", "Name") if key in update}
        )
        operation["Status"] = {"START": "STARTED", "SUCCEED": "SUCCEEDED"}[update["Action"]]
        if "Payload" in update:
            operation["StepDetails"] = {"Attempt": 1, "Result": update["Payload"]}
        return operation

    def end_waits(self) -> None:
        for operation in self.operations.values():
            if operation["Type"] == "WAIT":
                operation["Status"] = "SUCCEEDED"

    def invocation(self) -> dict[str, Any]:
        """Return the event with which Lambda invokes the function."""
        return {
            "DurableExecutionArn": EXECUTION_ARN,
            "CheckpointToken": "token",
            "InitialExecutionState": {"Operations": list(self.operations.values()), "NextMarker": ""},
        }


class Checkpoint(http.server.BaseHTTPRequestHandler):
    def __init__(self, api: DurableExecutionApi, *connection: Any) -> None:
        self.api = api
        super().__init__(*connection)

    def do_POST(self) -> None:
        self.api.requests.append(unquote(self.path))
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operations = [self.api.record(update) for update in body["Updates"]]
        answer = json.dumps({"CheckpointToken": "token", "NewExecutionState": {"Operations": operations}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        pass


@pytest.fixture
def api() -> Iterator[DurableExecutionApi]:
    with DurableExecutionApi({"orderId": "order-123"}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


# Runs in an interpreter that has the standard library and the unpacked bundle, and says so.
INVOKE = """
import importlib.util, json, pathlib, sys, sysconfig, types
bundle, standard = pathlib.Path(sys.argv[1]), pathlib.Path(sysconfig.get_path("stdlib"))
assert not [path for path in sys.path if "site-packages" in path], sys.path
assert importlib.util.find_spec("boto3") is None and importlib.util.find_spec("orders") is None
sys.path.append(str(bundle))
from orders.handler import handler
context = types.SimpleNamespace(
    aws_request_id="request", invoked_function_arn="", tenant_id=None, get_remaining_time_in_millis=lambda: 60000
)
answer = handler(json.load(sys.stdin), context)
for module in list(sys.modules.values()):
    path = getattr(module, "__file__", None)
    assert path is None or bundle in pathlib.Path(path).parents or standard in pathlib.Path(path).parents, path
json.dump(answer, sys.stdout)
"""


def invoke(folder: Path, api: DurableExecutionApi) -> dict[str, Any]:
    """Invoke the handler as Lambda does, with the bundle in a folder and nothing else."""
    environ = {
        "AWS_ENDPOINT_URL_LAMBDA": api.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "NO_PROXY": "127.0.0.1",
    }
    process = subprocess.run(
        [sys.executable, "-I", "-S", "-c", INVOKE, str(folder)],
        input=json.dumps(api.invocation()),
        env=environ,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    # The function's logs are on standard output as well, a line each, before its answer.
    return json.loads(process.stdout.splitlines()[-1])


def test_the_handler_runs_an_order_from_the_bundle_alone(
    archive: zipfile.ZipFile, tmp_path: Path, api: DurableExecutionApi
) -> None:
    archive.extractall(tmp_path)

    assert invoke(tmp_path, api) == {"Status": "PENDING"}
    assert [(update.get("Name"), update["Action"]) for update in api.updates] == [
        ("validate-order", "START"),
        ("validate-order", "SUCCEED"),
        ("wait-before-processing", "START"),
    ]
    assert "order-123" in api.updates[1]["Payload"]
    assert set(api.requests) == {f"/2025-12-01/durable-executions/{EXECUTION_ARN}/checkpoint"}

    api.end_waits()
    answer = invoke(tmp_path, api)
    assert answer["Status"] == "SUCCEEDED"
    assert json.loads(answer["Result"])["status"] == "processed"
    assert [(update.get("Name"), update["Action"]) for update in api.updates[3:]] == [
        ("process-order", "START"),
        ("process-order", "SUCCEED"),
    ]
