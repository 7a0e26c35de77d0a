"""What the function needs on AWS besides itself, in plain CDK. It becomes part of the function's stack, not of its zip.

A queue, and its address for the code, would be

    queue = sqs.Queue(stack, "Notices")
    queue.grant_send_messages(function)
    function.add_environment("NOTICES", queue.queue_url)

with `from aws_cdk import aws_sqs as sqs`. What starts executions goes through the alias.

Leave names to CloudFormation. What holds data is removed or retained as the environment says.
"""

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_


def add(stack: cdk.Stack, function: lambda_.Function, alias: lambda_.Alias) -> None:
    """Add to the function's stack. An order needs nothing."""
