"""Change sets that change nothing but outputs: CloudFormation executes them, ministack takes them for empty.

What CloudFormation does is told in the CDK's pull request 2029.
"""

from http import HTTPStatus

from infra.local.server import ministack
from infra.local.server.ministack import Action, Json
from infra.local.server.resource_handlers import field, text_of


def teach() -> None:
    """Make ministack's CloudFormation execute them."""
    ministack.formation_actions["CreateChangeSet"] = _with_outputs(ministack.formation_actions["CreateChangeSet"])


def _with_outputs(create: Action) -> Action:
    def created(parameters: dict[str, list[str]]) -> tuple[int, dict[str, str], str | bytes]:
        status, headers, body = create(parameters)
        if status == HTTPStatus.OK:
            _allow_outputs(ministack.change_sets[field(text_of(body), "Id")])
        return status, headers, body

    return created


def _allow_outputs(change_set: Json) -> None:
    """Let a change set be executed that changes no resource, and outputs."""
    deployed: Json = ministack.stacks[change_set["StackName"]].get("_template", {})
    if not change_set["Changes"] and change_set["_template"].get("Outputs") != deployed.get("Outputs"):
        change_set |= {"Status": "CREATE_COMPLETE", "ExecutionStatus": "AVAILABLE", "StatusReason": ""}
