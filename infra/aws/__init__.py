"""What is asked of AWS: the session, stacks, the live alias, versions, executions, previews, and the CDK CLI."""
