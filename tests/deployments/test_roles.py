"""What the roles can do and can't, on the local AWS with IAM enforced: the commands that the workflows run.

The local CloudFormation makes resources without asking IAM, so what its execution role may do is asked of IAM itself.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError

from infra import ROOT, repository
from infra.environment import load, of_account
from infra.local.aws import LocalAws
from infra.policies import execution as execution_policies
from infra.policies.drift import watched_stacks
from infra.policies.purposes import Purpose, role_arn
from tests.access.jobs import assume, assume_further, issued, session

REGION = "eu-west-1"
ACCOUNT = "111111111111"
TEMPLATE = '{"Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}}}'

# A deployment takes seconds, so the tests that share one run on one worker.
pytestmark = pytest.mark.xdist_group("access-roles")


class Accounts:
    """The accounts of dev, preview and prod, and the pipeline's commands in them."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self.aws = aws
        self._folder = folder

    def as_person(self, environment: str, *command: str) -> None:
        """Run a command with the credentials of the account's owner."""
        done = self._run(environment, command, {})
        assert done.returncode == 0, done.stderr

    def as_workflow(self, environment: str, purpose: Purpose, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command with the credentials of the job that is meant for it."""
        credentials = self._assume(environment, purpose)
        return self._run(environment, command, credentials)

    def session(self, environment: str, purpose: Purpose, bootstrap_role: str | None = None) -> boto3.Session:
        """Return the session of such a job, or that of a role of the bootstrap that it assumes."""
        credentials = self._assume(environment, purpose)
        if bootstrap_role:
            credentials = assume_further(self.aws, credentials, cdk_role(environment, bootstrap_role))
        return session(self.aws, credentials)

    def owner(self, environment: str) -> boto3.Session:
        """Return the session of the account's owner."""
        return self.aws.session(load(environment).account, REGION)

    def assembly(self, environment: str) -> list[str]:
        """Return the option by which commands write and read an environment's assembly."""
        return [str(self._folder / environment)]

    def _assume(self, environment: str, purpose: Purpose) -> dict[str, str]:
        claims = issued(environment, purpose, repository.load())
        return assume(self.aws, role_arn(load(environment), purpose), claims)

    def _run(
        self, environment: str, command: Sequence[str], credentials: dict[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        environ = os.environ | self.aws.environ(load(environment).account, REGION) | credentials
        return subprocess.run(
            [sys.executable, "-m", "infra.pipeline", *command, "--environment", environment],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )


def cdk_role(environment: str, role: str) -> str:
    account, qualifier = load(environment).account, load(environment).qualifier
    return f"arn:aws:iam::{account}:role/cdk-{qualifier}-{role}-role-{account}-{REGION}"


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """Both accounts as a person leaves them: access, a bootstrap per environment, and the platform of previews."""
    with LocalAws.start(tmp_path_factory.mktemp("roles"), enforce_iam=True) as aws:
        accounts = Accounts(aws, tmp_path_factory.mktemp("assemblies"))

        def prepare(environments: Sequence[str]) -> None:
            accounts.as_person(environments[0], "access", "--yes")
            for environment in environments:
                accounts.as_person(environment, "bootstrap")

        with ThreadPoolExecutor() as pool:
            list(pool.map(prepare, [["dev", "preview"], ["prod"]]))
        accounts.as_person("preview", "build", "--output", *accounts.assembly("preview"))
        accounts.as_person("preview", "deploy", "--assembly", *accounts.assembly("preview"))
        yield accounts


@pytest.fixture(scope="module")
def deployed(accounts: Accounts) -> Accounts:
    """The same once workflows have deployed dev, and the preview of pull request 7."""

    def deploy(arguments: Sequence[str]) -> None:
        environment, *pull_request = arguments
        place = accounts.assembly(environment + "".join(pull_request))
        accounts.as_person(environment, "build", *pull_request, "--output", *place)
        done = accounts.as_workflow(environment, "deploy", "deploy", *pull_request, "--assembly", *place)
        assert done.returncode == 0, done.stderr

    with ThreadPoolExecutor() as pool:
        list(pool.map(deploy, [["dev"], ["preview", "--pull-request", "7"]]))
    return accounts


def refused(call: Callable[[], object]) -> None:
    with pytest.raises(ClientError) as failure:
        call()
    assert failure.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def untyped(session: boto3.Session, service: str) -> Any:
    """Return the client of a service whose types are not installed."""
    return cast("Any", session).client(service)


def policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement]})


