"""AWS's services under their several names: in IAM's actions, to boto3, and as VPC endpoints."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from infra.errors import UsageError


@dataclass(frozen=True)
class Service:
    """One service.

    Args:
        prefix: what its actions begin with in IAM, such as `states`.
        clients: what boto3 calls it, such as `stepfunctions`; a client of each is one of this service.
        endpoint: its VPC endpoint's name after `com.amazonaws.REGION.`, or None where it has none.
        is_gateway: whether that endpoint is a route, which costs nothing, and not an interface in each zone.
    """

    prefix: str
    clients: tuple[str, ...]
    endpoint: str | None
    is_gateway: bool = False


# Only those that are called differently. The endpoints' names are those of AWS PrivateLink, as the CDK has them.
DIFFERENT = (
    Service("appconfig", ("appconfigdata",), "appconfigdata"),
    Service("bedrock", ("bedrock-runtime",), "bedrock-runtime"),
    Service("cloudwatch", ("cloudwatch",), "monitoring"),
    Service("dynamodb", ("dynamodb", "dynamodbstreams"), "dynamodb", is_gateway=True),
    Service("execute-api", (), "execute-api"),
    Service("firehose", ("firehose",), "kinesis-firehose"),
    Service("kinesis", ("kinesis",), "kinesis-streams"),
    Service("s3", ("s3",), "s3", is_gateway=True),
    Service("sagemaker", ("sagemaker-runtime",), "sagemaker.runtime"),
    Service("scheduler", ("scheduler",), None),
    Service("ses", ("ses", "sesv2"), "email"),
    Service("states", ("stepfunctions",), "states"),
)
_BY_PREFIX = {service.prefix: service for service in DIFFERENT}


def service(prefix: str) -> Service:
    """Return the service whose actions begin so.

    Raises:
        UsageError: nothing here knows it.
    """
    if found := _BY_PREFIX.get(prefix):
        return found
    if (files("botocore") / "data" / prefix).is_dir():
        return Service(prefix, (prefix,), prefix)
    raise UsageError(f"no service of boto3 is called {prefix}, as its actions are")


# What every durable function calls: Lambda for its checkpoints, STS for credentials of a role that it assumes, which
# has no endpoint unless it is granted, and CloudWatch Logs, which is not called by code.
ALWAYS = (service("lambda"), Service("logs", (), "logs"), Service("sts", ("sts",), None))


def clients(services: Iterable[Service]) -> set[str]:
    """Return what boto3 calls these services."""
    return {name for each in services for name in each.clients}
