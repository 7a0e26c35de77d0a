"""Deploy the access stack of an environment's account, with your own credentials. Can be run again without harm.

It shows what it would make or change, and asks.
"""

import sys
from argparse import ArgumentParser, Namespace
from tempfile import TemporaryDirectory
from typing import Any

from infra import naming
from infra.aws.cdk import cdk
from infra.aws.target import Target
from infra.console.progress import console, doing
from infra.console.report import Report
from infra.environment import of_account
from infra.errors import CommandError, UsageError
from infra.policies import purposes, trust
from infra.repository import load as load_repository


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `access` takes."""
    parser.add_argument("--yes", action="store_true", help="do not show and ask")


def run(target: Target, arguments: Namespace) -> Report:
    """Deploy the stack, once its changes were agreed to."""
    repository = load_repository()
    if not arguments.yes and not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask on; --yes deploys without asking")
    account = target.environment.account
    environments = of_account(account)
    # The stack lies in the region of the account's first environment.
    first = Target(environments[0], given_session=target.given_session, clock=target.clock)
    context = ["--context", "access=true", "--context", f"environment={target.environment.name}"]
    if has_foreign_provider(first):
        context += ["--context", "existing_provider=true"]
    with TemporaryDirectory() as assembly:
        with doing(f"Synthesizing {naming.ACCESS_STACK}"):
            cdk(["synth", "--quiet", "--output", assembly, *context], log="access-build", verbose=arguments.verbose)
        built = [naming.ACCESS_STACK, "--app", assembly]
        if not arguments.yes:
            changes = cdk(["diff", "--no-change-set", *built], log="access-diff", session=first.session)
            console.print(changes, markup=False)
            _ask(f"Give {repository.full_name} on GitHub this access to account {account}?")
        with doing(f"Deploying {naming.ACCESS_STACK} to account {account}"):
            cdk(
                ["deploy", "--require-approval", "never", *built],
                log="access",
                session=first.session,
                verbose=arguments.verbose,
            )
    roles = {
        purposes.role(each, purpose): purposes.role_arn(each, purpose)
        for each in environments
        for purpose in purposes.PURPOSES
    }
    facts = {"account": account, "repository": repository.full_name, "roles": roles}
    return Report(facts, [f"Workflows of {repository.full_name} may assume:", *roles.values()])


def has_foreign_provider(target: Target) -> bool:
    """Return whether the account has an identity provider for GitHub that is not the access stack's.

    Raises:
        CommandError: it has one, which does not take the audience that the workflows ask tokens for.
    """
    client: Any = target.session.client("iam")
    arn = trust.provider_arn(target.environment.account)
    try:
        provider = client.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    except client.exceptions.NoSuchEntityException:
        return False
    if target.stacks.find(naming.ACCESS_STACK) and any(
        resource.get("PhysicalResourceId") == arn for resource in target.stacks.resources(naming.ACCESS_STACK)
    ):
        return False
    if trust.AUDIENCE not in provider.get("ClientIDList", []):
        raise CommandError(
            f"{arn} exists and does not take the audience {trust.AUDIENCE}; whoever made it may add it: "
            f"aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {arn} "
            f"--client-id {trust.AUDIENCE}"
        )
    return True


def _ask(question: str) -> None:
    if input(f"{question} [y/N] ").strip().lower() not in ("y", "yes"):
        raise CommandError("nothing was changed")
