"""The processes that run functions: the program that they run, and for how long they are kept."""

import time
from collections.abc import Iterator
from pathlib import Path

from infra.local.server import ministack, request_ids
from infra.local.server.ministack import FunctionRecord, Json, Worker

# Versions of functions whose processes wait for another invocation; each process takes about 42 MB.
VERSIONS_KEPT = 16

# What a function finds beyond the standard library: its bundle, its layers, then what Lambda's runtime has. The rest of
# the environment that ministack runs in is nothing that Lambda has.
_PATH = """
import site, sys
sys.path[:] = [path for path in sys.path if path not in site.getsitepackages()] + [{sdk!r}]
"""
_HANDLER = "handler_fn = getattr(mod, handler_name)"
_DIED = "Worker process died"


def teach(sdk: Path) -> None:
    """Let ministack run functions as Lambda does, with the SDK of a folder, and keep few processes that do nothing."""
    logging = Path(__file__).with_name("function_logging.py").read_text()
    if ministack.worker_program.count(_HANDLER) != 1:
        raise ministack.MinistackChangedError(f"the program of ministack's workers has no {_HANDLER!r}")
    program = ministack.worker_program.replace(_HANDLER, "handler_fn = identified(getattr(mod, handler_name))")
    ministack.replace(
        "core.lambda_runtime", "_PYTHON_WORKER_SCRIPT", f"{logging}\n{_PATH.format(sdk=str(sdk))}{program}"
    )
    ministack.replace("services.lambda_svc", "release_worker", release)
    ministack.replace("services.lambda_svc", "_execute_function_warm", run)


def run(function: FunctionRecord, event: object, request_id: str) -> Json:
    """Run a function, and name the error of a process that ended as Lambda does."""
    request_ids.note(request_id)
    result = ministack.run_function(function, event, request_id)
    if result.get("error") and result["body"]["errorMessage"] == _DIED:
        message = f"RequestId: {request_id} Error: Runtime exited without providing a reason"
        result["body"] = {"errorType": "Runtime.ExitError", "errorMessage": message}
    return result


def release(worker: Worker | None) -> None:
    """Note that an invocation ended, and end the processes of the versions that have not been invoked for longest."""
    ministack.release_worker(worker)
    if worker:
        worker.last_used = time.time()
    with ministack.workers_lock:
        ended = list(_take_surplus())
    ministack.kill_workers(ended)


def _take_surplus() -> Iterator[Worker]:
    """Take out of the pools, and yield, what serves no invocation and is not of the versions used last."""
    pools = ministack.workers
    by_use = sorted(pools, key=lambda version: max((worker.last_used for worker in pools[version]), default=0))
    for version in by_use[:-VERSIONS_KEPT]:
        idle = [worker for worker in pools[version] if not worker.in_use]
        pools[version] = [worker for worker in pools[version] if worker.in_use]
        if not pools[version]:
            del pools[version]
        yield from idle
