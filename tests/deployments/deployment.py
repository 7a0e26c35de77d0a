"""What the deployments share: assemblies of the local environment, and orders to send through it."""

import json
import shutil
from pathlib import Path
from uuid import uuid4

import aws_cdk
import pytest

from infra import app, bundle, naming
from infra.aws.execution import Execution
from infra.aws.function import DeployedFunction
from infra.environment import load

ENVIRONMENT = load("local")
FUNCTION = naming.orders_stack("local")
PLATFORM = naming.platform_stack("local")

DEADLINE_SECONDS = 60


def synthesize(folder: Path, status: str = "processed", commit: str = "0" * 40) -> Path:
    """Build the local environment's assembly, from a function that answers with this status."""
    functions = Path(shutil.copytree(bundle.FUNCTIONS, folder / "functions"))
    handler = functions / "orders" / "handler.py"
    source = handler.read_text()
    assert '"status": "processed"' in source
    handler.write_text(source.replace('"status": "processed"', f'"status": "{status}"'))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "FUNCTIONS", functions)
        patch.setattr(bundle, "BUILT", folder / "bundle")
        context = {"environment": "local", "commit": commit}
        built = aws_cdk.App(outdir=str(folder / "assembly"), context=context)
        app.build(built)
        built.synth()
    return folder / "assembly"


def name() -> str:
    """Return an order id that no other test uses."""
    return f"test-{uuid4().hex[:12]}"


def order(identifier: str) -> bytes:
    """Return the event of an order."""
    return json.dumps({"orderId": identifier}).encode()


def start(function: DeployedFunction, identifier: str) -> str:
    """Start an order's execution, named like it."""
    return function.start(identifier, order(identifier))


def follow(function: DeployedFunction, arn: str) -> Execution:
    """Follow an execution to its end."""
    return function.follow(arn, DEADLINE_SECONDS)
