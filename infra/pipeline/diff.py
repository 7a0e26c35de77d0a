"""Show what deploying an assembly would change. Reads the deployed templates, and writes nothing to the account."""

import json
import re
from argparse import ArgumentParser, Namespace
from pathlib import Path
from tempfile import TemporaryDirectory

import boto3

from infra.aws.assembly import default_folder, stack_names, stack_tags
from infra.aws.cdk import cdk
from infra.aws.session import open_session
from infra.aws.stack import describe
from infra.console import markdown
from infra.console.output import show
from infra.console.progress import doing
from infra.environment import Environment

# How the CDK CLI heads the changes that let somebody do more, and ends the lines of those that take something away.
_SECURITY = ("IAM Statement Changes", "IAM Policy Changes", "Security Group Changes")
_DESTRUCTIVE = re.compile(r"^\[[-~]\] .* (?:destroy|replace|may be replaced)$", re.MULTILINE)
_BEFORE_THE_CHANGES = re.compile(r"\A.*?^(?=Stack )", re.MULTILINE | re.DOTALL)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what `diff` takes."""
    parser.add_argument("--assembly", type=Path, help="folder of the assembly (default: where `build` writes it)")


def run(environment: Environment, arguments: Namespace) -> int:
    """Compare. Exit code 0 whether or not there are changes."""
    folder = arguments.assembly or default_folder(environment.name, None)
    names = stack_names(folder)
    session = open_session(environment)
    with doing(f"Comparing {', '.join(names)} with what is deployed"):
        changes = {name: compare(folder, name, deployed_template(session, folder, name)) for name in names}
    warnings = attention(changes)
    title = f"Changes of {environment.name}"
    summary = markdown.changes(title, warnings, changes)
    show(arguments, {"warnings": warnings, "changes": changes}, [*warnings, *changes.values()], summary)
    return 0


def deployed_template(session: boto3.Session, folder: Path, stack_name: str) -> str:
    """Return the template that a stack was last deployed with, or an empty one where there is no such stack.

    Every resource is tagged with its commit. That tag is given as the assembly has it, or each would be a change.
    """
    stack = describe(session, stack_name)
    if stack is None:
        return "{}"
    template = json.dumps(session.client("cloudformation").get_template(StackName=stack_name)["TemplateBody"])
    deployed = {tag["Key"]: tag["Value"] for tag in stack.get("Tags", [])}.get("commit")
    built = stack_tags(folder, stack_name).get("commit")
    return template.replace(deployed, built) if deployed and built else template


def compare(folder: Path, stack_name: str, deployed: str) -> str:
    """Return the CDK CLI's account of what would change in a stack: what concerns security comes first in it."""
    with TemporaryDirectory() as temporary:
        template = Path(temporary) / "deployed.json"
        template.write_text(deployed)
        options = ["--exclusively", "--app", str(folder), "--template", str(template)]
        text = cdk(["diff", stack_name, *options], log=f"diff-{stack_name}")
    return _BEFORE_THE_CHANGES.sub("", text).strip()


def attention(changes: dict[str, str]) -> list[str]:
    """Return what deserves a look first: security-relevant changes, then what is destroyed or replaced."""
    security = [f"{name}: {heading}" for name, text in changes.items() for heading in _SECURITY if heading in text]
    destructive = [f"{name}: {line}" for name, text in changes.items() for line in _DESTRUCTIVE.findall(text)]
    return security + destructive
