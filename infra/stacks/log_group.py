"""The log groups of all stacks."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.environment import Environment
from infra.stacks.suppress import suppress


class LogGroup(logs.LogGroup):
    """A log group that is kept for so many days, and removed as the environment says.

    CloudFormation names it: a group that is retained when its stack goes would else be in the way of the next one.
    """

    def __init__(self, scope: Construct, name: str, environment: Environment, retention_days: int) -> None:
        retain = environment.protection.removal_policy == "retain"
        super().__init__(scope, name, removal_policy=RemovalPolicy.RETAIN if retain else RemovalPolicy.DESTROY)
        # The construct takes the days as an enumeration of names.
        resource = cast("logs.CfnLogGroup", self.node.default_child)
        resource.retention_in_days = retention_days
        suppress(
            self,
            {
                "CKV_AWS_158": "CloudWatch Logs encrypts every group; a key of one's own costs and guards no more here",
            },
        )
