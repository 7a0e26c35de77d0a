"""Deploy the access stack of an environment, with your own credentials. Can be run again without harm.

It shows what it would make or change, and asks.
"""

import re
import shutil
import subprocess
from argparse import ArgumentParser, Namespace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from infra import naming
from infra.aws.cdk import cdk
from infra.aws.target import Target
from infra.console import consent
from infra.console.progress import console, doing
from infra.console.report import Report
from infra.errors import CommandError
from infra.policies import purposes, trust
from infra.policies.resources import toolkit_roles
from infra.project import Project

# The ways in which git writes an address of GitHub, over SSH and HTTPS.
_ON_GITHUB = re.compile(
    r"(?:\w+://)?(?:[^@/]+@)?(?:ssh\.)?github\.com(?::\d+)?[:/]+([^/]+/[^/]+?)(?:\.git)?/*", re.IGNORECASE
)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `access` takes."""
    consent.add_yes(parser)


def run(target: Target, arguments: Namespace) -> Report:
    """Deploy the stack, once its changes were agreed to."""
    environment = target.environment
    repository = environment.project.repository.full_name
    if not arguments.yes:
        consent.check_terminal()
    context = ["--context", "access=true", "--context", f"environment={environment.name}"]
    if has_foreign_provider(target):
        context += ["--context", "existing_provider=true"]
    stack = naming.access_stack(environment)
    with TemporaryDirectory() as assembly:
        with doing(f"Synthesizing {stack}"):
            cdk(["synth", "--quiet", "--output", assembly, *context], log="access-build", verbose=arguments.verbose)
        if not arguments.yes:
            changes = cdk(
                ["diff", "--no-change-set", stack, "--app", assembly], log="access-diff", session=target.session
            )
            consent.show(changes)
        if (origin := origin_on_github(environment.project)) and origin.lower() != repository.lower():
            said = f"origin is {origin}, and project.toml says {repository}: its workflows get this access"
            console.print(said, markup=False, soft_wrap=True)
        if not arguments.yes:
            consent.ask(
                f"Give {repository} on GitHub this access to {environment.name} in account {environment.account}?"
            )
        return deploy(target, Path(assembly), verbose=arguments.verbose)


def deploy(target: Target, assembly: Path, *, verbose: bool = False) -> Report:
    """Deploy the access stack that a cloud assembly holds.

    Raises:
        CommandError: the CDK CLI failed.
    """
    environment = target.environment
    stack = naming.access_stack(environment)
    with doing(f"Deploying {stack} to account {environment.account}"):
        # Without a change set, which nobody would read any more.
        cdk(
            ["deploy", "--method", "direct", "--require-approval", "never", stack, "--app", str(assembly)],
            log="access",
            session=target.session,
            verbose=verbose,
        )
    repository = environment.project.repository.full_name
    roles = {
        purposes.role(environment, purpose): purposes.role_arn(environment, purpose) for purpose in purposes.PURPOSES
    }
    lines = [f"Workflows of {repository} may assume:", *roles.values()]
    if unknown := policies_to_attach(target):
        lines.append(
            f"CloudFormation has not got {', '.join(unknown)} yet: run `make bootstrap ENVIRONMENT={environment.name}`"
        )
    facts = {"account": environment.account, "repository": repository, "roles": roles, "to_attach": unknown}
    return Report(facts, lines)


def policies_to_attach(target: Target) -> list[str]:
    """Name the policies for CloudFormation that the bootstrap has yet to give to it: those that came since."""
    environment, client = target.environment, cast("Any", target.session).client("iam")
    beginning = naming.execution_policy(environment)
    (arn,) = toolkit_roles(environment, "cfn-exec")
    try:
        answer = client.list_attached_role_policies(RoleName=arn.rpartition("/")[2])
    except client.exceptions.NoSuchEntityException:
        return []  # There is no bootstrap yet, and the first gives it all of them.
    given = {each["PolicyName"] for each in answer["AttachedPolicies"]}
    resources = target.stacks.resources(naming.access_stack(environment))
    made = {each.get("PhysicalResourceId", "").rpartition("/")[2] for each in resources}
    return sorted(name for name in made - given if name.startswith(beginning))


def origin_on_github(project: Project) -> str | None:
    """Return owner and name of the repository on GitHub that git calls origin here; None where it is none."""
    git = shutil.which("git")
    if git is None:
        return None
    command = [git, "remote", "get-url", "origin"]
    address = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False).stdout.strip()
    match = _ON_GITHUB.fullmatch(address)
    return match[1] if match else None


def has_foreign_provider(target: Target) -> bool:
    """Return whether the account has an identity provider for GitHub that is not this access stack's.

    It may be that of another environment's: the first in an account makes it.

    Raises:
        CommandError: it has one, which does not take the audience that the workflows ask tokens for.
    """
    client: Any = target.session.client("iam")
    arn = trust.provider_arn(target.environment.account)
    try:
        provider = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    except client.exceptions.NoSuchEntityException:
        return False
    stack = naming.access_stack(target.environment)
    if target.stacks.find(stack) and any(
        resource.get("PhysicalResourceId") == arn for resource in target.stacks.resources(stack)
    ):
        return False
    if trust.AUDIENCE not in provider.get("ClientIDList", []):
        raise CommandError(
            f"{arn} exists and does not take the audience {trust.AUDIENCE}; whoever made it may add it: "
            f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn} "
            f"--client-id {trust.AUDIENCE}"
        )
    return True
