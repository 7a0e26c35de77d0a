"""Prod as its file has it, on the local AWS: it has another network than the environments of the other deployments."""

from pathlib import Path

import pytest

from infra.environment import load
from infra.local.aws import LocalAws
from infra.pipeline.__main__ import main


def test_prod_can_be_deployed_and_keeps_the_promises_of_an_order(
    aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = load("prod")
    for key, value in aws.environ(environment.account, environment.region).items():
        monkeypatch.setenv(key, value)
    assembly = str(tmp_path / "assembly")
    commands = [
        ["access", "--yes"],
        ["bootstrap"],
        ["build", "--output", assembly],
        ["deploy", "--assembly", assembly],
        ["smoke"],
    ]
    codes = [main([*command, "--environment", "prod"]) for command in commands]
    assert codes == [0] * len(commands)
