"""Resources as policies name them, and the statements of policies.

Resources are narrowed by the beginnings of their names: CloudFormation begins the names that it makes up with the
stack's, of which it leaves at least KEPT characters. Functions are named by one pattern, so that
a new one needs no other policies. Names of EC2 are random, so there tags are the limit.
"""

import json
from typing import Any

from infra import naming
from infra.environment import Environment

# A name is the stack's, the resource's logical id and a random end. Where all of it is longer than IAM and Lambda take,
# CloudFormation leaves half of the rest to the stack's name. AWS does not document that, its names show it.
KEPT = 25

# Resources, with the names of an environment to be filled in.
ANY = ("*",)  # for actions that IAM can't narrow
EC2 = ("arn:aws:ec2:{region}:{account}:*",)
HOSTED_ZONE = ("arn:aws:route53:::hostedzone/*",)
# With its versions and aliases: a wildcard at the end matches beyond colons as well (IAM user guide, Resource element).
FUNCTION = ("arn:aws:lambda:{region}:{account}:function:{stack}-*",)
VERSION_OR_ALIAS = ("arn:aws:lambda:{region}:{account}:function:{stack}-*:*",)
CAPACITY_PROVIDER = ("arn:aws:lambda:{region}:{account}:capacity-provider:{platform}-*",)
ROLE = ("arn:aws:iam::{account}:role/{stack}-*",)
LAMBDA_SERVICE_ROLE = ("arn:aws:iam::{account}:role/aws-service-role/lambda.amazonaws.com/*",)
LOG_GROUP = ("arn:aws:logs:{region}:{account}:log-group:{stack}-*",)
PARAMETER = ("arn:aws:ssm:{region}:{account}:parameter/{platform}/*",)
BOOTSTRAP_VERSION = ("arn:aws:ssm:{region}:{account}:parameter/cdk-bootstrap/{qualifier}/version",)
BUCKET = ("arn:aws:s3:::cdk-{qualifier}-assets-{account}-{region}",)
ASSETS = (f"{BUCKET[0]}/*",)

# Names of stacks, by which it is known what is deployed. IAM can't narrow it.
LISTING = ["cloudformation:ListStacks"]

# IAM quotas, in characters without white space: of a managed policy, and of a role's own policies together.
LONGEST_POLICY = 6144
LONGEST_OF_ROLE = 10240

Statement = dict[str, Any]


def names_of_functions(environment: Environment) -> dict[str, str]:
    """Return how the names begin that the stacks of an environment's functions make, or of those of its previews."""
    return _names(environment, _beginning(environment))


def names_of_platform(environment: Environment) -> dict[str, str]:
    """Return how the names begin that the platform stack of an environment makes."""
    return _names(environment, naming.platform_stack(environment))


def toolkit_roles(environment: Environment, *roles: str) -> list[str]:
    """Return the ARNs of roles that the CDK's bootstrap of an environment makes, such as `deploy`."""
    account, region = environment.account, environment.region
    qualifier = naming.qualifier(environment)
    return [f"arn:aws:iam::{account}:role/cdk-{qualifier}-{role}-role-{account}-{region}" for role in roles]


def policy_arn(environment: Environment, name: str) -> str:
    """Return the ARN of a managed policy of an environment's account."""
    return f"arn:aws:iam::{environment.account}:policy/{name}"


def function_stacks(environment: Environment) -> str:
    """Return the pattern of the stacks of an environment's functions, or of those of its previews."""
    return f"{_beginning(environment)}-*"


def deployed_stacks(environment: Environment) -> list[str]:
    """Name the stacks that workflows deploy and remove: below previews, the platform is a person's."""
    functions = function_stacks(environment)
    return [functions] if environment.hosts_previews else [naming.platform_stack(environment), functions]


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


def deny(resources: list[str], *, but: list[str]) -> Statement:
    """Return a statement that denies all actions on resources but these, whatever else allows them."""
    return {"Effect": "Deny", "NotAction": but, "Resource": resources}


def document(statements: list[Statement]) -> dict[str, Any]:
    """Return the document of a policy."""
    return {"Version": "2012-10-17", "Statement": statements}


def policy_size(statements: list[Statement]) -> int:
    """Return how long a policy of these statements is, in characters as IAM counts them."""
    return len(json.dumps(document(statements), separators=(",", ":")))


def _beginning(environment: Environment) -> str:
    """Return what the names of an environment's functions begin with, and those of no other's."""
    return f"{environment.project.name}-pr" if environment.hosts_previews else naming.whole(environment)


def _names(environment: Environment, stack: str) -> dict[str, str]:
    return {
        "account": environment.account,
        "region": environment.region,
        "qualifier": naming.qualifier(environment),
        "platform": naming.platform_stack(environment),
        "stack": stack,
    }
