"""Each line of the doctor in its states, what comes next, and when a deployment could begin."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra import limits, naming
from infra.aws import quotas
from infra.aws.target import Target
from infra.environment import Environment
from infra.errors import CommandError, UsageError
from infra.pipeline import doctor
from infra.pipeline.bootstrap import VARIANT
from infra.policies import purposes, trust
from infra.policies.resources import toolkit_roles
from tests.infra.fakes import assemblies
from tests.infra.fakes.access import access, deployed
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.base import Answer, AwsError
from tests.infra.fakes.commands import facts, run, target, told
from tests.infra.fakes.environments import DEV, PREVIEW

NAME, PLATFORM, PROVIDER = "acme-dev-billing", "acme-platform-dev", "arn:aws:lambda:x:capacity-provider:x"
DEPLOY = "python -m infra.pipeline deploy --environment dev"
MAKE = {name: f"make {name} ENVIRONMENT=dev" for name in ("access", "bootstrap", "synth")}


class Account(FakeAws):
    """An account in which an environment is deployed."""

    def __init__(self, environment: Environment = DEV) -> None:
        super().__init__()
        self.quotas = {quotas.VCPUS.code: 640.0, quotas.STARTS.code: 300.0}
        self.roles = {purposes.role(environment, purpose) for purpose in purposes.PURPOSES}
        self.providers[trust.provider_arn(self.account)] = [trust.AUDIENCE]
        deployed(naming.access_stack(environment), access(environment), self)
        made = [{"LogicalResourceId": "x", "ResourceType": "AWS::IAM::ManagedPolicy"}]
        arn = f"arn:aws:iam::{self.account}:policy/{naming.execution_policy(environment)}"
        self.formation.resources[naming.access_stack(environment)] = [made[0] | {"PhysicalResourceId": arn}]
        (role,) = toolkit_roles(environment, "cfn-exec")
        self.attached[role.rpartition("/")[2]] = [naming.execution_policy(environment)]
        variant = {"ParameterKey": "BootstrapVariant", "ParameterValue": VARIANT}
        self.toolkit = self.formation.stack(naming.toolkit_stack(environment), {}, Parameters=[variant])
        self.platform = self.formation.stack(
            naming.platform_stack(environment), {}, outputs={"CapacityProviderArn": PROVIDER}
        )
        self.lambda_.on_provider[PROVIDER] = ["x:1"]
        if not environment.hosts_previews:
            self.formation.stack(NAME, {})

    def get_service_quota(self, parameters: Answer) -> Answer:
        code = parameters["QuotaCode"]
        if code not in self.quotas:
            raise AwsError("NoSuchResourceException", code)
        return {"Quota": {"QuotaName": "a name", "Value": self.quotas[code]}}

    def get_role(self, parameters: Answer) -> Answer:
        name = parameters["RoleName"]
        if name not in self.roles:
            raise AwsError("NoSuchEntity", name)
        made = {"Path": "/", "RoleName": name, "RoleId": "x" * 16, "Arn": "x" * 20, "CreateDate": self.clock.now()}
        return {"Role": made}


def look(aws: FakeAws, folder: Path, environment: Environment = DEV) -> Any:
    """Return the report on an account, for which everything is built."""
    on = target(aws, environment)
    return run(doctor, on, "--assembly", str(assemblies.write(folder, on)))


def line(report: Any, what: str) -> dict[str, Any]:
    (found,) = (each for each in facts(report)["lines"] if each["what"] == what)
    return found


def in_status(name: str, status: str) -> Callable[[Account], object]:
    return lambda aws: aws.formation.stacks[name].update(StackStatus=status)


def without_stack(name: str) -> Callable[[Account], object]:
    return lambda aws: aws.formation.stacks.pop(name)


def test_where_everything_is_there_a_deployment_can_begin_and_nothing_is_written(tmp_path: Path) -> None:
    aws = Account()
    report = look(aws, tmp_path)
    assert {each["state"] for each in facts(report)["lines"]} == {"ok"}, told(report)
    assert (report.code, facts(report)["ready"], facts(report)["next"]) == (0, True, None)
    assert told(report).endswith("Nothing is in the way: a merge into main deploys it\n")
    assert all(operation.startswith(("Get", "List", "Describe")) for operation, _ in aws.calls)


Change = Callable[[Account], object]

IN_THE_WAY: list[tuple[str, Change, str]] = [
    ("quota of vCPUs", lambda aws: aws.quotas.update({quotas.VCPUS.code: 32.0}), "aws service-quotas request-"),
    ("identity provider", lambda aws: aws.providers.clear(), MAKE["access"]),
    ("identity provider", lambda aws: next(iter(aws.providers.values())).clear(), "aws iam add-client-id-to-open-id-"),
    ("access", without_stack("acme-access-dev"), MAKE["access"]),
    ("access", in_status("acme-access-dev", "ROLLBACK_COMPLETE"), MAKE["access"]),
    ("roles", lambda aws: aws.roles.pop(), MAKE["access"]),
    ("rights", lambda aws: deployed("acme-access-dev", {"Resources": {}}, aws), MAKE["access"]),
    ("rights", lambda aws: next(iter(aws.attached.values())).clear(), MAKE["bootstrap"]),
    ("bootstrap", without_stack(naming.toolkit_stack(DEV)), MAKE["bootstrap"]),
    ("bootstrap", lambda aws: aws.toolkit["Parameters"].clear(), MAKE["bootstrap"]),
    (
        "versions",
        lambda aws: aws.lambda_.on_provider[PROVIDER].extend(["x:1"] * 99),
        "python -m infra.pipeline prune",
    ),
    ("platform", in_status(PLATFORM, "UPDATE_ROLLBACK_FAILED"), "aws cloudformation continue-update-rollback"),
    ("billing", in_status(NAME, "DELETE_FAILED"), f"aws cloudformation delete-stack --stack-name {NAME}"),
    ("billing", in_status(NAME, "UPDATE_FAILED"), f"aws cloudformation rollback-stack --stack-name {NAME}"),
]


@pytest.mark.parametrize(("what", "change", "command"), IN_THE_WAY)
def test_what_is_in_the_way_is_missing_with_the_command_that_mends_it(
    what: str, change: Callable[[Account], object], command: str, tmp_path: Path
) -> None:
    aws = Account()
    change(aws)
    report = look(aws, tmp_path)
    assert line(report, what)["state"] == "missing", told(report)
    assert line(report, what)["command"].startswith(command)
    assert report.code == 1
    assert facts(report)["next"].startswith(command)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("platform", without_stack(PLATFORM)),
        ("billing", without_stack(NAME)),
        ("billing", in_status(NAME, "ROLLBACK_COMPLETE")),
        ("billing", in_status(NAME, "REVIEW_IN_PROGRESS")),
    ],
)
def test_what_a_deployment_makes_is_in_no_ones_way(
    what: str, change: Callable[[Account], object], tmp_path: Path
) -> None:
    aws = Account()
    change(aws)
    report = look(aws, tmp_path)
    assert line(report, what)["state"] == "missing"
    assert (report.code, facts(report)["next"]) == (0, DEPLOY)
    assert f"Next: {DEPLOY}" in told(report)


def test_before_a_first_deployment_the_commands_follow_each_other(tmp_path: Path) -> None:
    aws, wanted = Account(), []
    for stack in (naming.toolkit_stack(DEV), naming.access_stack(DEV), PLATFORM, NAME):
        aws.formation.stacks.pop(stack)
    templates, aws.roles = aws.roles, set()
    wanted.append(facts(look(aws, tmp_path))["next"])
    aws.roles = templates
    deployed(naming.access_stack(DEV), access(DEV), aws)
    wanted.append(facts(look(aws, tmp_path))["next"])
    aws.formation.stacks[naming.toolkit_stack(DEV)] = aws.toolkit
    wanted.append(facts(look(aws, tmp_path))["next"])
    assert wanted == [MAKE["access"], MAKE["bootstrap"], DEPLOY]


@pytest.mark.parametrize(
    ("what", "operation"),
    [
        ("region", "ListCapacityProviders"),
        ("identity provider", "GetOpenIDConnectProvider"),
        ("access", "DescribeStacks"),
        ("roles", "GetRole"),
        ("versions", "ListFunctionVersionsByCapacityProvider"),
    ],
)
def test_what_is_denied_can_not_be_told_and_nothing_could_begin(what: str, operation: str, tmp_path: Path) -> None:
    aws = Account()
    aws.deny(operation)
    report = look(aws, tmp_path)
    assert line(report, what)["state"] == "can't tell"
    assert line(report, what)["told"] == f"not for these credentials to read: {operation}"
    assert (report.code, facts(report)["next"]) == (1, None)
    assert "Next: see above, no command can do it" in told(report)


def test_a_deployment_is_not_what_comes_next_while_something_is_in_its_way(tmp_path: Path) -> None:
    aws = Account()
    aws.formation.stacks.pop(NAME)
    aws.deny("ListCapacityProviders")
    report = look(aws, tmp_path)
    assert line(report, "billing")["command"] == DEPLOY
    assert (report.code, facts(report)["next"]) == (1, None)


def test_a_quota_that_can_not_be_read_keeps_nobody_from_deploying(tmp_path: Path) -> None:
    aws = Account()
    aws.quotas.clear()
    report = look(aws, tmp_path)
    assert {line(report, what)["state"] for what in ("quota of vCPUs", "quota of starts")} == {"can't tell"}
    assert (report.code, facts(report)["next"]) == (0, None)
    assert "Nothing is in the way" in told(report)


def test_what_somebody_deploys_at_this_moment_is_waited_for(tmp_path: Path) -> None:
    aws = Account()
    in_status(NAME, "UPDATE_IN_PROGRESS")(aws)
    report = look(aws, tmp_path)
    assert line(report, "billing")["state"] == "can't tell"
    assert line(report, "billing")["told"] == f"{NAME} is UPDATE_IN_PROGRESS: wait until that has ended"
    assert report.code == 1


def test_rights_can_not_be_told_of_what_is_not_built(tmp_path: Path) -> None:
    report = run(doctor, target(Account(), DEV), "--assembly", str(tmp_path))
    assert line(report, "rights")["state"] == "can't tell"
    assert (report.code, facts(report)["next"]) == (1, MAKE["synth"])


def test_what_is_not_deployed_has_no_versions(tmp_path: Path) -> None:
    aws = Account()
    aws.formation.stacks.pop(PLATFORM)
    assert line(look(aws, tmp_path), "versions")["told"] == "there is no capacity provider yet"


def test_as_many_versions_as_a_provider_takes_leave_room_for_none(tmp_path: Path) -> None:
    aws = Account()
    for free, state in ((1, "ok"), (0, "missing")):
        aws.lambda_.on_provider[PROVIDER] = ["x:1"] * (limits.CAPACITY_PROVIDER_VERSIONS - free)
        assert line(look(aws, tmp_path), "versions")["state"] == state


def test_below_previews_the_platform_is_a_persons(tmp_path: Path) -> None:
    aws = Account(PREVIEW)
    assert look(aws, tmp_path, PREVIEW).code == 0
    aws.formation.stacks.pop("acme-platform-preview")
    report = look(aws, tmp_path, PREVIEW)
    assert (report.code, facts(report)["next"]) == (1, "make platform ENVIRONMENT=preview")
    assert "billing" not in [each["what"] for each in facts(report)["lines"]]


@pytest.mark.parametrize(
    ("raised", "state"),
    [(UsageError("no usable AWS credentials"), "missing"), (CommandError("AWS can't be reached"), "can't tell")],
)
def test_without_credentials_nothing_else_is_asked(
    raised: Exception, state: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(_: Environment) -> None:
        raise raised

    monkeypatch.setattr("infra.aws.target.open_session", refuse)
    report = run(doctor, Target(DEV), "--assembly", str(tmp_path))
    (found,) = facts(report)["lines"]
    assert (found["what"], found["state"], found["told"]) == ("credentials", state, str(raised))
    assert report.code == 1


def test_what_no_workflow_may_make_is_told_as_what_is_in_the_way(tmp_path: Path) -> None:
    on = target(Account(), DEV)
    folder = assemblies.write(tmp_path, on)
    user: dict[str, Any] = {"Type": "AWS::IAM::User", "Properties": {}}
    (folder / f"{NAME}.template.json").write_text(json.dumps({"Resources": {"User": user}}))
    report = run(doctor, on, "--assembly", str(folder))
    assert line(report, "rights")["state"] == "missing", told(report)
    assert "AWS::IAM::User" in line(report, "rights")["told"]
    assert report.code == 1
