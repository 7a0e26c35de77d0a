"""Bringing the local environment onto a local AWS that runs, by the pipeline's own commands."""

import os
from argparse import ArgumentParser
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType

from infra import naming
from infra.aws.target import Target
from infra.console.report import Report
from infra.environment import Environment
from infra.local.aws import RunningAws
from infra.local.built import Built
from infra.pipeline import access, bootstrap, deploy

# In the folder of a local AWS, so that it goes with that: a digest of what its account was prepared with.
PREPARED = "prepared"


@contextmanager
def using(aws: RunningAws, environment: Environment) -> Generator[Target]:
    """Let this process, and what it starts, see a local AWS and no other, and yield what is deployed there."""
    before = dict(os.environ)
    os.environ.update(aws.environ(environment.account, environment.region))
    try:
        yield Target(environment, given_session=aws.session(environment.account, environment.region))
    finally:
        os.environ.clear()
        os.environ.update(before)


def bring(target: Target, built: Built, aws: RunningAws) -> Report:
    """Deploy what was built to a local AWS that is in use, and of that what has changed.

    Raises:
        CommandError: something could not be deployed.
    """
    prepare(target, built, aws)
    return command(deploy, target, "--assembly", str(built.stacks))


def prepare(target: Target, built: Built, aws: RunningAws) -> None:
    """Give access and bootstrap, unless that was done with the same templates.

    Raises:
        CommandError: something could not be deployed.
    """
    preparation = built.preparation()
    if not is_prepared(target, preparation, aws):
        access.deploy(target, built.access)
        bootstrap.deploy(target, built.bootstrap)
        (aws.folder / PREPARED).write_text(preparation)


def is_prepared(target: Target, preparation: str, aws: RunningAws) -> bool:
    """Tell whether the account was prepared so, and what prepared it is still there."""
    mark = aws.folder / PREPARED
    stacks = naming.access_stack(target.environment), naming.toolkit_stack(target.environment)
    return mark.is_file() and mark.read_text() == preparation and all(map(target.stacks.find, stacks))


def command(module: ModuleType, target: Target, *options: str) -> Report:
    """Run a command of the pipeline in this process."""
    parser = ArgumentParser()
    module.add_arguments(parser)
    parser.set_defaults(verbose=False)
    return module.run(target, parser.parse_args(options))
