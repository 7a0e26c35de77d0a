"""The command line: what wrong input gets, and with which exit code."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from infra.errors import CommandError, UsageError
from infra.pipeline import build
from infra.pipeline.__main__ import COMMANDS, main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert "--environment" in capsys.readouterr().out


def test_an_unknown_environment_is_named_with_those_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--environment", "nowhere"]) == 2
    error = capsys.readouterr().err
    assert "nowhere" in error
    assert "dev, local, preview, prod" in error


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (UsageError("the digest is wrong"), 2, "the digest is wrong"),
        (CommandError("the stack failed"), 1, "the stack failed"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetRole"), 1, "AWS: "),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
)
def test_each_kind_of_failure_has_its_exit_code_and_no_traceback(
    raised: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build, "run", Mock(side_effect=raised))
    assert main(["build", "--environment", "dev"]) == code
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5"])
def test_a_pull_request_is_a_positive_number(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["build", "--environment", "preview", "--pull-request", number])
    assert end.value.code == 2
    assert "--pull-request" in capsys.readouterr().err


def test_a_deployment_without_an_assembly_touches_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deploy", "--environment", "dev", "--assembly", str(tmp_path)]) == 2
    assert "holds no cloud assembly" in capsys.readouterr().err


def test_an_assembly_that_is_not_what_was_built_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"artifacts": {}}))
    opened = Mock()
    monkeypatch.setattr("infra.pipeline.deploy.open_session", opened)
    assert main(["deploy", "--environment", "dev", "--assembly", str(tmp_path), "--digest", "0" * 64]) == 2
    assert "is not what was built" in capsys.readouterr().err
    opened.assert_not_called()


@pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("{", "is not JSON"), (b"\xff", "is not JSON")])
def test_an_order_that_can_not_be_read_is_refused_before_anything_is_asked_of_aws(
    content: Any, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    order = tmp_path / "order.json"
    if content is not None:
        order.write_bytes(content if isinstance(content, bytes) else content.encode())
    opened = Mock()
    monkeypatch.setattr("infra.pipeline.invoke.open_session", opened)
    assert main(["invoke", "--environment", "dev", "--order", str(order)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert str(order) in error
    opened.assert_not_called()
