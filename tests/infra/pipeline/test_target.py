"""Which role a workflow assumes, and where."""

import pytest

from infra.environment import Environment
from infra.errors import UsageError
from infra.pipeline import target as command
from infra.policies.purposes import PURPOSES
from infra.project import LOCAL
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import run, target, told
from tests.infra.fakes.environments import ACCOUNT, DEV, PREVIEW, REGION, environment


@pytest.mark.parametrize("environment", [DEV, PREVIEW], ids=lambda each: each.name)
@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_role_of_each_purpose_is_told_without_asking_aws(environment: Environment, purpose: str) -> None:
    aws = FakeAws()
    report = run(command, target(aws, environment), "--purpose", purpose)
    role = f"arn:aws:iam::{ACCOUNT}:role/acme-access-{environment.name}-{purpose}"
    assert report.facts == {"account": ACCOUNT, "region": REGION, "role": role}
    assert told(report) == f"{role} in {REGION}\n"
    assert aws.calls == []


def test_an_environment_of_no_workflow_is_refused() -> None:
    with pytest.raises(UsageError, match=f"no workflow works on {LOCAL}: project.toml has dev, prod, preview for them"):
        run(command, target(FakeAws(), environment(LOCAL)), "--purpose", "teardown")


def test_another_purpose_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(command, target(FakeAws(), DEV), "--purpose", "own")
    assert end.value.code == 2
    assert "invalid choice: 'own'" in capsys.readouterr().err
