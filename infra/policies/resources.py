"""Resources as policies name them, and the statements of policies.

Resources are narrowed by name. CloudFormation begins the names that it makes up with the stack's. Names of EC2 are
random, so there the account and region are the limit.
"""

from typing import Any

from infra import naming
from infra.environment import Environment

# Resources, with the names of an environment to be filled in.
ANY = ("*",)  # for actions that IAM can't narrow
EC2 = ("arn:aws:ec2:{region}:{account}:*",)
HOSTED_ZONE = ("arn:aws:route53:::hostedzone/*",)
FUNCTION = (
    "arn:aws:lambda:{region}:{account}:function:{function}",
    "arn:aws:lambda:{region}:{account}:function:{function}:*",
)
CAPACITY_PROVIDER = ("arn:aws:lambda:{region}:{account}:capacity-provider:{platform}-*",)
ROLE = ("arn:aws:iam::{account}:role/{role}",)
LAMBDA_SERVICE_ROLE = ("arn:aws:iam::{account}:role/aws-service-role/lambda.amazonaws.com/*",)
LOG_GROUP = ("arn:aws:logs:{region}:{account}:log-group:{stack}-*",)
PARAMETER = ("arn:aws:ssm:{region}:{account}:parameter/{platform}/*",)
BOOTSTRAP_VERSION = ("arn:aws:ssm:{region}:{account}:parameter/cdk-bootstrap/{qualifier}/version",)
BUCKET = ("arn:aws:s3:::cdk-{qualifier}-assets-{account}-{region}",)
ASSETS = (f"{BUCKET[0]}/*",)

Statement = dict[str, Any]


def orders_names(environment: Environment) -> dict[str, str]:
    """Return the names that the orders stacks of an environment make, as resources are given in IAM."""
    stack = orders_stacks(environment)
    # Not every role whose name begins so: those of the access stack do as well, and would be a way to more rights.
    return _names(environment) | {"stack": stack, "function": stack, "role": f"{stack}-Role*"}


def platform_names(environment: Environment) -> dict[str, str]:
    """Return the names that the platform stack of an environment makes."""
    stack = naming.platform_stack(environment)
    return _names(environment) | {"stack": stack, "function": f"{stack}-*", "role": f"{stack}-*"}


def toolkit_roles(environment: Environment, *roles: str) -> list[str]:
    """Return the ARNs of roles that the CDK's bootstrap of an environment makes, such as `deploy`."""
    account, region = environment.account, environment.region
    return [f"arn:aws:iam::{account}:role/cdk-{environment.qualifier}-{role}-role-{account}-{region}" for role in roles]


def policy_arn(environment: Environment, name: str) -> str:
    """Return the ARN of a managed policy of an environment's account."""
    return f"arn:aws:iam::{environment.account}:policy/{name}"


def orders_stacks(environment: Environment) -> str:
    """Return the name of an environment's orders stack, or the pattern of those of its previews."""
    return naming.orders_stack(environment.name) if not environment.hosts_previews else f"{naming.PROJECT}-pr-*"


def deployed_stacks(environment: Environment) -> list[str]:
    """Name the stacks that workflows deploy and remove: below previews, the platform is a person's."""
    orders = orders_stacks(environment)
    return [orders] if environment.hosts_previews else [naming.platform_stack(environment), orders]


def stack_arns(environment: Environment, *names: str) -> list[str]:
    """Return the ARNs of stacks as IAM takes them; each ends with an id that CloudFormation makes up."""
    return [f"arn:aws:cloudformation:{environment.region}:{environment.account}:stack/{name}/*" for name in names]


def resolve(resources: tuple[str, ...], names: dict[str, str]) -> list[str]:
    """Fill names into resources."""
    return [resource.format(**names) for resource in resources]


def allow(actions: list[str], resources: list[str], condition: dict[str, Any] | None = None) -> Statement:
    """Return a statement that allows actions on resources."""
    statement: Statement = {"Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": condition} if condition else {})


def _names(environment: Environment) -> dict[str, str]:
    return {
        "account": environment.account,
        "region": environment.region,
        "qualifier": environment.qualifier,
        "platform": naming.platform_stack(environment),
    }
