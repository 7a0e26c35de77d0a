"""Starting and ending a local AWS; what it is and is not stands in the package's docstring."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.request import ProxyHandler, build_opener

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from infra import ROOT

SERVER_PYTHON = ROOT / ".tools" / "local-aws" / "bin" / "python"
LOGS = ROOT / "build" / "local-aws"

STARTS_WITHIN_SECONDS = 60
ENDS_WITHIN_SECONDS = 5
LOG_LINES_SHOWN = 20
# Of the root user of every account, whose access key is the account itself.
SECRET = "local"  # noqa: S105 - it protects nothing
# What no proxy is asked for. Python and the CDK CLI read the variable in small letters, and if there is none in large.
LOOPBACK = "127.0.0.1,localhost"
NO_PROXY = ("no_proxy", "NO_PROXY")


class LocalAwsError(Exception):
    """The local AWS could not be started. The message names its log and shows the end of it."""


class RunningAws:
    """A local AWS that runs, whoever started it.

    Args:
        endpoint: its address.
        folder: where its files are, which go when it ends.
        log: what its processes print.
    """

    def __init__(self, endpoint: str, folder: Path, log: Path) -> None:
        self.endpoint = endpoint
        self.folder = folder
        self.log = log

    def environ(self, account: str, region: str) -> dict[str, str]:
        """Return the environment variables with which a process sees this AWS, as the root user of an account.

        They go on top of the caller's own. A profile or an endpoint that stands there is overruled, a profile that a
        command is told by its name leads here as well, and a proxy is not asked for what is on this machine.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_PROFILE": "default",
            "AWS_CONFIG_FILE": str(self._profiles(account, region)),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            **dict.fromkeys(NO_PROXY, _not_by_proxy()),
        }

    def session(self, account: str, region: str) -> boto3.Session:
        """Return a session of an account's root user, whose clients talk to this AWS whatever the environment says."""
        return self.session_with(account, SECRET, None, region)

    def session_with(self, key_id: str, secret: str, token: str | None, region: str) -> boto3.Session:
        """Return such a session with other credentials: those of an assumed role, for instance."""
        return boto3.Session(
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
            aws_session_token=token,
            region_name=region,
            botocore_session=_Session(self.endpoint, self.folder / "config"),
        )

    def answers(self, within_seconds: float) -> bool:
        """Tell whether it answers."""
        try:
            with build_opener(ProxyHandler({})).open(f"{self.endpoint}/_ministack/health", timeout=within_seconds):
                return True
        except OSError:
            return False

    def _profiles(self, account: str, region: str) -> Path:
        """Write every profile that the caller has, so that each is of this AWS, and return the file."""
        settings = {
            "aws_access_key_id": account,
            "aws_secret_access_key": SECRET,
            "region": region,
            "endpoint_url": self.endpoint,
        }
        lines = "\n".join(f"{key} = {value}" for key, value in settings.items())
        names = ["default", *(f"profile {name}" for name in sorted(_profile_names()))]
        path = self.folder / f"profiles-{account}-{region}"
        path.write_text("\n\n".join(f"[{name}]\n{lines}" for name in names) + "\n")
        return path


