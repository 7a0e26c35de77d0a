"""Show what deploying an assembly would change, and what a person has to deploy before.

It reads the deployed templates, and writes nothing to the account.
"""

import re
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.aws import allowed
from infra.aws.assembly import Assembly
from infra.aws.cdk import cdk
from infra.aws.target import Target
from infra.console import markdown
from infra.console.progress import doing
from infra.console.report import Report
from infra.pipeline.arguments import add_pull_request

# How the CDK CLI heads the changes that let somebody do more, and ends the lines of those that take something away.
_SECURITY = re.compile(r"^(?:IAM .*|Security Group) Changes$", re.MULTILINE)
_DESTRUCTIVE = re.compile(r"^\[[-~]\] .* (?:destroy|replace|may be replaced)$", re.MULTILINE)
_BEFORE_THE_CHANGES = re.compile(r"\A.*?^(?=Stack )", re.MULTILINE | re.DOTALL)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `diff` takes."""
    add_pull_request(parser)
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")


def run(target: Target, arguments: Namespace) -> Report:
    """Compare. Exit code 0 whether or not there are changes, or something that a person has to deploy before them."""
    assembly = Assembly.of(target, arguments.assembly)
    # Nobody has the preview but its pull request, so what changes in it is not worth a look.
    compared = assembly.stack_names if target.pull_request is None else []
    with doing(f"Comparing {', '.join(assembly.stack_names)} with what is deployed"):
        before = allowed.missing(target, assembly)
        found = changes(target, assembly, compared)
    removed = [f"{function.name}: is removed" for function in target.removed_functions()] if compared else []
    warnings = [*before, *removed, *attention(found)]
    title = f"Changes of {target.environment.name}"
    summary = markdown.fit_summary(lambda limit: markdown.changes(title, warnings, found, limit))
    facts = {"deploy_first": before, "warnings": warnings, "changes": found}
    return Report(facts, [*warnings, *found.values()], summary)


def changes(target: Target, assembly: Assembly, names: Iterable[str]) -> dict[str, str]:
    """Return the CDK CLI's account of what would change in each of these stacks, by their names."""
    return {name: compare(assembly, name, deployed_template(target, assembly, name)) for name in names}


def deployed_template(target: Target, assembly: Assembly, stack_name: str) -> str:
    """Return the template that a stack was last deployed with, or an empty one where there is no such stack.

    It tells its commit. That is given as the assembly has it, or every stack would change with each commit.
    """
    stack = target.stacks.find(stack_name)
    if stack is None:
        return "{}"
    template = target.stacks.template(stack_name)
    deployed, built = stack.commit, assembly.commit(stack_name)
    return template.replace(deployed, built) if deployed and built else template


def compare(assembly: Assembly, stack_name: str, deployed: str) -> str:
    """Return the CDK CLI's account of what would change in a stack: what concerns security comes first in it."""
    with TemporaryDirectory() as temporary:
        template = Path(temporary) / "deployed.json"
        template.write_text(deployed)
        options = ["--exclusively", "--app", str(assembly.folder), "--template", str(template)]
        text = cdk(["diff", stack_name, *options], log=f"diff-{stack_name}")
    return _BEFORE_THE_CHANGES.sub("", text).strip()


def attention(changes: dict[str, str]) -> list[str]:
    """Return what deserves a look first: security-relevant changes, then what is destroyed or replaced."""
    return [
        f"{name}: {line}"
        for loud in (_SECURITY, _DESTRUCTIVE)
        for name, text in changes.items()
        for line in loud.findall(text)
    ]
