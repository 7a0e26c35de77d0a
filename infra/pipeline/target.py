"""Tell which role a workflow assumes for a purpose in one environment, and where. Needs no credentials."""

from argparse import ArgumentParser, Namespace

from infra.aws.target import Target
from infra.console.report import Report
from infra.errors import UsageError
from infra.policies.purposes import PURPOSES, role_arn


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `target` takes."""
    parser.add_argument("--purpose", required=True, choices=PURPOSES, help="what the workflow does there")


def run(target: Target, arguments: Namespace) -> Report:
    """Tell it, from the environment's file.

    Raises:
        UsageError: no workflow works on this environment.
    """
    environment = target.environment
    if environment.name not in (known := environment.project.environments):
        raise UsageError(f"no workflow works on {environment.name}: project.toml has {', '.join(known)} for them")
    role = role_arn(environment, arguments.purpose)
    facts = {"account": environment.account, "region": environment.region, "role": role}
    return Report(facts, [f"{role} in {environment.region}"])
