"""Prepare an account and region for the CDK: an environment's own assets and roles. Can be run again without harm.

It shows what it would make or change, and asks.

The CDK CLI's template would let whoever deploys to one environment touch every stack of the account. What is deployed
here is that template, narrowed to the environment's own stacks.
"""

import json
from argparse import ArgumentParser, Namespace
from itertools import count, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from infra import ROOT, naming
from infra.aws.cdk import cdk
from infra.aws.target import Target
from infra.console import consent
from infra.console.progress import doing
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import CommandError
from infra.policies.resources import deployed_stacks, policy_arn, stack_arns

# `cdk bootstrap` does not replace a stack of another variant: the CLI's own template can't widen this one unnoticed.
VARIANT = "The CDK's template, narrowed to the stacks of one environment"

# Of the assembly in which the CLI is shown that template. A CLI reads all older ones.
SCHEMA = "36.0.0"

DEPLOY_ROLE = "DeploymentActionRole"
# Its statements in the CLI's template that are left as they are, are given the environment's stacks for their
# resources, and go: those serve CDK Pipelines across accounts, and moving resources between stacks.
KEPT = {"iam:PassRole", "CliStagingBucket", "ReadVersion"}
NARROWED = {"DeployPermissions", "CliPermissions"}
DROPPED = {"PipelineCrossAccountArtifactsBucket", "PipelineCrossAccountArtifactsKey", "Refactor"}
READ_ONLY = "AWSCloudFormationReadOnlyAccess"

# Nothing here builds images, and nothing is looked up while synthesizing.
UNUSED_RESOURCES = (
    "ContainerAssetsRepository",
    "ImagePublishingRole",
    "ImagePublishingRoleDefaultPolicy",
    "LookupRole",
)
UNUSED_OUTPUTS = ("ImageRepositoryName",)

Json = dict[str, Any]


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `bootstrap` takes."""
    consent.add_yes(parser)


def run(target: Target, arguments: Namespace) -> Report:
    """Bootstrap, once what that changes was agreed to."""
    environment = target.environment
    if not arguments.yes:
        consent.check_terminal()
    # Before the CDK CLI is asked for its template.
    policies = ", ".join(_policies(target))
    template = narrow(original(environment.name), environment)
    if not arguments.yes:
        consent.show(_changes(target, template))
        consent.ask(f"Prepare {_place(environment)} so, with {policies} for what deploys {environment.name}?")
    return deploy(target, template, verbose=arguments.verbose)


def deploy(target: Target, template: Json, *, verbose: bool = False) -> Report:
    """Bootstrap with a template that was narrowed.

    Raises:
        CommandError: the access stack is not there, or the CDK CLI failed.
    """
    environment = target.environment
    policies = _policies(target)
    path = ROOT / "build" / "bootstrap" / f"{environment.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(template, indent=2))
    place = _place(environment)
    options = {
        "--template": str(path),
        "--qualifier": naming.qualifier(environment),
        "--toolkit-stack-name": naming.toolkit_stack(environment),
        "--cloudformation-execution-policies": ",".join(policies),
    }
    # Where no app is at hand, the CLI does not synthesize one before it bootstraps.
    with doing(f"Bootstrapping {place} for {environment.name}"), TemporaryDirectory() as elsewhere:
        cdk(
            ["bootstrap", place, *(word for option in options.items() for word in option)],
            log=f"bootstrap-{environment.name}",
            session=target.session,
            verbose=verbose,
            folder=Path(elsewhere),
        )
    toolkit = naming.toolkit_stack(environment)
    facts = {"bootstrapped": place, "stack": toolkit, "execution_policies": policies}
    return Report(facts, [f"{place} is ready for the CDK to deploy {environment.name}, by {toolkit}"])


def parameters(target: Target) -> dict[str, str]:
    """Return what the CDK CLI gives the template for its parameters by those options.

    Raises:
        CommandError: the access stack is not there.
    """
    return {
        "Qualifier": naming.qualifier(target.environment),
        "CloudFormationExecutionPolicies": ",".join(_policies(target)),
        "FileAssetsBucketKmsKeyId": "AWS_MANAGED_KEY",
    }


def _place(environment: Environment) -> str:
    return f"aws://{environment.account}/{environment.region}"


def _changes(target: Target, template: Json) -> str:
    """Return the CDK CLI's account of what a template would change of the toolkit's stack."""
    with TemporaryDirectory() as folder:
        assemble(Path(folder), target.environment, template)
        compared = ["diff", "--no-change-set", naming.toolkit_stack(target.environment), "--app", folder]
        return cdk(compared, log=f"bootstrap-diff-{target.environment.name}", session=target.session)


def assemble(folder: Path, environment: Environment, template: Json) -> None:
    """Write an assembly of the toolkit's stack alone, since the CLI compares nothing else."""
    file = "toolkit.template.json"
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": f"aws://{environment.account}/{environment.region}",
        "properties": {"templateFile": file},
    }
    artifacts = {naming.toolkit_stack(environment): stack}
    (folder / file).write_text(json.dumps(template))
    (folder / "manifest.json").write_text(json.dumps({"version": SCHEMA, "artifacts": artifacts}))