class LocalAws(RunningAws):
    """A local AWS of one's own. Leaving its context ends it, and it ends by itself with the process that started it."""

    def __init__(self, process: "subprocess.Popen[bytes]", endpoint: str, folder: Path, log: Path) -> None:
        super().__init__(endpoint, folder, log)
        self._process = process

    @classmethod
    def start(cls, logs: Path = LOGS, *, skip_time: bool = False, enforce_iam: bool = False) -> Self:
        """Start a local AWS as `begin` does, and return once it answers.

        Raises:
            LocalAwsError: it is not installed, or did not start.
        """
        aws = cls.begin(logs, skip_time=skip_time, enforce_iam=enforce_iam)
        try:
            aws.await_start()
        except BaseException:
            aws.stop()
            raise
        return aws

    @classmethod
    def begin(cls, logs: Path = LOGS, *, skip_time: bool = False, enforce_iam: bool = False) -> Self:
        """Begin to start a local AWS on a free port of 127.0.0.1, which takes about a second.

        Args:
            logs: folder for its log file.
            skip_time: let durable waits and the pauses between retries end at once; their lengths stay in the history.
            enforce_iam: check the permissions of every caller but the root users of accounts.

        Raises:
            LocalAwsError: it is not installed.
        """
        if not SERVER_PYTHON.exists():
            raise LocalAwsError(f"{SERVER_PYTHON} does not exist; `make setup` installs the local AWS")
        logs.mkdir(parents=True, exist_ok=True)
        folder = Path(mkdtemp(prefix="local-aws-"))
        # The socket is made here and handed over, so that nobody else can take the port in between.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            log = logs / f"{port}.log"
            process = _spawn(listener, folder, log, skip_time=skip_time, enforce_iam=enforce_iam)
        return cls(process, f"http://127.0.0.1:{port}", folder, log)

    def await_start(self) -> None:
        """Wait until it answers.

        Raises:
            LocalAwsError: it ended, or took too long.
        """
        deadline = time.monotonic() + STARTS_WITHIN_SECONDS
        # The socket already listens, so this waits for the server inside.
        while not self.answers(STARTS_WITHIN_SECONDS):
            if self._process.poll() is not None:
                raise self._failure("ended while it was starting")
            if time.monotonic() > deadline:
                raise self._failure(f"did not answer within {STARTS_WITHIN_SECONDS} s")

    def await_end(self) -> NoReturn:
        """Wait until it ends by itself, which it should not.

        Raises:
            LocalAwsError: it ended.
        """
        self._process.wait()
        raise self._failure("has ended by itself")

    def stop(self) -> None:
        """End all of its processes and remove its files, but for its log. Once it has ended this does nothing."""
        if self._process.stdin:
            self._process.stdin.close()
        try:
            self._process.wait(ENDS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            with suppress(PermissionError):  # macOS, where it has just ended
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _failure(self, what: str) -> LocalAwsError:
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return LocalAwsError("\n".join([f"The local AWS {what}. The end of its log, {self.log}:", *lines]))


class _Session(botocore.session.Session):
    """A botocore session with one endpoint for all services, which neither environment, profile nor proxy overrules."""

    def __init__(self, endpoint: str, config: Path) -> None:
        super().__init__(profile="default")
        self.set_config_variable("config_file", str(config))
        self.set_default_client_config(Config(proxies={}))
        self._endpoint = endpoint

    def create_client(self, *arguments: Any, **options: Any) -> Any:
        """Create a client."""
        return super().create_client(*arguments, **{**options, "endpoint_url": self._endpoint})


def _profile_names() -> set[str]:
    """Return the names of the caller's own profiles. None of their settings is read."""
    found = {os.environ.get("AWS_PROFILE"), os.environ.get("AWS_DEFAULT_PROFILE")}
    # Of one that can't be read the AWS CLI, which the caller has it for, says why.
    with suppress(BotoCoreError):
        found |= {*botocore.session.Session().available_profiles}
    return {name for name in found if name} - {"default"}


def _not_by_proxy() -> str:
    """Return what the caller's environment excepts from proxies, and the loopback address with it."""
    excepted = next((os.environ[name] for name in NO_PROXY if os.environ.get(name)), "")
    if excepted.strip() == "*":
        return excepted
    return f"{excepted},{LOOPBACK}" if excepted else LOOPBACK


def _spawn(
    listener: socket.socket, folder: Path, log: Path, *, skip_time: bool, enforce_iam: bool
) -> "subprocess.Popen[bytes]":
    (folder / "config").write_text("[default]\n")
    options = ["--skip-time"] if skip_time else []
    with log.open("wb") as output:
        return subprocess.Popen(
            [
                SERVER_PYTHON,
                *("-m", "infra.local.server"),
                *("--listener", str(listener.fileno())),
                *("--folder", str(folder)),
                *("--python", sys.executable),
                *options,
            ],
            cwd=ROOT,
            env=_server_environ(folder, listener.getsockname()[1], enforce_iam=enforce_iam),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )


def _server_environ(folder: Path, port: int, *, enforce_iam: bool) -> dict[str, str]:
    """Return the server's whole environment. Functions inherit it, so nothing of the caller's may be in it."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONUNBUFFERED": "1",
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # None of the caller's proxies is here, but a Mac's settings may name one too.
        **dict.fromkeys(NO_PROXY, LOOPBACK),
        # What follows configures ministack.
        "AUTH": str(enforce_iam).lower(),
        "GATEWAY_PORT": str(port),
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "s3"),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        # It would look for a Docker daemon, and remove containers of its own that an earlier run left.
        "DOCKER_HOST": f"unix://{folder}/no-docker",
    }
