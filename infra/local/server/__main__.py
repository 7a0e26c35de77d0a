"""The process of the local AWS: everything behind its port."""

import asyncio
import os
import resource
import shutil
import signal
import socket
import subprocess
import time
import traceback
from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path
from threading import Thread

from infra import limits
from infra.local.orphan import when_orphaned
from infra.local.server.asgi import as_if_by_tls

CHILDREN_END_WITHIN_SECONDS = 2


def main() -> None:
    """Serve until the process that started this one closes standard input, or ends. The folder goes with it."""
    parser = ArgumentParser("python -m infra.local.server", description=__doc__)
    parser.add_argument("--listener", type=int, required=True, help="file descriptor of the socket to serve")
    parser.add_argument("--folder", type=Path, required=True, help="where all files go")
    parser.add_argument("--python", required=True, help="interpreter of the development environment")
    parser.add_argument("--skip-time", action="store_true", help="let durable waits end at once")
    arguments = parser.parse_args()

    def end(_signal: int, _frame: object) -> None:
        _end(arguments.folder)

    signal.signal(signal.SIGTERM, end)
    raise_file_limit()
    when_orphaned(lambda: os.kill(os.getpid(), signal.SIGTERM))
    try:
        serve(arguments.listener, arguments.folder, arguments.python, skip_time=arguments.skip_time)
    except BaseException:
        traceback.print_exc()
    _end(arguments.folder)


def raise_file_limit() -> None:
    """Let this process and its children open as many files as a function may, where the system allows fewer: macOS 256.

    Each connection, worker and pipe takes one.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < limits.FILE_DESCRIPTORS and soft != resource.RLIM_INFINITY:
        most = limits.FILE_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, limits.FILE_DESCRIPTORS)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def serve(listener: int, folder: Path, python: str, *, skip_time: bool) -> None:
    """Join ministack and the runner of durable executions, and serve them on a socket that already listens."""
    # They import ministack, which takes its settings from the environment as it is imported.
    from infra.local.server import (  # noqa: PLC0415
        bundles,
        change_sets,
        iam,
        ministack,
        request_ids,
        resource_types,
        sdk,
        tagging,
        workers,
    )
    from infra.local.server.api_model import ApiModel  # noqa: PLC0415
    from infra.local.server.capacity_providers import CapacityProviders  # noqa: PLC0415
    from infra.local.server.durable import DurableExecutions  # noqa: PLC0415
    from infra.local.server.formation import answer_later  # noqa: PLC0415
    from infra.local.server.lambda_api import LambdaApi  # noqa: PLC0415
    from infra.local.server.runner import Runner  # noqa: PLC0415

    port = socket.socket(fileno=os.dup(listener)).getsockname()[1]
    runner = Runner.start(python, f"http://127.0.0.1:{port}", skip_time=skip_time)
    Thread(target=_end_with, args=[runner.process], name="runner-end", daemon=True).start()
    executions = DurableExecutions(runner)
    packages = sdk.link(python, folder)
    model = ApiModel(packages / "botocore" / "data")
    providers = CapacityProviders()
    handlers = ministack.service_handlers
    handlers["lambda"] = LambdaApi(handlers["lambda"], model, executions, providers).handle
    handlers["cloudformation"] = answer_later(handlers["cloudformation"])
    resource_types.teach(executions, providers)
    bundles.teach()
    change_sets.teach()
    iam.teach()
    tagging.teach(providers)
    workers.teach(packages)

    # By name, because the environment that checks types has no hypercorn.
    config = import_module("hypercorn.config").Config()
    config.bind = [f"fd://{listener}"]
    run = import_module("hypercorn.asyncio").serve
    application = as_if_by_tls(request_ids.with_ids(ministack.application))
    asyncio.run(run(application, config, shutdown_trigger=asyncio.Event().wait))


def _end_with(runner: "subprocess.Popen[str]") -> None:
    """End this process when the runner has ended: nothing durable works without it."""
    code = runner.wait()
    print(f"the runner of durable executions ended with exit code {code}", flush=True)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(folder: Path) -> None:
    """End all processes of this one's group, the functions and the runner, remove the folder, and end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    deadline = time.monotonic() + CHILDREN_END_WITHIN_SECONDS
    while time.monotonic() < deadline and _has_children():
        time.sleep(0.01)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


if __name__ == "__main__":
    main()