def stacks(session: boto3.Session) -> dict[str, str]:
    return {
        stack["StackName"]: stack["StackStatus"]
        for stack in session.client("cloudformation").describe_stacks()["Stacks"]
    }


def decisions(accounts: Accounts, role: str, actions: Sequence[str], resource: str) -> set[str]:
    """Ask IAM what the policies of a role say of actions on a resource."""
    client: Any = accounts.aws.session(role.split(":")[4], REGION).client("iam")
    answer = client.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions, ResourceArns=[resource])
    return {result["EvalDecision"] for result in answer["EvaluationResults"]}


def test_workflows_deploy_dev_and_previews_by_their_roles(deployed: Accounts) -> None:
    found = stacks(deployed.owner("dev"))
    for name in ("platform-dev", "orders-dev", "orders-pr-7"):
        assert found[name] == "CREATE_COMPLETE"


def test_a_smoke_order_runs_with_the_deploy_role(deployed: Accounts) -> None:
    done = deployed.as_workflow("dev", "deploy", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    done = deployed.as_workflow("preview", "deploy", "smoke", "--pull-request", "7")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_alias_goes_back_with_the_deploy_role(deployed: Accounts) -> None:
    done = deployed.as_workflow("dev", "deploy", "roll-back", "--version", "1")
    assert done.returncode == 0, done.stderr


def test_changes_are_shown_with_the_read_role(deployed: Accounts) -> None:
    done = deployed.as_workflow("dev", "read", "diff", "--assembly", *deployed.assembly("dev"))
    assert done.returncode == 0, done.stderr


def test_a_preview_is_removed_with_the_teardown_role(deployed: Accounts) -> None:
    place = deployed.assembly("preview--pull-request8")
    deployed.as_person("preview", "build", "--pull-request", "8", "--output", *place)
    done = deployed.as_workflow("preview", "deploy", "deploy", "--pull-request", "8", "--assembly", *place)
    assert done.returncode == 0, done.stderr
    done = deployed.as_workflow(
        "preview", "teardown", "teardown", "--pull-request", "8", "--confirm", "orders-pr-8", "--running", "stop"
    )
    assert done.returncode == 0, done.stderr
    assert "orders-pr-8" not in stacks(deployed.owner("preview"))


def test_access_and_bootstrap_can_be_run_again(accounts: Accounts) -> None:
    def made() -> dict[str, str]:
        client = accounts.owner("prod").client("cloudformation")
        resources = client.list_stack_resources(StackName="access")["StackResourceSummaries"]
        return {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in resources}

    before = stacks(accounts.owner("prod")), made()
    accounts.as_person("prod", "access", "--yes")
    accounts.as_person("prod", "bootstrap")
    assert (stacks(accounts.owner("prod")), made()) == before
    assert f"arn:aws:iam::{load('prod').account}:oidc-provider/token.actions.githubusercontent.com" in made().values()


@pytest.mark.parametrize("name", ["orders-dev", "platform-dev", "platform-preview", "orders-production", "anything"])
def test_a_preview_touches_no_stack_but_those_of_previews(deployed: Accounts, name: str) -> None:
    client = deployed.session("preview", "deploy", "deploy").client("cloudformation")
    role = cdk_role("preview", "cfn-exec")
    refused(lambda: client.create_stack(StackName=name, TemplateBody=TEMPLATE, RoleARN=role))
    refused(lambda: client.update_stack(StackName=name, TemplateBody=TEMPLATE, RoleARN=role))
    refused(lambda: client.delete_stack(StackName=name))
    refused(
        lambda: client.create_change_set(StackName=name, TemplateBody=TEMPLATE, ChangeSetName="change", RoleARN=role)
    )
    refused(lambda: client.update_termination_protection(StackName=name, EnableTerminationProtection=False))
    refused(lambda: client.get_template(StackName=name))
    assert name not in stacks(deployed.owner("dev")) or stacks(deployed.owner("dev"))[name] == "CREATE_COMPLETE"


def test_a_preview_makes_nothing_without_cloudformation(deployed: Accounts) -> None:
    for bootstrap_role in (None, "deploy", "file-publishing"):
        made = deployed.session("preview", "deploy", bootstrap_role)
        iam = untyped(made, "iam")
        refused(lambda iam=iam: iam.create_role(RoleName="orders-pr-7-Role1-X", AssumeRolePolicyDocument="{}"))
        lambda_ = made.client("lambda")
        refused(lambda lambda_=lambda_: lambda_.get_function(FunctionName="orders-dev"))
        refused(
            lambda lambda_=lambda_: lambda_.update_alias(FunctionName="orders-dev", Name="live", FunctionVersion="1")
        )
        refused(
            lambda lambda_=lambda_: lambda_.create_function(
                FunctionName="orders-pr-7", Role="arn:aws:iam::111111111111:role/x", Code={"ZipFile": b"x"}
            )
        )


@pytest.mark.parametrize("role", ["deploy", "file-publishing", "cfn-exec", "lookup"])
@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_a_preview_assumes_no_role_of_another_environment(deployed: Accounts, environment: str, role: str) -> None:
    sts = deployed.session("preview", "deploy").client("sts")
    refused(lambda: sts.assume_role(RoleArn=cdk_role(environment, role), RoleSessionName="cdk"))


@pytest.mark.parametrize("environment", ["dev", "preview", "prod"])
def test_no_workflow_assumes_what_cloudformation_runs_with(accounts: Accounts, environment: str) -> None:
    for bootstrap_role in (None, "deploy"):
        sts = accounts.session(environment, "deploy", bootstrap_role).client("sts")
        refused(lambda sts=sts: sts.assume_role(RoleArn=cdk_role(environment, "cfn-exec"), RoleSessionName="cdk"))


# What the execution role of previews may and may not do, as action and resource.
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"
ROLE = f"arn:aws:iam::{ACCOUNT}:role"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:CreateFunction", f"{FUNCTION}:orders-pr-7"),
        ("lambda:UpdateAlias", f"{FUNCTION}:orders-pr-7"),
        ("lambda:PassCapacityProvider", f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:platform-preview-C-X"),
        ("iam:DeleteRole", f"{ROLE}/orders-pr-7-Role1-X"),
        ("logs:CreateLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:orders-pr-7-Logs1-X"),
        ("ssm:GetParameters", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/platform-preview/capacity-provider-arn"),
    ],
)
def test_a_preview_may_be_made(accounts: Accounts, action: str, resource: str) -> None:
    assert decisions(accounts, cdk_role("preview", "cfn-exec"), [action], resource) == {"allowed"}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:CreateFunction", f"{FUNCTION}:anything"),
        ("lambda:UpdateFunctionCode", f"{FUNCTION}:orders-dev"),
        ("lambda:UpdateAlias", f"{FUNCTION}:orders-dev"),
        ("lambda:PassCapacityProvider", f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:platform-dev-C-X"),
        ("lambda:DeleteCapacityProvider", f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:platform-preview-C-X"),
        ("iam:CreateRole", f"{ROLE}/anything"),
        ("iam:CreateRole", f"{ROLE}/orders-dev-Role1-X"),
        ("iam:CreateRole", f"{ROLE}/orders-pr-7-Role1-X"),  # without the permissions boundary
        ("iam:PutRolePolicy", f"{ROLE}/orders-pr-7-Role1-X"),  # of a role without it
        ("iam:PutRolePolicy", f"{ROLE}/orders-preview-deploy"),
        ("iam:PassRole", f"{ROLE}/orders-dev-Role1-X"),
        ("iam:DeleteRolePermissionsBoundary", f"{ROLE}/orders-pr-7-Role1-X"),
        ("ec2:CreateVpc", "*"),
        ("ec2:DeleteVpc", f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/vpc-1"),
        ("logs:DeleteLogGroup", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:orders-dev-Logs1-X"),
        ("ssm:PutParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/platform-preview/capacity-provider-arn"),
        ("s3:GetObject", f"arn:aws:s3:::cdk-orders-dev-assets-{ACCOUNT}-{REGION}/x.zip"),
    ],
)
def test_a_preview_makes_nothing_else(accounts: Accounts, action: str, resource: str) -> None:
    assert decisions(accounts, cdk_role("preview", "cfn-exec"), [action], resource) == {"implicitDeny"}


@pytest.mark.parametrize("environment", ["dev", "preview", "prod"])
def test_what_cloudformation_runs_with_has_the_environments_policy_alone(accounts: Accounts, environment: str) -> None:
    client = untyped(accounts.owner(environment), "iam")
    name = cdk_role(environment, "cfn-exec").rpartition("/")[2]
    attached = client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == [f"orders-{environment}-execution"]
    assert not client.list_role_policies(RoleName=name)["PolicyNames"]


def test_the_boundary_of_previews_holds_whatever_a_role_allows(accounts: Accounts) -> None:
    owner = accounts.owner("preview")
    client = untyped(owner, "iam")
    anything = policy({"Action": "*", "Resource": "*"})
    account = policy({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"})
    boundary = execution_policies.boundary_arn(load("preview"))
    name = "orders-pr-9-Role1-X"
    role = client.create_role(RoleName=name, AssumeRolePolicyDocument=account, PermissionsBoundary=boundary)["Role"][
        "Arn"
    ]
    client.put_role_policy(RoleName=name, PolicyName="anything", PolicyDocument=anything)
    credentials = owner.client("sts").assume_role(RoleArn=role, RoleSessionName="function")["Credentials"]
    key, secret, token = (credentials[part] for part in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    bounded = accounts.aws.session_with(key, secret, token, REGION)
    refused(lambda: bounded.client("cloudformation").describe_stacks())
    refused(lambda: bounded.client("lambda").list_functions())
    logs = untyped(bounded, "logs")
    for group in ("orders-pr-9-Logs1-X", "orders-dev-Logs1-X"):
        owners = untyped(owner, "logs")
        owners.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName="orders-pr-9-Logs1-X", logStreamName="stream")
    refused(lambda: logs.create_log_stream(logGroupName="orders-dev-Logs1-X", logStreamName="stream"))


def test_drift_of_all_that_is_watched_is_detected_with_the_drift_role(deployed: Accounts) -> None:
    client = deployed.session("dev", "drift").client("cloudformation")
    for name in watched_stacks(load("dev"), of_account(ACCOUNT)):
        detection = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
        client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        assert client.list_stack_resources(StackName=name)["StackResourceSummaries"]
        client.describe_stack_resource_drifts(StackName=name)
    refused(lambda: client.detect_stack_drift(StackName="platform-preview"))
    refused(lambda: client.detect_stack_drift(StackName="CDKToolkit-orders-pre"))


@pytest.mark.parametrize("purpose", ["read", "drift"])
def test_a_role_that_reads_is_refused_when_it_writes(deployed: Accounts, purpose: Purpose) -> None:
    reading = deployed.session("dev", purpose)
    cloudformation, lambda_ = reading.client("cloudformation"), reading.client("lambda")
    assert cloudformation.describe_stacks(StackName="orders-dev")["Stacks"]
    refused(lambda: cloudformation.delete_stack(StackName="orders-dev"))
    refused(lambda: cloudformation.create_stack(StackName="orders-dev", TemplateBody=TEMPLATE))
    refused(lambda: lambda_.update_alias(FunctionName="orders-dev", Name="live", FunctionVersion="1"))
    refused(lambda: lambda_.invoke(FunctionName="orders-dev", Qualifier="live", Payload=b"{}"))
    ssm = untyped(reading, "ssm")
    refused(lambda: ssm.put_parameter(Name="/platform-dev/capacity-provider-arn", Value="x", Overwrite=True))
    for role in ("deploy", "file-publishing", "cfn-exec"):
        refused(
            lambda role=role: reading.client("sts").assume_role(RoleArn=cdk_role("dev", role), RoleSessionName="cdk")
        )


def test_the_teardown_role_of_previews_leaves_the_others(deployed: Accounts) -> None:
    client = deployed.session("preview", "teardown").client("cloudformation")
    for name in ("orders-dev", "platform-dev", "platform-preview", "access", "CDKToolkit-orders-pre"):
        refused(lambda name=name: client.delete_stack(StackName=name))


def test_no_role_touches_the_access_stack_or_the_bootstrap(accounts: Accounts) -> None:
    for environment in ("dev", "preview", "prod"):
        client = accounts.session(environment, "deploy", "deploy").client("cloudformation")
        for name in ("access", f"CDKToolkit-{load(environment).qualifier}"):
            refused(lambda client=client, name=name: client.delete_stack(StackName=name))
            refused(lambda client=client, name=name: client.update_stack(StackName=name, TemplateBody=TEMPLATE))
