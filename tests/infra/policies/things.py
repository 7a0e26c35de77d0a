"""Environments in two accounts, and what there is in those, by names: the ends of the ARNs.

Beside what is theirs lies what is called nearly so: of an environment dev2, of a function billing-eu, and of a project
acme2.
"""

from collections.abc import Mapping
from itertools import product

from infra import naming
from tests.infra.fakes.environments import ACCOUNT, PREVIEW, PROJECT, REGION, TWO, environment

OTHER_ACCOUNT = "222222222222"
FUNCTIONS_OF_TWO = ("billing", "billing_eu")

DEV = environment("dev", FUNCTIONS_OF_TWO)
# With endpoints in place of NAT, and flow logs.
PROD = environment("prod", TWO, account=OTHER_ACCOUNT, network={"nat_gateways": 0, "flow_logs": True})
ENVIRONMENTS = {each.name: each for each in (DEV, PREVIEW, PROD)}
ACCOUNTS = (ACCOUNT, OTHER_ACCOUNT)

OF_DEV, OF_PREVIEW, OF_PROD = map(naming.qualifier, (DEV, PREVIEW, PROD))
NEARLY_DEV = (environment("dev2"), environment("dev", project=PROJECT.model_copy(update={"name": "acme2"})))
TOOLKITS = (OF_DEV, OF_PREVIEW, OF_PROD, *map(naming.qualifier, NEARLY_DEV))
PROJECTS = ("acme", "acme2")
NAMES = ("dev", "dev2", "preview", "prod")
FUNCTIONS = [
    f"{project}-{place}-{function}"
    for project, place, function in product(PROJECTS, ("dev", "dev2", "pr-7", "prod"), ("billing", "billing-eu"))
]
PLATFORMS = [f"{project}-platform-{name}" for project, name in product(PROJECTS, NAMES)]
ACCESS = [f"{project}-access-{name}" for project, name in product(PROJECTS, NAMES)]
STACKS = [*FUNCTIONS, *PLATFORMS, *ACCESS]
PURPOSES = ("deploy", "read", "drift", "prune", "teardown")
BOOTSTRAP_ROLES = ("cfn-exec", "deploy", "file-publishing", "image-publishing", "lookup")
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
    functions = [*FUNCTIONS, "other"]
    each = [
        *(f"cloudformation:stack/{name}/1" for name in STACKS),
        *(f"cloudformation:stack/CDKToolkit-{name}/1" for name in TOOLKITS),
        *(f"lambda:function:{name}{qualifier}" for name in functions for qualifier in ("", ":3", ":live")),
        *(f"lambda:capacity-provider:{name}-C" for name in PLATFORMS),
        *(f"iam:role/{name}-Role1" for name in (*FUNCTIONS, *PLATFORMS)),
        *(f"iam:role/{name}-{purpose}" for name, purpose in product(ACCESS, PURPOSES)),
        *(f"iam:policy/{name}-{kind}" for name, kind in product(ACCESS, ("execution", "boundary"))),
        *(toolkit_role(qualifier, role) for qualifier, role in product(TOOLKITS, BOOTSTRAP_ROLES)),
        *(f"logs:log-group:{name}-Logs" for name in STACKS),
        *(f"ssm:parameter/{name}/capacity-provider-arn" for name in PLATFORMS),
        *(f"ssm:parameter/cdk-bootstrap/{qualifier}/version" for qualifier in TOOLKITS),
        *(bucket(qualifier) + end for qualifier in TOOLKITS for end in ("", "/asset.zip")),
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
        return f"arn:aws:s3:::{head}-{account}-{REGION}{slash}{key}"
    if service == "route53":
        return f"arn:aws:route53:::{rest}"
    if rest.startswith("role/cdk-"):
        rest = f"{rest}-{account}-{REGION}"
    return f"arn:aws:{service}:{'' if service == 'iam' else REGION}:{account}:{rest}"
