"""The CDK app: the stacks of one environment, or of one pull request's preview.

Context: `environment` names a file in environments/; `pull_request` makes the preview of that pull request; `commit` is
what everything is tagged with, by default the commit that is checked out.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import aws_cdk as cdk

from infra import naming
from infra.bundle import BundleError
from infra.environment import Environment, EnvironmentFileError, load, names
from infra.stacks.orders import Orders
from infra.stacks.platform import Platform

ROOT = Path(__file__).parents[1]


class ContextError(Exception):
    """The context given to the app is wrong."""


def build(app: cdk.App) -> None:
    """Add the stacks that the app's context asks for.

    Raises:
        ContextError: the context is wrong.
        EnvironmentFileError: the environment's file is wrong.
        BundleError: the function's dependencies are not installed.
    """
    environment = load(_environment(app))
    pull_request = _pull_request(app, environment)
    if pull_request is None:
        platform = Platform(app, environment, cdk.DefaultStackSynthesizer())
        if not environment.hosts_previews:
            orders = Orders(app, environment, cdk.DefaultStackSynthesizer())
            # Not by a reference: CloudFormation reads the platform's parameter when it deploys.
            orders.add_stack_dependency(platform)
    else:
        Orders(app, environment, cdk.DefaultStackSynthesizer(), pull_request)
    tags = {"project": naming.PROJECT, "environment": environment.name, "commit": _commit(app)}
    if pull_request is not None:
        tags["pull-request"] = str(pull_request)
    for key, value in tags.items():
        cdk.Tags.of(app).add(key, value)


def _environment(app: cdk.App) -> str:
    name = app.node.try_get_context("environment")
    if not name:
        raise ContextError(f"context environment: missing; say -c environment=NAME, of {', '.join(names())}")
    return str(name)


def _pull_request(app: cdk.App, environment: Environment) -> int | None:
    value = app.node.try_get_context("pull_request")
    if value is None:
        return None
    if not re.fullmatch("[1-9][0-9]*", str(value)):
        raise ContextError(f"context pull_request = {value!r}: must be the number of a pull request")
    if not environment.hosts_previews:
        raise ContextError(
            f"context pull_request = {value}: {environment.name} hosts no previews (hosts_previews in "
            f"environments/{environment.name}.toml)"
        )
    return int(value)


def _commit(app: cdk.App) -> str:
    given = app.node.try_get_context("commit")
    if given is None:
        command = [shutil.which("git") or "git", "rev-parse", "HEAD"]
        git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        given = git.stdout.strip()
    if not re.fullmatch("[0-9a-f]{40}", str(given)):
        raise ContextError(f"context commit = {given!r}: must be a full commit id; git could not tell one for {ROOT}")
    return str(given)


def main() -> int:
    """Synthesize, for the CDK CLI."""
    app = cdk.App()
    try:
        build(app)
    except (BundleError, ContextError, EnvironmentFileError) as error:
        print(error, file=sys.stderr)
        return 2
    app.synth()
    return 0


if __name__ == "__main__":
    sys.exit(main())
