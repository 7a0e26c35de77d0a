"""Bundles of functions of the tests' own, which carry what the checkout's do, and bundles of the checkout's."""

import http.server
import json
import os
import re
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

from infra import ROOT, bundle, environment, functions, sources
from infra.bundle import BundleError, is_needed
from infra.errors import UsageError
from infra.services import service
from tests.infra.fakes.modules import written

ARCHITECTURE, RUNTIME = "arm64", "python3.13"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-billing:1"
EXECUTION_ID = "0b7a4c1e-3f4e-3a55-9a0e-6f2c1f0b9d11"
EXECUTION_ARN = f"{FUNCTION_ARN}/durable-execution/bill-1/{EXECUTION_ID}"

HANDLER = """
import boto3
from aws_durable_execution_sdk_python import durable_execution, durable_step
from aws_durable_execution_sdk_python.config import Duration

from billing.work import charge
from money.coins import Coin


@durable_step
def _step(step, event):
    return charge(Coin(event["billId"]))


@durable_execution
def handler(event, context):
    first = context.step(_step(event), name="first")
    context.wait(Duration.from_seconds(5), name="pause")
    return context.step(_step({"billId": first}), name="last")
"""
MODULES = {
    "billing/__init__.py": "",
    "billing/handler.py": HANDLER,
    "billing/work.py": "def charge(coin):\n    return f'{coin.of} is charged'\n",
    "refunds/handler.py": "from .work import back\n",
    "refunds/work.py": "back = 0\n",
    "billing/infrastructure.py": "import aws_cdk\n",
    "money/coins.py": "class Coin:\n    def __init__(self, of):\n        self.of = of\n",
}


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
    assert is_needed(Path(path), {"lambda", "sts"})


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
    assert not is_needed(Path(path), {"lambda", "sts"})


