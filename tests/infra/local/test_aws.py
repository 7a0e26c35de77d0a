import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from infra import ROOT
from infra.environment import load
from infra.local import aws as module
from infra.local.aws import SERVER_PYTHON, LocalAws, LocalAwsError
from infra.project import LOCAL
from tests.checkout import Tree
from tests.infra.local.durable_stack import ACCOUNT, PATIENCE_SECONDS, REGION, DurableStack, eventually, zipped
from tests.infra.local.processes import processes
from tests.infra.local.proxy import recording_proxy

ENVIRONMENT = load(LOCAL)
START = """
import signal, sys
from pathlib import Path
from infra.local.aws import LocalAws

signal.signal(signal.SIGINT, signal.default_int_handler)
aws = LocalAws.start(Path(sys.argv[1]))
print(aws.endpoint, flush=True)
signal.pause()
"""


def folders(temporary: Path) -> list[Path]:
    return list(temporary.glob("local-aws-*"))


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test's own for everything temporary."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_leaving_the_context_ends_every_process_and_removes_every_file_but_the_log(temporary: Path) -> None:
    with LocalAws.start(temporary / "logs") as aws:
        [folder] = folders(temporary)
        stack = DurableStack(aws.session(ACCOUNT, REGION), "stack")
        stack.deploy("one")
        stack.start_held()
        assert processes(aws.endpoint)
        assert any("_worker.py" in command for command in processes(str(folder)).values())
    assert not folders(temporary)
    eventually(lambda: not processes(aws.endpoint) and not processes(str(folder)))
    assert aws.log.parent == temporary / "logs"
    assert "stack" in aws.log.read_text()


