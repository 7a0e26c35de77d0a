"""The parts of ministack that this package reaches into: all of them, and nothing else of it is used elsewhere.

Most are not ministack's public interface, which is why its version is pinned exactly. Whatever moved in another version
fails here, when the server starts, under its name.

Its own interpreter alone has ministack, so what is written here is all that the types know of it.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, NotRequired, Protocol, TypedDict, TypeVar

from infra.local.server.asgi import Application

# Requests and answers as ministack's handlers take and give them. The path is percent-decoded.
Answer = tuple[int, dict[str, str], bytes]
Handler = Callable[[str, str, dict[str, str], bytes, dict[str, list[str]]], Awaitable[Answer]]
# An action of a query API: its parameters, and its answer.
Action = Callable[[dict[str, list[str]]], tuple[int, dict[str, str], str | bytes]]
# What a resource, or an answer of an API, is described with: JSON, whose shape the service knows.
Json = dict[str, Any]
Tagged = Iterator[tuple[str, list[dict[str, str]]]]

Record = TypeVar("Record")


class Records(Protocol[Record]):
    """Records by account and region: those of the request, unless they are named."""

    def __contains__(self, key: object, /) -> bool: ...
    def get(self, key: str, default: Record, /) -> Record:
        """Return the record of a key, or the default."""
        ...

    def __getitem__(self, key: str, /) -> Record: ...
    def __setitem__(self, key: str, record: Record, /) -> None: ...
    def __delitem__(self, key: str, /) -> None: ...
    def items(self) -> Iterable[tuple[str, Record]]:
        """Return the records of the request's account and region, with their keys."""
        ...

    def values(self) -> Iterable[Record]:
        """Return the records of the request's account and region."""
        ...

    def get_scoped(self, account: str, region: str | None, key: str, /) -> Record | None:
        """Return a record of any account and region."""
        ...


class VersionRecord(TypedDict):
    """A published version of a function."""

    config: Json


class FunctionRecord(VersionRecord):
    """A function."""

    versions: dict[str, VersionRecord]
    aliases: dict[str, dict[str, str]]
    scaling: NotRequired[dict[str, dict[str, int]]]  # this package's, by qualifier


class Worker(Protocol):
    """A process that runs the handler of a version of a function, one invocation at a time."""

    in_use: bool
    last_used: float


class ResourceHandler(TypedDict):
    """What makes, changes and removes the resources of a type that CloudFormation knows."""

    create: Callable[[str, Json, str], tuple[str, dict[str, str]]]
    update: Callable[[str, Json, Json, str, str | None], tuple[str, dict[str, str]]]
    delete: Callable[[str, Json], None]
    update_with_logical_id: bool


class MinistackChangedError(Exception):
    """A part of ministack is not where it was."""


def part(module: str, name: str) -> Any:
    """Return a part of ministack.

    Raises:
        MinistackChangedError: it is not there.
    """
    try:
        return getattr(import_module(f"ministack.{module}"), name)
    except (ImportError, AttributeError):
        raise MinistackChangedError(
            f"ministack.{module}.{name} is not there: infra/local is made for the version of ministack that "
            "infra/local/requirements.txt pins, and has to be adapted to another"
        ) from None


def replace(module: str, name: str, value: object) -> None:
    """Put another value in place of a part that is there."""
    part(module, name)
    setattr(import_module(f"ministack.{module}"), name, value)


application: Application = part("app", "app")
service_handlers: dict[str, Handler] = part("app", "SERVICE_HANDLERS")

new_records: Callable[[], Records[Any]] = part("core.responses", "AccountRegionScopedDict")
account_id: Callable[[], str] = part("core.responses", "get_account_id")
region: Callable[[], str] = part("core.responses", "get_region")
request_scope: Callable[[str, str], AbstractContextManager[None]] = part("core.responses", "request_scope")
error_response: Callable[[str, str, int], Answer] = part("core.responses", "error_response_json")
json_response: Callable[[Json, int], Answer] = part("core.responses", "json_response")
run_in_thread: Callable[..., Awaitable[None]] = part("core.concurrency", "run_reentrant")

functions: Records[FunctionRecord] = part("services.lambda_svc", "_functions")
fetch_code: Callable[[str, str, str | None], bytes | None] = part("services.lambda_svc", "_fetch_code_from_s3")
end_workers: Callable[[str, str | None, str, str], None] = part("core.lambda_runtime", "invalidate_worker")
release_worker: Callable[[Worker | None], None] = part("core.lambda_runtime", "release_worker")
kill_workers: Callable[[list[Worker]], None] = part("core.lambda_runtime", "kill_workers")
workers: dict[str, list[Worker]] = part("core.lambda_runtime", "_workers")
workers_lock: AbstractContextManager[bool] = part("core.lambda_runtime", "_lock")
run_function: Callable[[FunctionRecord, object, str], Json] = part("services.lambda_svc", "_execute_function_warm")
worker_program: str = part("core.lambda_runtime", "_PYTHON_WORKER_SCRIPT")

resource_handlers: dict[str, ResourceHandler] = part("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
tag_properties: dict[str, tuple[str, str]] = part("services.cloudformation.provisioners", "_STACK_TAG_PROPERTY")
replacing_properties: dict[str, tuple[str, ...]] = part("services.cloudformation.provisioners", "_REPLACING_PROPERTIES")
named_properties: dict[str, Json] = part("services.cloudformation.provisioners", "_CUSTOM_NAME_REPLACEMENT")
formation_actions: dict[str, Action] = part("services.cloudformation", "_ACTION_HANDLERS")
change_sets: Records[Json] = part("services.cloudformation", "_change_sets")
stacks: Records[Json] = part("services.cloudformation", "_stacks")
runs_on_thread: Callable[[str], bool] = part("services.cloudformation.stacks", "_runs_on_worker_thread")

ec2_actions: dict[str, Action] = part("services.ec2", "_ACTION_MAP")
elastic_ips: Records[dict[str, str]] = part("services.ec2", "_addresses")
security_groups: Records[Json] = part("services.ec2", "_security_groups")
nat_gateways: Records[dict[str, str]] = part("services.ec2", "_nat_gateways")
ec2_tags: Records[list[dict[str, str]]] = part("services.ec2", "_tags")
log_groups: Records[Json] = part("services.cloudwatch_logs", "_log_groups")
tag_collectors: dict[str, Callable[[], Tagged]] = part("services.tagging", "_COLLECTORS")
collect_parameters: Callable[[], Tagged] = part("services.tagging", "_collect_ssm")
iam_actions: dict[str, Action] = part("services.iam", "_IAM_HANDLERS")
identity_providers: Records[Json] = part("services.iam", "_oidc_providers")

web_identity: Callable[[str, str, str], tuple[str, dict[str, str]]] = part("services.sts", "_web_identity_principal")
decode_token: Callable[[str], Json] = part("services.cognito", "_decode_id_token_unverified")
authorized_services: dict[str, list[str]] = part("core.iam_actions", "_BOTOCORE_SERVICE_MAP")
match_operation: Callable[[str, str, str], str | None] = part("core.iam_actions", "_match_rest_action")
authorized_resource: Callable[..., str] = part("core.iam_actions", "extract_resource_arn")
part("core.iam_actions", "_lambda_action")