def original(environment: str) -> Json:
    """Return the bootstrap template of the CDK CLI that is installed.

    Raises:
        CommandError: the CDK CLI failed.
    """
    printed = cdk(["bootstrap", "--show-template", "--json"], log=f"bootstrap-template-{environment}")
    return json.loads(printed)


def narrow(template: Json, environment: Environment) -> Json:
    """Return the CLI's bootstrap template with what workflows need in one environment, and no more.

    Raises:
        CommandError: the template is not the one that this was written for.
    """
    parts = {name: dict(cast("Json", _of(template, name))) for name in ("Parameters", "Resources", "Outputs")}
    for name in UNUSED_RESOURCES:
        _take(parts["Resources"], name)
    for name in UNUSED_OUTPUTS:
        _take(parts["Outputs"], name)
    parts["Parameters"]["BootstrapVariant"] = _of(parts["Parameters"], "BootstrapVariant") | {"Default": VARIANT}
    role = _of(parts["Resources"], DEPLOY_ROLE)
    parts["Resources"][DEPLOY_ROLE] = role | {"Properties": _narrow_role(_of(role, "Properties"), environment)}
    return template | parts


def _narrow_role(properties: Json, environment: Environment) -> Json:
    if not str(_of(properties, "ManagedPolicyArns")).count(READ_ONLY):
        raise _changed(f"{DEPLOY_ROLE} does not have the managed policy {READ_ONLY}")
    [policy] = _of(properties, "Policies")
    statements = {_name(statement): statement for statement in policy["PolicyDocument"]["Statement"]}
    if set(statements) != KEPT | NARROWED | DROPPED:
        raise _changed(f"the statements of {DEPLOY_ROLE} are {', '.join(sorted(statements))}")
    stacks = stack_arns(environment, *deployed_stacks(environment), naming.toolkit_stack(environment))
    narrowed = [statements[name] for name in sorted(KEPT)]
    # Changing the toolkit's own stack is a person's work; reading it is how the CLI finds the bucket.
    narrowed += [statements[name] | {"Resource": stacks[:-1]} for name in sorted(NARROWED)]
    reading = ["cloudformation:Describe*", "cloudformation:Get*", "cloudformation:List*"]
    narrowed.append({"Sid": "ReadStacks", "Effect": "Allow", "Action": reading, "Resource": stacks})
    document = policy["PolicyDocument"] | {"Statement": narrowed}
    kept = {key: value for key, value in properties.items() if key != "ManagedPolicyArns"}
    return kept | {"Policies": [policy | {"PolicyDocument": document}]}


def _policies(target: Target) -> list[str]:
    """Return the ARNs of the policies that `access` has made for CloudFormation.

    It fails before a bootstrap would half succeed, which leaves a bucket in the way of the next.
    """
    environment = target.environment
    arns = (policy_arn(environment, naming.execution_policy(environment, number)) for number in count(1))
    found = [*takewhile(lambda arn: _exists(target, arn), arns)]
    if not found:
        first = policy_arn(environment, naming.execution_policy(environment))
        raise CommandError(f"{first} does not exist; `make access ENVIRONMENT={environment.name}` makes it")
    return found


def _exists(target: Target, arn: str) -> bool:
    client: Any = target.session.client("iam")
    try:
        client.get_policy(PolicyArn=arn)
    except client.exceptions.NoSuchEntityException:
        return False
    return True


def _name(statement: Json) -> str:
    return statement.get("Sid") or str(statement["Action"])


def _of(part: Json, name: str) -> Any:
    if name not in part:
        raise _changed(f"it has no {name}")
    return part[name]


def _take(part: Json, name: str) -> None:
    _of(part, name)
    del part[name]


def _changed(what: str) -> CommandError:
    return CommandError(
        f"the bootstrap template of this version of the CDK CLI is another than infra/pipeline/bootstrap.py knows: "
        f"{what}; compare `cdk bootstrap --show-template` and adapt it"
    )
