"""Bringing the local environment onto a local AWS that runs, by the pipeline's own commands."""

import json
import os
from argparse import ArgumentParser
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from botocore.exceptions import WaiterError

from infra import naming
from infra.aws.assembly import Assembly
from infra.aws.target import Target
from infra.console.progress import doing
from infra.console.report import Report
from infra.environment import Environment
from infra.errors import CommandError
from infra.local.aws import RunningAws
from infra.local.built import Built
from infra.pipeline import access, bootstrap, deploy

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

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
    if is_prepared(target, preparation, aws):
        return
    if any(map(target.stacks.find, _preparing_stacks(target))):
        access.deploy(target, built.access)
        bootstrap.deploy(target, built.bootstrap)
    else:
        prepare_new(target, built)
    (aws.folder / PREPARED).write_text(preparation)


def prepare_new(target: Target, built: Built) -> None:
    """Make the stacks of access and bootstrap in an account that has neither, as the commands do.

    Without the CDK CLI, whose two starts take two seconds of every `make run`: there is nothing to compare, and no
    archive to publish.

    Raises:
        CommandError: a stack can't be made.
    """
    environment, assembly = target.environment, Assembly(built.access)
    with doing(f"Preparing account {environment.account}"):
        for name in assembly.stack_names:
            _make(target, name, (built.access / f"{name}.template.json").read_text(), {}, assembly.tags(name))
        _make(target, naming.toolkit_stack(environment), json.dumps(built.bootstrap), bootstrap.parameters(target), {})


def _make(target: Target, name: str, template: str, parameters: dict[str, str], tags: dict[str, str]) -> None:
    client: CloudFormationClient = target.session.client("cloudformation")
    client.create_stack(
        StackName=name,
        TemplateBody=template,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )
    try:
        client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    except WaiterError as error:
        events = target.stacks.events(name) or []
        reasons = [f"{each.get('LogicalResourceId')}: {each.get('ResourceStatusReason')}" for each in reversed(events)]
        raise CommandError("\n".join([f"{name} could not be made", *reasons])) from error


def is_prepared(target: Target, preparation: str, aws: RunningAws) -> bool:
    """Tell whether the account was prepared so, and what prepared it is still there."""
    mark = aws.folder / PREPARED
    return (
        mark.is_file() and mark.read_text() == preparation and all(map(target.stacks.find, _preparing_stacks(target)))
    )


def _preparing_stacks(target: Target) -> tuple[str, str]:
    return naming.access_stack(target.environment), naming.toolkit_stack(target.environment)


def command(module: ModuleType, target: Target, *options: str) -> Report:
    """Run a command of the pipeline in this process."""
    parser = ArgumentParser()
    module.add_arguments(parser)
    parser.set_defaults(verbose=False)
    return module.run(target, parser.parse_args(options))
