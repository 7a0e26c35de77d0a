"""What there is in the accounts of tests/access/environments.py, by names: the ends of the ARNs."""

from collections.abc import Mapping

from tests.access.environments import ACCOUNTS

STACKS = "orders-dev orders-development orders-pr-7 orders-prod platform-dev platform-preview platform-prod access"
TOOLKITS = "own-dev own-pre own-prd"
FUNCTIONS = "orders-dev orders-development orders-pr-7 orders-prod platform-dev-Custom platform-preview-Custom other"
ENVIRONMENTS = "dev preview prod"
PURPOSES = "deploy read drift prune teardown"
BOOTSTRAP_ROLES = "cfn-exec deploy file-publishing image-publishing lookup"
ROLES = "orders-dev-Role1 orders-pr-7-Role1 orders-prod-Role1 platform-dev-Op platform-preview-Op platform-prod-Op"
LAMBDA_SERVICE_ROLE = "iam:role/aws-service-role/lambda.amazonaws.com/AWSServiceRoleForLambda"
GITHUB = "iam:oidc-provider/token.actions.githubusercontent.com"
ANYWHERE = "sns:anything"


def toolkit_role(qualifier: str, role: str) -> str:
    """Name a role of a bootstrap, as all names of resources here without account."""
    return f"iam:role/cdk-{qualifier}-{role}-role"


def bucket(qualifier: str) -> str:
    return f"s3:cdk-{qualifier}-assets"


def in_account(account: str) -> dict[str, str]:
    """Return ARNs in one account, by their names."""
    each = [
        *(f"cloudformation:stack/{name}/1" for name in STACKS.split()),
        *(f"cloudformation:stack/CDKToolkit-{name}/1" for name in TOOLKITS.split()),
        *(f"lambda:function:{name}{qualifier}" for name in FUNCTIONS.split() for qualifier in ("", ":3", ":live")),
        *(f"lambda:capacity-provider:platform-{name}-C" for name in ENVIRONMENTS.split()),
        *(f"iam:role/{name}" for name in ROLES.split()),
        *(f"iam:role/orders-{name}-{purpose}" for name in ENVIRONMENTS.split() for purpose in PURPOSES.split()),
        *(toolkit_role(qualifier, role) for qualifier in TOOLKITS.split() for role in BOOTSTRAP_ROLES.split()),
        *(f"iam:policy/orders-{name}-{kind}" for name in ENVIRONMENTS.split() for kind in ("execution", "boundary")),
        *(f"logs:log-group:{name}-Logs" for name in STACKS.split()),
        *(f"ssm:parameter/platform-{name}/capacity-provider-arn" for name in ENVIRONMENTS.split()),
        *(f"ssm:parameter/cdk-bootstrap/{qualifier}/version" for qualifier in TOOLKITS.split()),
        *(bucket(qualifier) + end for qualifier in TOOLKITS.split() for end in ("", "/asset.zip")),
        *("iam:role/admin", LAMBDA_SERVICE_ROLE, GITHUB, "ec2:vpc/vpc-1", "route53:hostedzone/Z1", ANYWHERE),
    ]
    return {name: _arn(name, account) for name in each}


def everything(account: str) -> Mapping[str, str]:
    """Return ARNs in all accounts; those of an account that is not the one in question have names that say so."""
    foreign = {
        f"{other} {name}": arn
        for other in ACCOUNTS
        for name, arn in in_account(other).items()
        if arn not in in_account(account).values()
    }
    return in_account(account) | foreign


def _arn(name: str, account: str) -> str:
    service, _, rest = name.partition(":")
    if service == "s3":
        head, slash, key = rest.partition("/")
        return f"arn:aws:s3:::{head}-{account}-eu-north-1{slash}{key}"
    if service == "route53":
        return f"arn:aws:route53:::{rest}"
    if rest.startswith("role/cdk-"):
        rest = f"{rest}-{account}-eu-north-1"
    return f"arn:aws:{service}:{'' if service == 'iam' else 'eu-north-1'}:{account}:{rest}"
