"""The order workflow, a Lambda durable function."""
