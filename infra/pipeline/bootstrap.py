"""Prepare an account and region for the CDK: its asset bucket and its roles. Can be run again without harm."""

from argparse import ArgumentParser, Namespace

from infra.environment import Environment
from infra.pipeline.cdk import cdk
from infra.pipeline.output import show
from infra.pipeline.progress import doing
from infra.pipeline.session import open_session


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `bootstrap` takes: nothing of its own."""


def run(environment: Environment, arguments: Namespace) -> int:
    """Bootstrap."""
    open_session(environment)
    target = f"aws://{environment.account}/{environment.region}"
    with doing(f"Bootstrapping {target}"):
        cdk(["bootstrap", target], log=f"bootstrap-{environment.name}", verbose=arguments.verbose)
    show(arguments, {"bootstrapped": target}, [f"{target} is ready for the CDK"])
    return 0
