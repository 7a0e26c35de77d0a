"""What a role of a function's stack may do at most, whatever its policies say.

That is what the functions here are granted, on what the stacks of any of them make: of the checkout from which a person
deploys it. A pipeline that can make roles could else make one that may do everything.
"""

from collections.abc import Iterator

from infra import naming
from infra.environment import Environment
from infra.errors import UsageError
from infra.policies import given_roles
from infra.policies.grants import Actions, Grant, grants, statements
from infra.policies.places import Places, Templates
from infra.policies.resources import FUNCTION, LOG_GROUP, LONGEST_POLICY, Statement, policy_arn, policy_size

_ALWAYS: Actions = {
    FUNCTION: "lambda:CheckpointDurableExecution lambda:GetDurableExecutionState",
    LOG_GROUP: "logs:CreateLogStream logs:PutLogEvents",
}
# What AWS's own policies allow that roles of functions' stacks may have, narrowed to those.
_OF_MANAGED: dict[str, Actions] = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole": {
        ("arn:aws:logs:{region}:{account}:log-group:/aws/lambda/{stack}-*",): "logs:CreateLogGroup "
        "logs:CreateLogStream logs:PutLogEvents"
    }
}


def boundary(environment: Environment, templates: Templates) -> list[Statement]:
    """Return what a role of an environment's functions may do at most.

    Raises:
        UsageError: what they are granted can't be told before it is deployed, or is too much for one policy.
    """
    found = statements(_granted(Places.of_functions(environment, templates)))
    if policy_size(found) > LONGEST_POLICY:
        raise UsageError(
            f"the functions are granted more than their permissions boundary can hold: it would have "
            f"{policy_size(found):,} characters, and IAM takes {LONGEST_POLICY:,}; grant fewer actions, or those of a "
            "service by a wildcard, in functions/*/infrastructure.py"
        )
    return found


def boundary_arn(environment: Environment) -> str:
    """Return the ARN of the permissions boundary of an environment's functions."""
    return policy_arn(environment, naming.boundary(environment))


def _granted(places: Places) -> Iterator[Grant]:
    yield from grants(_ALWAYS, places.names)
    yield from given_roles.granted(places)
    for policy in given_roles.managed_policies(places):
        if policy not in _OF_MANAGED:
            raise UsageError(
                f"functions/*/infrastructure.py: gives a role {policy}, of which nobody here knows what it allows, so "
                "that the permissions boundary would hold all of it back; grant the actions themselves"
            )
        yield from grants(_OF_MANAGED[policy], places.names)
