"""Tell what project.toml says: the name, and the environments that workflows deploy to."""

import json
from argparse import ArgumentParser, Namespace

from infra.console.report import Report
from infra.project import Project


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `project` takes: nothing of its own."""


def run(project: Project, arguments: Namespace) -> Report:  # noqa: ARG001 - it takes none
    """Tell it. A workflow's step has the lists as JSON among its outputs."""
    lists = {"promote": project.promote, "environments": project.environments}
    facts = {"name": project.name, "previews": project.previews, **lists}
    lines = [
        f"{project.name}, of {project.repository.full_name}",
        f"main goes to {', then to '.join(project.promote)}; pull requests have previews on {project.previews}",
    ]
    return Report(facts, lines, outputs={key: json.dumps(value) for key, value in lists.items()})
