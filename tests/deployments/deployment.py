"""What the deployments share: assemblies of the local environment, and executions of its functions.

Everything is called as the checkout's own files say, so that these are the tests of any fork.
"""

import json
from pathlib import Path
from uuid import uuid4

from infra import budgets, contract, naming
from infra.aws.execution import Execution
from infra.aws.function import DeployedFunction
from infra.environment import load
from infra.project import LOCAL
from tests.checkout import FOLDER, Tree

ENVIRONMENT = load(LOCAL)
FUNCTION = naming.function(ENVIRONMENT, FOLDER)
PLATFORM = naming.platform_stack(ENVIRONMENT)
WHOLE = naming.whole(ENVIRONMENT)

FUNCTIONS = [naming.function(ENVIRONMENT, each) for each in ENVIRONMENT.function_names]


def synthesize(folder: Path, code: str = "", commit: str = "0" * 40) -> Path:
    """Build the local environment's assembly, with code added to the function that tests change."""
    tree = Tree(folder)
    tree.append(code)
    return tree.build(folder, commit)


def name() -> str:
    """Return the name of an execution that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


def event(identifier: str, folder: str = FOLDER) -> bytes:
    """Return the event of an execution of that name, as its function's contract has it."""
    return json.dumps(contract.load(folder).event_of(identifier)).encode()


def start(function: DeployedFunction, identifier: str) -> str:
    """Start an execution."""
    return function.start(identifier, event(identifier))


def follow(function: DeployedFunction, arn: str) -> Execution:
    """Follow an execution to its end."""
    return function.follow(arn, budgets.SMOKE)
