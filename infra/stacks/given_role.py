"""The roles that a platform takes of the access stack, which is deployed before it."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.environment import Environment
from infra.policies.given_to_platform import role_arn


def given_role(scope: Construct, construct: str, environment: Environment, name: str) -> iam.IRole:
    """Return a role that is there already, to which nothing is added."""
    return iam.Role.from_role_arn(scope, construct, role_arn(environment, name), mutable=False)
