"""The CDK app: the stacks of one environment, or of one pull request's preview.

Context: `environment` names a file in environments/; `pull_request` makes the preview of that pull request; `commit` is
what every stack tells that it was built from, by default the commit that is checked out, marked where the work tree
holds more than that. `access` makes the environment's access stack instead, and `existing_provider` lets it take the
identity provider that the account has.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from infra import ROOT, bundle, naming
from infra import needs as infrastructure
from infra.bundle import BundleError
from infra.environment import Environment, load, names
from infra.errors import UsageError
from infra.naming import Output
from infra.policies.places import Templates
from infra.services import Service
from infra.stacks.access import Access, check_size
from infra.stacks.function import FunctionStack, needs
from infra.stacks.platform import Platform
from infra.stacks.platform import resources as resources_of_platform

MakeBundle = Callable[[str, str, str, Iterable[Service]], Path]


class ContextError(UsageError):
    """The context given to the app is wrong."""


def build(
    app: cdk.App,
    make_bundle: MakeBundle = bundle.build,
    read: Callable[[str], Environment] = load,
) -> None:
    """Add the stacks that the app's context asks for.

    Args:
        app: the app, without stacks.
        make_bundle: makes the zip of a function, named by its folder, for an architecture, a runtime and the services
            that it calls.
        read: reads an environment by its name.

    Raises:
        ContextError: the context is wrong.
        FileError: the file of an environment is wrong, or project.toml.
        BundleError: the dependencies of a function are not installed.
    """
    environment = read(_environment(app))
    if app.node.try_get_context("access"):
        existing = bool(app.node.try_get_context("existing_provider"))
        Access(app, environment, templates(environment), takes_existing_provider=existing)
        cdk.Tags.of(app).add("project", environment.project.name)
        return
    pull_request = _pull_request(app, environment)
    functions = [_Function(environment, name) for name in environment.function_names]
    platform = None if pull_request else _platform(app, environment, functions)
    if pull_request or not environment.hosts_previews:
        for function in functions:
            stack = function.stack(app, pull_request, make_bundle)
            if platform:
                # Not by a reference: CloudFormation reads the platform's parameter when it deploys.
                stack.add_stack_dependency(platform)
    for key, value in naming.tags(environment, pull_request).items():
        cdk.Tags.of(app).add(key, value)
    _tell_commit(app)


def templates(environment: Environment) -> Templates:
    """Return what the stacks of an environment hold, of which follows what may be done there.

    Raises:
        UsageError: the infrastructure of a function fails, or it calls what the network has no way to.
    """
    found = {
        name: needs(environment, name, infrastructure.load(name, environment.project.root))
        for name in environment.function_names
    }
    services = {name: each.services for name, each in found.items()}
    functions = {name: each.resources for name, each in found.items()}
    return Templates(functions, resources_of_platform(environment, services))


class _Function:
    """A function in an environment, with what it needs there."""

    def __init__(self, environment: Environment, name: str) -> None:
        self._environment = environment
        self.name = name
        self._infrastructure = infrastructure.load(name, environment.project.root)
        self.needs = needs(environment, name, self._infrastructure)

    def stack(self, app: cdk.App, pull_request: int | None, make_bundle: MakeBundle) -> FunctionStack:
        """Make its stack."""
        environment, name = self._environment, self.name
        archive = make_bundle(name, *bundle.machine(environment, name), self.needs.services)
        stack = FunctionStack(
            app,
            environment,
            name,
            _synthesizer(environment),
            lambda_.Code.from_asset(str(archive)),
            infrastructure=self._infrastructure,
            given=self.needs.resources,
            pull_request=pull_request,
        )
        if endpoints := [each.endpoint for each in self.needs.services if each.endpoint]:
            stack.node.add_metadata(naming.ENDPOINTS, endpoints)
        return stack


def _platform(app: cdk.App, environment: Environment, functions: list[_Function]) -> Platform:
    services = {function.name: function.needs.services for function in functions}
    return Platform(app, environment, _platform_synthesizer(environment), services)


def _synthesizer(environment: Environment) -> cdk.DefaultStackSynthesizer:
    return cdk.DefaultStackSynthesizer(qualifier=naming.qualifier(environment))


def _platform_synthesizer(environment: Environment) -> cdk.IStackSynthesizer:
    # The CDK's roles for previews may make nothing but previews: a person deploys the platform below them.
    if environment.hosts_previews:
        return cdk.CliCredentialsStackSynthesizer(qualifier=naming.qualifier(environment))
    return _synthesizer(environment)


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
            f"context pull_request = {value}: {environment.name} hosts no previews (preview_days in "
            f"environments/{environment.name}.toml)"
        )
    return int(value)


def _tell_commit(app: cdk.App) -> None:
    """Let every stack tell its commit in an output: a tag would be on each resource, and change it with each commit."""
    commit = _commit(app)
    for stack in app.node.children:
        if isinstance(stack, cdk.Stack):
            cdk.CfnOutput(stack, Output.COMMIT, value=commit)


def _commit(app: cdk.App) -> str:
    commit = app.node.try_get_context("commit")
    if commit is None:
        return _checked_out_commit()
    if not re.fullmatch("[0-9a-f]{40}", str(commit)):
        raise ContextError(f"context commit = {commit!r}: must be a full commit id, of 40 hexadecimal digits")
    return str(commit)


def _checked_out_commit() -> str:
    """Return the commit that is checked out, marked where the work tree has changes that are not part of it."""
    git = shutil.which("git")
    if git is None:
        raise ContextError("context commit: missing, and git is not installed, which knows it; say -c commit=ID")

    def asked(*arguments: str) -> str:
        command = [git, "--no-optional-locks", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    commit = asked("rev-parse", "--verify", "HEAD")
    if not commit:
        raise ContextError(f"context commit: missing, and git knows of no commit in {ROOT}; say -c commit=ID")
    return commit + (naming.UNCOMMITTED if asked("status", "--porcelain", ".") else "")


def main(outdir: str | None = None, **context: str) -> int:
    """Synthesize, for the CDK CLI: where it says, with the context that it gives, unless told otherwise."""
    # Stack traces name the temporary folders of this run, and a slow run would leave its times beside the templates:
    # both make assemblies of one commit differ.
    app = cdk.App(
        outdir=outdir,
        stack_traces=False,
        performance_reporting=False,
        context={"aws:cdk:disable-creation-stack-traces": True, **context},
    )
    try:
        build(app)
        synthesized = app.synth()
        if app.node.try_get_context("access"):
            [stack] = synthesized.stacks
            check_size(stack.template, load(_environment(app)))
    except (BundleError, UsageError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