def locked(text: str, *names: str) -> dict[str, str]:
    """Return the locks of functions, by their paths in functions/."""
    return {f"{name}/requirements.txt": text for name in names}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with two functions, whose locks are equal, and nothing installed."""
    return written(tmp_path, MODULES | locked("a==1\n", "billing", "refunds"))


def build(root: Path, function: str = "billing", architecture: str = ARCHITECTURE) -> Path:
    return bundle.build(function, architecture, RUNTIME, root=root)


def install(root: Path, function: str = "billing") -> Path:
    return bundle.install(function, ARCHITECTURE, RUNTIME, root)


@pytest.fixture
def uv(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a uv on the path that writes its arguments to a file, and return that file."""
    record = root / "arguments"
    command = root / "bin" / "uv"
    command.parent.mkdir()
    command.write_text(
        f"""#!/bin/sh
while [ "$1" ]; do echo "$1" >>{record}; if [ "$1" = --target ]; then touch "$2/a.py"; fi; shift; done
[ ! -e {root}/offline ]
"""
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    return record


def test_building_without_the_dependencies_fails_with_a_line_that_says_what_to_do(root: Path) -> None:
    with pytest.raises(BundleError) as caught:
        build(root)
    assert str(caught.value) == (
        "the dependencies of billing for arm64 and python3.13 are not installed as functions/billing/requirements.txt "
        "has them; `make bundle` installs them"
    )
    assert not (root / "build").exists()


def test_a_function_without_a_lock_is_told_which_file_is_missing(root: Path) -> None:
    (root / "functions" / "billing" / "requirements.txt").unlink()
    for action in (build, install):
        with pytest.raises(BundleError, match=r"^functions/billing/requirements\.txt: there is no .*`make lock`"):
            action(root)


@pytest.mark.usefixtures("uv")
def test_building_after_the_lock_has_changed_fails_until_it_is_installed_again(root: Path) -> None:
    install(root)
    build(root)
    written(root, locked("a==2\n", "billing"))
    with pytest.raises(BundleError, match="make bundle"):
        build(root)
    install(root)
    build(root)


@pytest.mark.usefixtures("uv")
def test_building_for_another_architecture_fails_until_it_is_installed(root: Path) -> None:
    install(root)
    with pytest.raises(BundleError, match=r"for x86_64 and python3\.13"):
        build(root, architecture="x86_64")


@pytest.mark.parametrize(
    ("architecture", "version", "platform"),
    [("arm64", "3.13", "aarch64-manylinux_2_28"), ("x86_64", "3.14", "x86_64-manylinux_2_28")],
)
def test_dependencies_are_installed_from_hashes_for_the_functions_platform(
    root: Path, uv: Path, architecture: str, version: str, platform: str
) -> None:
    folder = bundle.install("billing", architecture, f"python{version}", root)
    assert folder.is_relative_to(root / ".tools" / "bundle")
    arguments = uv.read_text().splitlines()
    for option, value in {
        "--python-platform": platform,
        "--python-version": version,
        "--only-binary": ":all:",
        "--requirement": f"{root}/functions/billing/requirements.txt",
    }.items():
        assert arguments[arguments.index(option) + 1] == value
    assert "--require-hashes" in arguments


def test_functions_share_what_equal_locks_install_once(root: Path, uv: Path) -> None:
    folder = install(root)
    uv.unlink()
    assert install(root) == install(root, "refunds") == folder
    assert not uv.exists()
    written(root, locked("a==2\n", "refunds"))
    assert install(root, "refunds") != folder


@pytest.mark.usefixtures("uv")
def test_dependencies_of_which_the_installation_failed_do_not_pass_as_installed(root: Path) -> None:
    (root / "offline").touch()
    with pytest.raises(BundleError, match=r"uv could not install functions/billing/requirements\.txt .*`make lock`"):
        install(root)
    with pytest.raises(BundleError, match="make bundle"):
        build(root)
    (root / "offline").unlink()
    install(root)
    build(root)


def test_installing_without_uv_fails_with_a_line_that_says_what_to_do(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(root))
    with pytest.raises(BundleError, match="uv is not installed; `make bundle` installs it"):
        install(root)


@pytest.mark.usefixtures("uv")
def test_another_copy_of_the_sources_gives_the_same_bytes_whatever_their_times_and_modes(root: Path) -> None:
    install(root)
    first = build(root).read_bytes()
    assert build(root).read_bytes() == first
    for path in (root / "functions").rglob("*.py"):
        path.chmod(0o700)
        os.utime(path, (0, 0))
    # What running the sources leaves beside them.
    (root / "functions" / "billing" / "__pycache__").mkdir()
    (root / "functions" / "billing" / "__pycache__" / "work.cpython-313.pyc").touch()
    assert build(root).read_bytes() == first


@pytest.mark.usefixtures("uv")
@pytest.mark.parametrize(
    ("changed", "differing"),
    [("billing/work.py", {"billing"}), ("refunds/work.py", {"refunds"}), ("money/coins.py", {"billing"})],
)
def test_a_change_changes_the_bytes_of_those_alone_that_carry_it(root: Path, changed: str, differing: set[str]) -> None:
    names = {"billing", "refunds"}
    for name in names:
        install(root, name)
    before = {name: build(root, name).read_bytes() for name in names}
    with (root / "functions" / changed).open("a") as source:
        source.write("# changed\n")
    assert {name for name in names if build(root, name).read_bytes() != before[name]} == differing


@pytest.mark.usefixtures("uv")
def test_what_has_the_name_of_a_dependency_is_refused(root: Path) -> None:
    install(root)
    written(root, {"a/thing.py": "", "billing/work.py": "import a.thing\n"})
    with pytest.raises(UsageError, match=r"^functions/a: has the name of a dependency of billing; give it another"):
        build(root)


def deployed() -> Iterator[tuple[str, str, str]]:
    """Yield each function of the checkout, with the architectures and runtimes that it is deployed for."""
    for name in functions.names():
        for each in environment.load_all().values():
            yield name, each.capacity_provider.architecture, each.settings(name).runtime


DEPLOYED = sorted({*deployed()})


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    """Return the bundle of a function that carries what one of the checkout's does, the SDK among that."""
    root = tmp_path_factory.mktemp("checkout")
    function, architecture, runtime = DEPLOYED[0]
    lock = (ROOT / "functions" / function / "requirements.txt").read_text()
    written(root, MODULES | locked(lock, "billing"))
    (root / ".tools").symlink_to(ROOT / ".tools")
    bundle.install("billing", architecture, runtime, root)
    with zipfile.ZipFile(bundle.build("billing", architecture, runtime, [service("dynamodb")], root)) as opened:
        yield opened


def test_a_bundle_has_its_functions_sources_and_those_that_they_import(archive: zipfile.ZipFile) -> None:
    names = set(archive.namelist())
    left_out = ("refunds/", "billing/infrastructure.py")
    assert names & MODULES.keys() == {name for name in MODULES if not name.startswith(left_out)}
    assert not [name for name in names if "__pycache__" in name or name.startswith(("refunds/", "infra/", "tests/"))]


def test_a_bundle_describes_the_services_that_its_function_calls_and_no_other(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    models = {name.split("/")[2] for name in names if re.match(r"botocore/data/[^/]+/", name)}
    assert models == {"lambda", "sts", "dynamodb", "dynamodbstreams"}
    assert {name.split("/")[2] for name in names if name.startswith("boto3/data/")} == {"dynamodb"}


def test_clients_and_resources_of_those_services_are_made_of_what_the_bundle_has(
    archive: zipfile.ZipFile, tmp_path: Path
) -> None:
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import boto3
assert boto3.__file__.startswith(sys.argv[1]), boto3.__file__
for make, name in (boto3.client, "lambda"), (boto3.client, "dynamodb"), (boto3.resource, "dynamodb"):
    make(name, region_name="eu-west-1", aws_access_key_id="none", aws_secret_access_key="none")
"""
    archive.extractall(tmp_path)
    assert subprocess.run([sys.executable, "-I", "-c", code, str(tmp_path)], check=False).returncode == 0


@pytest.mark.usefixtures("uv")
def test_a_client_of_a_service_that_nothing_grants_is_refused_with_its_place(root: Path) -> None:
    handler = 'import boto3\n\nQUEUE = boto3.client("sqs")\nOTHER = thing.client("no-service")\n'
    written(root, {"billing/handler.py": handler})
    (install(root) / "botocore" / "data" / "sqs").mkdir(parents=True)
    with pytest.raises(UsageError) as refused:
        build(root)
    assert str(refused.value) == (
        "functions/billing/handler.py:3: makes a client of sqs, of which functions/billing/infrastructure.py grants "
        "the function nothing; grant there what it calls, or name the service in SERVICES"
    )
    assert bundle.build("billing", ARCHITECTURE, RUNTIME, [service("sqs")], root).is_file()


@pytest.mark.parametrize(("function", "architecture", "runtime"), DEPLOYED)
def test_each_function_of_this_checkout_has_a_bundle_with_its_handler_and_no_other(
    function: str, architecture: str, runtime: str
) -> None:
    bundle.install(function, architecture, runtime)
    # What its infrastructure.py grants is for tests that synthesize it.
    called = [service(name) for _, _, name in sources.clients(sources.carried(function))]
    with zipfile.ZipFile(bundle.build(function, architecture, runtime, called)) as opened:
        names = opened.namelist()
    assert len(names) == len({*names})
    others = {*functions.names()} - {function}
    assert f"{function}/handler.py" in names
    assert not [name for name in names if name.partition("/")[0] in others]
    assert "aws_durable_execution_sdk_python/__init__.py" in names, (
        f"functions/{function}/requirements.in must name aws-durable-execution-sdk-python; then run `make lock`"
    )


def test_stripping_leaves_a_small_part_of_the_dependencies(archive: zipfile.ZipFile) -> None:
    data = [name for name in archive.namelist() if name.startswith("botocore/data/")]
    installed = bundle.install(*DEPLOYED[0]) / "botocore" / "data"
    whole = sum(path.stat().st_size for path in installed.rglob("*") if path.is_file())
    assert sum(archive.getinfo(name).file_size for name in data) < whole / 5


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
    with DurableExecutionApi({"billId": "bill-1"}) as server:
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
assert importlib.util.find_spec("boto3") is None and importlib.util.find_spec("billing") is None
sys.path.append(str(bundle))
from billing.handler import handler
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


def test_the_handler_runs_from_the_bundle_alone(
    archive: zipfile.ZipFile, tmp_path: Path, api: DurableExecutionApi
) -> None:
    archive.extractall(tmp_path)

    assert invoke(tmp_path, api) == {"Status": "PENDING"}
    assert [(update.get("Name"), update["Action"]) for update in api.updates] == [
        ("first", "START"),
        ("first", "SUCCEED"),
        ("pause", "START"),
    ]
    assert "bill-1 is charged" in api.updates[1]["Payload"]
    assert set(api.requests) == {f"/2025-12-01/durable-executions/{EXECUTION_ARN}/checkpoint"}

    api.end_waits()
    answer = invoke(tmp_path, api)
    assert answer["Status"] == "SUCCEEDED"
    assert json.loads(answer["Result"]) == "bill-1 is charged is charged"
    assert [(update.get("Name"), update["Action"]) for update in api.updates[3:]] == [
        ("last", "START"),
        ("last", "SUCCEED"),
    ]
