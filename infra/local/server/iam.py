"""What IAM knows beyond ministack: GitHub's claims, and what is authorized for each call of Lambda's API."""

from contextlib import suppress
from typing import Any
from urllib.parse import unquote

from infra.local.server import ministack
from infra.local.server.callbacks import execution_of
from infra.local.server.request import CALLBACK_PATH, EXECUTION_PATH, FUNCTION_PATH, PROVIDER_PATH, FunctionName

# Keys of token.actions.githubusercontent.com that IAM has beside aud and sub, which ministack knows (IAM user guide,
# condition context keys of OIDC federation). Other claims of the token are no condition keys.
GITHUB_CLAIMS = (
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow",
)
GITHUB = "token.actions.githubusercontent.com"

# Operations whose action has another name (service authorization reference of Lambda).
ACTIONS = {"Invoke": "InvokeFunction", "InvokeWithResponseStream": "InvokeFunction"}
# Actions that the version of botocore that ministack needs does not know of yet, by the end of their path.
NEWER_ACTIONS = {"pause": "PauseDurableExecution", "resume": "ResumeDurableExecution"}


def teach() -> None:
    """Make ministack's IAM know it."""
    ministack.replace("services.sts", "_web_identity_principal", _web_identity)
    ministack.authorized_services["lambda"] = ["lambda"]
    ministack.replace("core.iam_actions", "_lambda_action", _action)
    ministack.replace("core.iam_actions", "extract_resource_arn", _resource)


def _web_identity(token: str, provider_id: str, role_arn: str) -> tuple[str, dict[str, str]]:
    """Return the principal that a web identity token names, and the condition keys that come with it."""
    principal, keys = ministack.web_identity(token, provider_id, role_arn)
    account = role_arn.split(":")[4]
    if principal.startswith("arn:") and not ministack.identity_providers.get_scoped(account, None, principal):
        return f"{principal} is not registered in account {account}", {}
    if f"{GITHUB}:sub" in keys:
        claims = ministack.decode_token(token)
        keys |= {f"{GITHUB}:{claim}": claims[claim] for claim in GITHUB_CLAIMS if claim in claims}
    return principal, keys


def _action(method: str, path: str) -> str | None:
    """Return the action of a call of Lambda's API, without its prefix."""
    if (match := EXECUTION_PATH.fullmatch(path.rstrip("/"))) and match["operation"] in NEWER_ACTIONS:
        return NEWER_ACTIONS[match["operation"]]
    operation = ministack.match_operation("lambda", method, path)
    return ACTIONS.get(operation, operation) if operation else None


def _resource(service: str, method: str, path: str, *request: Any) -> str:
    """Return the ARN that a call is authorized on."""
    query, region, account = request[2], request[3], request[4]
    if service == "lambda":
        path = path.rstrip("/")
        if match := EXECUTION_PATH.fullmatch(path):
            return match["arn"]
        if match := CALLBACK_PATH.fullmatch(path):
            with suppress(ValueError):
                return str(execution_of(unquote(match["callback"])))
        if (match := PROVIDER_PATH.fullmatch(path)) and match["name"]:
            return f"arn:aws:lambda:{region}:{account}:capacity-provider:{match['name'].rpartition(':')[2]}"
        if match := FUNCTION_PATH.fullmatch(path):
            function = FunctionName.named(unquote(match["function"]), next(iter(query.get("Qualifier", [])), None))
            return f"{function.arn}:{function.qualifier}" if function.qualifier else function.arn
    return ministack.authorized_resource(service, method, path, *request)
