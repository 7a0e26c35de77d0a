"""Deploy the access stack of an environment's account, with your own credentials. Can be run again without harm.

It shows what it would make or change, and asks.
"""

import sys
from argparse import ArgumentParser, Namespace
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from infra import naming
from infra.aws.cdk import cdk
from infra.aws.session import open_session
from infra.aws.stack import describe
from infra.console.output import show
from infra.console.progress import console, doing
from infra.environment import Environment, of_account
from infra.errors import CommandError, UsageError
from infra.policies import purposes, trust
from infra.repository import RepositoryFileError
from infra.repository import load as load_repository


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `access` takes."""
    parser.add_argument("--yes", action="store_true", help="do not show and ask")


def run(environment: Environment, arguments: Namespace) -> int:
    """Deploy the stack, once its changes were agreed to."""
    try:
        repository = load_repository()
    except RepositoryFileError as error:
        raise UsageError(str(error)) from error
    if not arguments.yes and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on; --yes deploys without asking")
    environments = of_account(environment.account)
    session = open_session(environments[0])
    context = ["--context", "access=true", "--context", f"environment={environment.name}"]
    if has_foreign_provider(session, environment.account):
        context += ["--context", "existing_provider=true"]
    with TemporaryDirectory() as assembly:
        with doing(f"Synthesizing {naming.ACCESS_STACK}"):
            cdk(["synth", "--quiet", "--output", assembly, *context], log="access-build", verbose=arguments.verbose)
        built = [naming.ACCESS_STACK, "--app", assembly]
        if not arguments.yes:
            console.print(cdk(["diff", "--no-change-set", *built], log="access-diff"), markup=False)
            _ask(f"Give {repository.full_name} on GitHub this access to account {environment.account}?")
        with doing(f"Deploying {naming.ACCESS_STACK} to account {environment.account}"):
            cdk(["deploy", "--require-approval", "never", *built], log="access", verbose=arguments.verbose)
    roles = {
        purposes.role(each.name, purpose): purposes.role_arn(each, purpose)
        for each in environments
        for purpose in purposes.PURPOSES
    }
    facts = {"account": environment.account, "repository": repository.full_name, "roles": roles}
    show(arguments, facts, [f"Workflows of {repository.full_name} may assume:", *roles.values()])
    return 0


def has_foreign_provider(session: boto3.Session, account: str) -> bool:
    """Return whether the account has an identity provider for GitHub that is not this stack's.

    Raises:
        CommandError: it has one, which does not take the audience that the workflows ask tokens for.
    """
    client: Any = session.client("iam")
    arn = trust.provider_arn(account)
    try:
        provider = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    except client.exceptions.NoSuchEntityException:
        return False
    if _is_of_stack(session, arn):
        return False
    if trust.AUDIENCE not in provider.get("ClientIDList", []):
        raise CommandError(
            f"{arn} exists and does not take the audience {trust.AUDIENCE}; whoever made it may add it: "
            f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn} "
            f"--client-id {trust.AUDIENCE}"
        )
    return True


def _is_of_stack(session: boto3.Session, physical_id: str) -> bool:
    if describe(session, naming.ACCESS_STACK) is None:
        return False
    pages = session.client("cloudformation").get_paginator("list_stack_resources")
    found = pages.paginate(StackName=naming.ACCESS_STACK)
    return any(
        resource.get("PhysicalResourceId") == physical_id
        for page in found
        for resource in page["StackResourceSummaries"]
    )


def _ask(question: str) -> None:
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was changed")
