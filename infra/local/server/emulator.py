"""The parts of ministack that this package reaches into: all of them, and nothing else of it is used elsewhere.

Most are not ministack's public interface, which is why its version is pinned exactly. Whatever moved in another version
fails here, when the server starts, under its name.
"""

from importlib import import_module
from typing import Any


class EmulatorChangedError(Exception):
    """A part of ministack is not where it was."""


def part(module: str, name: str) -> Any:
    """Return a part of ministack. Its own interpreter alone has it, so there are no types.

    Raises:
        EmulatorChangedError: it is not there.
    """
    try:
        return getattr(import_module(f"ministack.{module}"), name)
    except (ImportError, AttributeError):
        raise EmulatorChangedError(
            f"ministack.{module}.{name} is not there: infra/local is made for the version of ministack that "
            "infra/local/requirements.txt pins, and has to be adapted to another"
        ) from None


def replace(module: str, name: str, value: object) -> None:
    """Put another value in place of a part that is there."""
    part(module, name)
    setattr(import_module(f"ministack.{module}"), name, value)


application = part("app", "app")
service_handlers: dict[str, Any] = part("app", "SERVICE_HANDLERS")

# Records are kept by account and region, those of the request unless they are named.
ScopedDict = part("core.responses", "AccountRegionScopedDict")
account_id = part("core.responses", "get_account_id")
region = part("core.responses", "get_region")
request_scope = part("core.responses", "request_scope")
error_response = part("core.responses", "error_response_json")
json_response = part("core.responses", "json_response")
run_in_thread = part("core.concurrency", "run_reentrant")

functions = part("services.lambda_svc", "_functions")
end_workers = part("core.lambda_runtime", "invalidate_worker")
worker_program: str = part("core.lambda_runtime", "_PYTHON_WORKER_SCRIPT")

resource_handlers: dict[str, dict[str, Any]] = part("services.cloudformation.provisioners", "_RESOURCE_HANDLERS")
tag_properties: dict[str, tuple[str, str]] = part("services.cloudformation.provisioners", "_STACK_TAG_PROPERTY")
runs_on_thread = part("services.cloudformation.stacks", "_runs_on_worker_thread")

ec2_actions: dict[str, Any] = part("services.ec2", "_ACTION_MAP")
elastic_ips = part("services.ec2", "_addresses")
security_groups = part("services.ec2", "_security_groups")
nat_gateways: dict[str, dict[str, Any]] = part("services.ec2", "_nat_gateways")
ec2_tags: dict[str, list[dict[str, str]]] = part("services.ec2", "_tags")
log_groups: dict[str, dict[str, Any]] = part("services.cloudwatch_logs", "_log_groups")
tag_collectors: dict[str, Any] = part("services.tagging", "_COLLECTORS")
collect_parameters = part("services.tagging", "_collect_ssm")
iam_actions: dict[str, Any] = part("services.iam", "_IAM_HANDLERS")
identity_providers = part("services.iam", "_oidc_providers")

web_identity = part("services.sts", "_web_identity_principal")
decode_token = part("services.cognito", "_decode_id_token_unverified")
authorized_services: dict[str, list[str]] = part("core.iam_actions", "_BOTOCORE_SERVICE_MAP")
match_operation = part("core.iam_actions", "_match_rest_action")
authorized_resource = part("core.iam_actions", "extract_resource_arn")
part("core.iam_actions", "_lambda_action")