def test_an_error_inside_the_context_ends_it_too(temporary: Path) -> None:
    with pytest.raises(ZeroDivisionError), LocalAws.start(temporary) as aws:
        _ = 1 / 0
    assert not folders(temporary)
    eventually(lambda: not processes(aws.endpoint))
    aws.stop()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_the_process_that_started_it(temporary: Path, end: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", START, str(temporary)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as starter:
        assert starter.stdout
        endpoint = starter.stdout.readline().decode().strip()
        assert processes(endpoint)
        starter.send_signal(end)
    eventually(lambda: not processes(endpoint) and not processes(str(temporary)))
    assert not folders(temporary)


def test_a_killed_server_takes_its_runner_with_it(temporary: Path) -> None:
    with LocalAws.start(temporary) as aws:
        [folder] = folders(temporary)
        [server] = processes(str(folder))
        os.kill(server, signal.SIGKILL)
        eventually(lambda: not processes(aws.endpoint))
    assert not folders(temporary)


def test_a_failure_to_start_names_the_log_and_shows_its_end(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "executable", shutil.which("false"))
    with pytest.raises(LocalAwsError, match="ended while it was starting") as error:
        LocalAws.start(temporary / "logs")
    [log] = (temporary / "logs").iterdir()
    assert str(log) in str(error.value)
    assert "the runner of durable executions ended while it was starting" in str(error.value)
    assert not folders(temporary)


def test_a_local_aws_that_is_not_installed_is_named(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SERVER_PYTHON", temporary / "python")
    with pytest.raises(LocalAwsError, match="`make setup` installs the local AWS"):
        LocalAws.start(temporary)


def test_a_part_of_ministack_that_moved_is_named() -> None:
    moved = "import ministack.services.sts as sts; del sts._web_identity_principal; import infra.local.server.ministack"
    ended = subprocess.run([SERVER_PYTHON, "-c", moved], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "ministack.services.sts._web_identity_principal is not there" in ended.stderr


def test_it_listens_on_the_loopback_address_alone(local_aws: LocalAws) -> None:
    assert local_aws.endpoint.startswith("http://127.0.0.1:")
    _, port = local_aws.endpoint.rsplit(":", 1)
    with pytest.raises(OSError, match=r"refused|timed out|assign"):
        socket.create_connection(("127.0.0.2", int(port)), timeout=1)


def test_a_session_talks_to_it_whatever_the_environment_says(
    local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_PROFILE", "of-a-real-account")
    sts = local_aws.session("123456789012", REGION).client("sts")
    assert sts.get_caller_identity()["Account"] == "123456789012"


def test_a_process_with_its_environment_talks_to_it_as_the_account(local_aws: LocalAws) -> None:
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'], boto3.Session().region_name)"
    environ = os.environ | {"AWS_PROFILE": "of-a-real-account"} | local_aws.environ("123456789012", "eu-west-3")
    output = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert output.stdout.split() == ["arn:aws:iam::123456789012:root", "eu-west-3"]


def test_functions_see_nothing_of_the_environment_that_started_it(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of-a-real-account")
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "secret")
    with LocalAws.start(temporary) as aws:
        client = aws.session(ACCOUNT, REGION).client("lambda")
        source = "import os\ndef handler(event, context): return dict(os.environ)"
        client.create_function(
            FunctionName="environment",
            Runtime="python3.13",
            Role=f"arn:aws:iam::{ACCOUNT}:role/function",
            Handler="index.handler",
            Code={"ZipFile": zipped(source)},
        )
        seen = json.loads(client.invoke(FunctionName="environment")["Payload"].read())
    assert "SECRET_OF_THE_CALLER" not in seen
    assert seen["AWS_ACCESS_KEY_ID"] == ACCOUNT
    assert seen["HOME"].startswith(str(temporary))


@pytest.fixture
def foreground(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """`make local` of a copy of the checkout, started as a shell starts a background job, which ignores Ctrl-C."""
    (tmp_path / "home" / ".aws").mkdir(parents=True)
    (tmp_path / "home" / ".aws" / "config").write_text("[profile theirs]\nregion = us-east-1\n")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ |= {"HOME": str(tmp_path / "home"), "AWS_PROFILE": "work", "TMPDIR": str(tmp_path)}
    ignoring = f"trap '' INT; exec {shlex.quote(sys.executable)} -m infra.local --skip-time"
    with subprocess.Popen(
        ["/bin/sh", "-c", ignoring],
        cwd=Tree(tmp_path).root,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def told(foreground: "subprocess.Popen[str]") -> list[str]:
    """Return what it tells once it has started, with the commands that it names last."""
    assert foreground.stdout
    lines = [*takewhile(lambda line: "status --environment" not in line, foreground.stdout)]
    assert "A local AWS listens on http://127.0.0.1:" in lines[0]
    return lines


def test_in_the_foreground_it_ends_with_ctrl_c(foreground: "subprocess.Popen[str]", tmp_path: Path) -> None:
    told(foreground)
    foreground.send_signal(signal.SIGINT)
    assert foreground.wait(PATIENCE_SECONDS) == 0
    assert not folders(tmp_path)


def test_a_shell_that_reads_its_variables_uses_it_whatever_profile_is_chosen(
    foreground: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    [reads] = [line.strip() for line in told(foreground) if line.startswith("    . ")]
    asks = "import boto3, sys; s = boto3.Session(profile_name=sys.argv[1] or None); "
    asks += "print(s.client('sts').get_caller_identity()['Account'])"
    python = f"{shlex.quote(sys.executable)} -c {shlex.quote(asks)}"
    # One by the variable, and by its name those which it has in the file and in the variable, and the first of all.
    lines = [f"AWS_PROFILE=theirs {python} ''", *(f"{python} {name}" for name in ("theirs", "work", "default"))]
    cdk = shlex.quote(str(ROOT / "node_modules" / ".bin" / "cdk"))
    place = f"aws://{ENVIRONMENT.account}/{ENVIRONMENT.region}"
    node = f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH"
    deploys = f"{node} {cdk} bootstrap --profile theirs {place} 2>&1 && echo bootstrapped"
    script = "\n".join(["set -e", reads, *lines, deploys])
    environ = os.environ | {"HOME": str(tmp_path / "home"), "AWS_PROFILE": "of-a-real-account"}
    ended = subprocess.run(
        ["/bin/sh", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    printed = ended.stdout.splitlines()
    assert printed[: len(lines)] == [ENVIRONMENT.account] * len(lines), ended.stderr
    assert printed[-1] == "bootstrapped", ended.stdout


@pytest.mark.parametrize("part", ["infra.local.server", "infra.local.durable_executions"])
def test_when_a_part_of_it_dies_it_says_so_and_leaves_nothing(
    part: str, foreground: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    endpoint = re.findall(r"http://[\d.:]+", told(foreground)[0])[0]
    [folder] = folders(tmp_path)
    # The server is told the folder, and the runner the endpoint.
    [died] = [process for text in (str(folder), endpoint) for process, line in processes(text).items() if part in line]
    os.kill(died, signal.SIGKILL)
    _, said = foreground.communicate(timeout=PATIENCE_SECONDS)
    assert foreground.returncode == 1
    assert "The local AWS has ended by itself. The end of its log, " in said
    eventually(lambda: not processes(endpoint) and not processes(str(folder)))
    assert not folders(tmp_path)
    assert not [*(tmp_path / "tree" / "build" / "local-aws").glob("*.json")]


def test_behind_a_proxy_everything_on_this_machine_is_asked_directly(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "import boto3; boto3.client('sts').get_caller_identity()"
    with recording_proxy() as (variables, asked):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with LocalAws.start(temporary) as aws:
            stack = DurableStack(aws.session(ACCOUNT, REGION), "stack")
            stack.deploy("one")
            assert stack.ended(stack.start({}))["Status"] == "SUCCEEDED"
            environ = os.environ | aws.environ(ACCOUNT, REGION)
            subprocess.run([sys.executable, "-c", script], env=environ, check=True)
    assert asked == []


@pytest.mark.parametrize(
    ("variables", "excepted"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "one.example"}, "one.example,127.0.0.1,localhost"),
        ({"no_proxy": "two.example", "NO_PROXY": "one.example"}, "two.example,127.0.0.1,localhost"),
        ({"no_proxy": "*"}, "*"),
    ],
)
def test_what_a_caller_excepts_from_proxies_stays_excepted(
    local_aws: LocalAws, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], excepted: str
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    environ = local_aws.environ(ACCOUNT, REGION)
    assert (environ["no_proxy"], environ["NO_PROXY"]) == (excepted, excepted)
