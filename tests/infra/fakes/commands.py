"""Running one command of the pipeline on a target of a test's own."""

from argparse import ArgumentParser
from types import ModuleType

from infra.aws.target import Target
from infra.console.report import Report
from infra.environment import Environment
from tests.infra.fakes.aws import FakeAws


def target(aws: FakeAws, environment: Environment, pull_request: int | None = None) -> Target:
    """Return a target in an AWS in memory, on its clock."""
    return Target(environment, pull_request, aws.session(), aws.clock)


def run(command: ModuleType, on: Target, *options: str) -> Report:
    """Run a command with these options, those that say on what left out."""
    parser = ArgumentParser()
    command.add_arguments(parser)
    parser.set_defaults(verbose=False, pull_request=on.pull_request)
    return command.run(on, parser.parse_args(options))
