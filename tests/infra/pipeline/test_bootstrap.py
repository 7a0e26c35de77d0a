"""The bootstrap template of the CDK CLI that is installed, as it is narrowed, and what is done with it."""

import copy
import json
from collections.abc import Sequence
from contextlib import nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from infra import naming
from infra.aws.cdk import cdk
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.pipeline import bootstrap
from infra.pipeline.bootstrap import VARIANT, narrow
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import facts, run, target, typed
from tests.infra.fakes.environments import ACCOUNT, DEV, PREVIEW, PROD, REGION

POLICY = f"arn:aws:iam::{ACCOUNT}:policy/acme-access-dev-execution"


@cache
def original() -> dict[str, Any]:
    """The template of the CDK CLI that is installed here."""
    return json.loads(cdk(["bootstrap", "--show-template", "--json"], log="test-bootstrap-template"))


def deploy_statements(environment: Environment) -> list[dict[str, Any]]:
    role = narrow(original(), environment)["Resources"]["DeploymentActionRole"]["Properties"]
    assert "ManagedPolicyArns" not in role
    [policy] = role["Policies"]
    return policy["PolicyDocument"]["Statement"]


def stacks(*names: str) -> list[str]:
    return [f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/*" for name in names]


@pytest.mark.parametrize(
    ("environment", "own"),
    [
        (DEV, stacks("acme-platform-dev", "acme-dev-*")),
        (PREVIEW, stacks("acme-pr-*")),
        (PROD, stacks("acme-platform-prod", "acme-prod-*")),
    ],
    ids=["dev", "preview", "prod"],
)
def test_the_deploy_role_may_change_its_environments_stacks_and_no_others(
    environment: Environment, own: list[str]
) -> None:
    for statement in deploy_statements(environment):
        called = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        if any(action.startswith("cloudformation:") for action in called):
            reads = all(action.endswith("*") for action in called)
            toolkit = stacks(naming.toolkit_stack(environment)) if reads else []
            assert statement["Resource"] == own + toolkit
        assert "*" not in statement["Resource"]


def test_what_nothing_here_uses_is_not_made() -> None:
    narrowed = narrow(original(), DEV)
    assert not [kind for kind in (r["Type"] for r in narrowed["Resources"].values()) if kind.startswith("AWS::ECR")]
    assert not {"LookupRole", "ImagePublishingRole"} & set(narrowed["Resources"])
    assert "ReadOnlyAccess" not in json.dumps(narrowed)


def test_what_is_left_refers_to_nothing_that_is_gone() -> None:
    text = json.dumps(narrow(original(), DEV))
    for name in ("ContainerAssetsRepository", "ImagePublishingRole", "LookupRole"):
        assert f'"Ref": "{name}"' not in text
        assert f"${{{name}" not in text


def test_the_clis_own_template_can_not_replace_it() -> None:
    variant = narrow(original(), DEV)["Parameters"]["BootstrapVariant"]["Default"]
    assert variant == VARIANT != original()["Parameters"]["BootstrapVariant"]["Default"]


def test_the_clis_template_is_left_as_it_was() -> None:
    before = copy.deepcopy(original())
    narrow(original(), DEV)
    assert original() == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DeployPermissions", "DeploymentPermissions", "the statements of DeploymentActionRole are"),
        ("AWSCloudFormationReadOnlyAccess", "ReadOnlyAccess", "does not have the managed policy"),
        ('"DeploymentActionRole"', '"DeployRole"', "it has no DeploymentActionRole"),
        ('"LookupRole"', '"Lookup"', "it has no LookupRole"),
        ("BootstrapVariant", "Variant", "it has no BootstrapVariant"),
    ],
)
def test_another_template_of_the_cli_is_refused(old: str, new: str, message: str) -> None:
    text = json.dumps(original())
    assert old in text
    with pytest.raises(CommandError, match=r"another than infra/pipeline/bootstrap\.py knows") as failure:
        narrow(json.loads(text.replace(old, new)), DEV)
    assert message in str(failure.value)


def test_a_further_statement_of_the_deploy_role_is_refused() -> None:
    template = copy.deepcopy(original())
    [policy] = template["Resources"]["DeploymentActionRole"]["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"].append({"Sid": "New", "Effect": "Allow", "Action": "*", "Resource": "*"})
    with pytest.raises(CommandError, match="New"):
        narrow(template, DEV)


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[list[str], Any]]:
    """What the CDK CLI is told, which has nothing but its template, and with which session."""
    ran: list[tuple[list[str], Any]] = []

    def run_cdk(arguments: Sequence[str], *, session: Any = None, **_: Any) -> str:
        ran.append((list(arguments), session))
        return json.dumps(original())

    monkeypatch.setattr(bootstrap, "cdk", run_cdk)
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    return ran


@pytest.mark.parametrize("further", [[], [f"{POLICY}-2", f"{POLICY}-3"]])
def test_the_narrowed_template_is_deployed_with_the_environments_own_policies(
    ran: list[tuple[list[str], Any]], tmp_path: Path, further: list[str]
) -> None:
    aws = FakeAws()
    policies = [POLICY, *further]
    aws.policies.update([*policies, f"{POLICY}-5"])
    on = target(aws, DEV)
    place, path = f"aws://{ACCOUNT}/{REGION}", tmp_path / "build" / "bootstrap" / "dev.json"
    assert facts(run(bootstrap, on, "--yes")) == {
        "bootstrapped": place,
        "stack": naming.toolkit_stack(DEV),
        "execution_policies": policies,
    }
    (shown, nobody), (deployed, session) = ran
    assert (shown, nobody) == (["bootstrap", "--show-template", "--json"], None)
    assert session is on.session
    assert deployed[:2] == ["bootstrap", place]
    assert dict(zip(deployed[2::2], deployed[3::2], strict=True)) == {
        "--template": str(path),
        "--qualifier": naming.qualifier(DEV),
        "--toolkit-stack-name": naming.toolkit_stack(DEV),
        "--cloudformation-execution-policies": ",".join(policies),
    }
    assert json.loads(path.read_text()) == narrow(original(), DEV)


def test_without_a_policy_nothing_is_begun_and_it_says_what_makes_it(ran: list[tuple[list[str], Any]]) -> None:
    with pytest.raises(CommandError, match=f"{POLICY} does not exist; `make access ENVIRONMENT=dev`"):
        run(bootstrap, target(FakeAws(), DEV), "--yes")
    assert ran == []


@pytest.mark.parametrize(("answer", "deployed"), [("n", []), ("", []), ("y", ["bootstrap"])])
def test_what_it_would_change_is_shown_and_asked_about(
    answer: str,
    deployed: list[str],
    ran: list[tuple[list[str], Any]],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    aws = FakeAws()
    aws.policies.update([POLICY, f"{POLICY}-2"])
    on = target(aws, DEV)
    typed(monkeypatch, answer)
    with nullcontext() if deployed else pytest.raises(CommandError, match="nothing was changed"):
        run(bootstrap, on)
    _, (compared, session), *rest = ran
    assert compared[:3] == ["diff", "--no-change-set", naming.toolkit_stack(DEV)]
    assert session is on.session
    assert [arguments[0] for arguments, _ in rest] == deployed
    printed = capfd.readouterr()
    assert "DeploymentActionRole" in printed.err
    assert printed.out == f"Prepare aws://{ACCOUNT}/{REGION} so, with {POLICY}, {POLICY}-2 for what deploys dev? [y/N] "


def test_where_nobody_can_be_asked_nothing_is_begun(ran: list[tuple[list[str], Any]]) -> None:
    aws = FakeAws()
    with pytest.raises(UsageError, match="--yes"):
        run(bootstrap, target(aws, DEV))
    assert (aws.calls, ran) == ([], [])


def test_the_cli_takes_the_assembly_that_it_is_to_compare(tmp_path: Path) -> None:
    bootstrap.assemble(tmp_path, DEV, narrow(original(), DEV))
    (nothing := tmp_path / "deployed.json").write_text("{}")
    compared = ["diff", naming.toolkit_stack(DEV), "--app", str(tmp_path), "--template", str(nothing)]
    changes = cdk(compared, log="test-bootstrap-diff")
    assert "[+] AWS::IAM::Role DeploymentActionRole" in changes
    assert "LookupRole" not in changes
