"""What a function needs on AWS besides itself: what its infrastructure.py adds to its stack.

A team writes it in plain CDK. The models of AWS's services in the bundle, the endpoints of the network and what
CloudFormation may do follow from the template that comes of it.
"""

import sys
import traceback
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from infra import ROOT
from infra.errors import UsageError
from infra.services import Service, service

FILE = "infrastructure.py"

# Whose names are told apart by what they belong to.
_NAMED_WITHIN = ("AWS::IAM::Policy", "AWS::Lambda::Alias")

Add = Callable[[cdk.Stack, lambda_.Function, lambda_.Alias], None]
Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Infrastructure:
    """A function's infrastructure.py.

    Args:
        file: its path from the root, for messages.
        add: adds to the function's stack what the function needs.
        services: what it calls that no grant tells of.
    """

    file: str
    add: Add
    services: tuple[Service, ...]


@dataclass(frozen=True)
class Needs:
    """What comes of an infrastructure.py.

    Args:
        services: those that the function calls, besides what every function does.
        resources: the resources of its stack, as the template has them.
    """

    services: tuple[Service, ...]
    resources: Resources


def load(function: str, root: Path = ROOT) -> Infrastructure:
    """Read a function's infrastructure.py; a function that has none needs nothing.

    Args:
        function: its folder in functions/.
        root: the folder that holds functions/.

    Raises:
        UsageError: it is not Python, fails, or lacks what it must have.
    """
    path = root / "functions" / function / FILE
    file = path.relative_to(root).as_posix()
    if not path.is_file():
        return Infrastructure(file, lambda _stack, _function, _alias: None, ())
    with _told(path, file):
        module = _executed(path)
    add: Any = getattr(module, "add", None)
    if not callable(add):
        raise UsageError(f"{file}: must have a function add(stack, function, alias), which adds what it needs")

    def checked(stack: cdk.Stack, function: lambda_.Function, alias: lambda_.Alias) -> None:
        with _told(path, file):
            add(stack, function, alias)

    return Infrastructure(file, checked, _services(getattr(module, "SERVICES", {}), file))


def read(infrastructure: Infrastructure, resources: Resources) -> Needs:
    """Return what a function needs, by the resources of its stack.

    Raises:
        UsageError: its role is granted actions of no known service, or of all, or a resource has a name of its own.
    """
    _check_names(infrastructure, resources)
    named = {each.prefix: each for each in infrastructure.services}
    found: set[Service] = {*infrastructure.services}
    for action in sorted(_actions(resources)):
        prefix = action.partition(":")[0]
        if prefix == "*":
            raise UsageError(f"{infrastructure.file}: grants the function every action; name the services' actions")
        try:
            found.add(named.get(prefix) or service(prefix))
        except UsageError as error:
            example = f'SERVICES = {{"{prefix}": ("what boto3 calls it", "its VPC endpoint")}}'
            raise UsageError(f"{infrastructure.file}: grants {action}, and {error}; say {example} there") from error
    return Needs(tuple(sorted(found, key=lambda each: each.prefix)), resources)


def _services(given: object, file: str) -> tuple[Service, ...]:
    text = (
        f'{file}: SERVICES must be as in {{"iot": ("iot-data", "iot.data")}}: what actions of the service begin with, '
        "what boto3 calls it, and the name of its VPC endpoint, or None"
    )
    if not isinstance(given, dict):
        raise UsageError(text)
    found: list[Service] = []
    for item in cast("dict[object, object]", given).items():
        match item:
            case (str(prefix), (str(client), (str() | None) as endpoint)):
                is_gateway = endpoint in ("dynamodb", "s3")
                found.append(Service(prefix, (client,), endpoint, is_gateway))
            case _:
                raise UsageError(f"{text}; it has {item!r}")
    return tuple(found)


def _check_names(infrastructure: Infrastructure, resources: Resources) -> None:
    """Refuse names that another environment or preview would have as well, and that no policy allows."""
    stack = _function(resources)["FunctionName"]
    for each in resources.values():
        kind = each["Type"].rpartition("::")[2]
        for key in ("Name", f"{kind}Name") if each["Type"] not in _NAMED_WITHIN else ():
            name = each.get("Properties", {}).get(key)
            if isinstance(name, str) and not name.startswith((stack, f"/{stack}")):
                raise UsageError(
                    f"{infrastructure.file}: names a {kind} {name}, as another environment would name its own; leave "
                    'the name to CloudFormation, or let it begin with f"{stack.stack_name}-"'
                )


def _function(resources: Resources) -> Mapping[str, Any]:
    """Return the properties of the durable function."""
    (found,) = (
        each["Properties"]
        for each in resources.values()
        if each["Type"] == "AWS::Lambda::Function" and "DurableConfig" in each["Properties"]
    )
    return found


def _actions(resources: Resources) -> set[str]:
    """Return the actions that the function's own role is granted in its stack."""
    role = _function(resources)["Role"]["Fn::GetAtt"][0]
    documents = [each["PolicyDocument"] for each in resources[role]["Properties"].get("Policies", [])]
    for each in resources.values():
        if each["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            properties = each["Properties"]
            if {"Ref": role} in properties.get("Roles", []):
                documents.append(properties["PolicyDocument"])
    listed = (statement.get("Action", []) for document in documents for statement in document["Statement"])
    return {action for each in listed for action in ([each] if isinstance(each, str) else each)}


def _executed(path: Path) -> ModuleType:
    """Execute a module that is imported by nobody; it may import what stands in functions/."""
    module = ModuleType(f"{path.parent.name}.infrastructure")
    module.__file__ = str(path)
    folder = str(path.parents[1])
    sys.path.insert(0, folder)
    try:
        exec(compile(path.read_bytes(), path, "exec"), module.__dict__)  # noqa: S102 - it is the team's own code
    finally:
        sys.path.remove(folder)
    return module


@contextmanager
def _told(path: Path, file: str) -> Generator[None]:
    """Say where in the file something failed, instead of a traceback through ours and jsii's."""
    try:
        yield
    except SyntaxError as error:
        raise UsageError(f"{file}:{error.lineno}: is not Python: {error.msg}") from error
    except Exception as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        place = f"{file}:{lines[-1]}" if lines else file
        # What jsii reports has a trace of its own below the first line.
        message = str(error).partition("\n")[0]
        raise UsageError(f"{place}: {type(error).__name__}: {message}") from error
