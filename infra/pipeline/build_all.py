"""Synthesize every environment of the promotion order, and the preview of a pull request: what one run deploys."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from infra.aws.target import Target
from infra.console.report import Report
from infra.environment import load_all
from infra.pipeline import build
from infra.pipeline.arguments import add_pull_request
from infra.project import Project


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `build-all` takes."""
    add_pull_request(parser)
    parser.add_argument(
        "--commit", help="what a preview tells that it was built from (default: the commit checked out)"
    )


def run(project: Project, arguments: Namespace) -> Report:
    """Build, and tell the digests by environment."""
    environments = load_all(project.root)
    targets = [Target(environments[name]) for name in project.promote]
    if arguments.pull_request is not None:
        targets.append(Target(environments[project.previews], arguments.pull_request))
    built = {
        target.environment.name: build.synthesize(target, commit=_commit(target, arguments), verbose=arguments.verbose)
        for target in targets
    }
    digests = {name: assembly.digest() for name, assembly in built.items()}
    facts = {"promote": project.promote, "previews": project.previews, "digests": digests}
    lines = [f"{assembly.folder}: {', '.join(assembly.stack_names)}" for assembly in built.values()]
    lines += [warning for assembly in built.values() for warning in build.warnings(assembly)]
    return Report(facts, lines, outputs=outputs(project, digests))


def outputs(project: Project, digests: Mapping[str, str]) -> dict[str, str]:
    """Return what a workflow's step has of it: lists as JSON, what each stage deploys in their order, the preview.

    Compared with what is deployed is all that was built.
    """
    stages = [{"environment": name, "digest": digests[name]} for name in project.promote]
    return {
        "promote": json.dumps(project.promote),
        "compared": json.dumps([*digests]),
        "stages": json.dumps(stages),
        "previews": project.previews,
        "preview_digest": digests.get(project.previews, ""),
    }


def _commit(target: Target, arguments: Namespace) -> str | None:
    # Built is the pull request's merge into main; its own commit is the one that its author knows.
    return arguments.commit if target.pull_request is not None else None
