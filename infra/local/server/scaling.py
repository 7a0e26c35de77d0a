"""How many execution environments the versions of functions have: records, and the rules between the numbers."""

from infra import limits
from infra.local.server.ministack import Answer, Json
from infra.local.server.request import FunctionName, Request, answer, conflict, invalid, not_found

LATEST_PUBLISHED = "$LATEST.PUBLISHED"
# UNCONFIRMED (contract: a_sleeping_version_is_deactivated, a_sleeping_version_refuses_starts): that a version is in
# this state, which the API knows, and how an invocation is refused.
DEACTIVATED = "Deactivated"
DEFAULT = {
    "MinExecutionEnvironments": limits.DEFAULT_LEAST_ENVIRONMENTS,
    "MaxExecutionEnvironments": limits.ENVIRONMENTS.most,
}


def provider_of(config: Json) -> str | None:
    """Return the ARN of the capacity provider in a function's or version's configuration."""
    managed = config.get("CapacityProviderConfig", {}).get("LambdaManagedInstancesCapacityProviderConfig", {})
    return managed.get("CapacityProviderArn")


def put_scaling(function: FunctionName, qualifier: str, asked: Json) -> None:
    """Set how many execution environments a version has, least and most.

    Raises:
        ApiError: it has no capacity provider, or the numbers contradict each other.
    """
    record = function.record()
    if not provider_of(record["config"]):
        raise invalid("FunctionScalingConfig can't be specified for this Lambda function type.")
    wanted = DEFAULT | {key: int(value) for key, value in asked.items()}
    least, most = wanted["MinExecutionEnvironments"], wanted["MaxExecutionEnvironments"]
    if not 0 <= least <= most <= limits.ENVIRONMENTS.most or (least == 0 and most != 0):
        raise invalid(f"{least} to {most} execution environments: 0 <= minimum <= maximum, and 0 only as both")
    record.setdefault("scaling", {})[qualifier] = wanted
    if version := record["versions"].get(qualifier):
        version["config"]["State"] = DEACTIVATED if most == 0 else "Active"


def refuse_asleep(function: FunctionName, version: str) -> None:
    """Refuse to invoke a version that has no execution environments, which no traffic wakes.

    Raises:
        ApiError: it has none.
    """
    found = function.record()["versions"].get(version)
    if found and found["config"].get("State") == DEACTIVATED:
        raise conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: "
            f"{DEACTIVATED}"
        )


def handle(request: Request, function: FunctionName) -> Answer:
    """Answer a call about the scaling of a function's version."""
    qualifier = function.qualifier or LATEST_PUBLISHED
    if qualifier != LATEST_PUBLISHED and qualifier not in function.record()["versions"]:
        raise not_found(f"{function.arn}:{qualifier}")
    if request.method == "PUT":
        put_scaling(function, qualifier, request.json().get("FunctionScalingConfig") or {})
        found = function.record()["versions"].get(qualifier)
        return answer({"FunctionState": found["config"]["State"] if found else "Active"}, 202)
    current = function.record().get("scaling", {}).get(qualifier, DEFAULT)
    return answer(
        {
            "FunctionArn": f"{function.arn}:{qualifier}",
            "AppliedFunctionScalingConfig": current,
            "RequestedFunctionScalingConfig": current,
        }
    )
