"""What the roles can do and can't, on the local AWS with IAM enforced: the commands that the workflows run.

The local CloudFormation makes resources without asking IAM, so what its execution role may do is asked of IAM itself.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError

from infra import ROOT, naming
from infra.aws.target import Target
from infra.environment import Environment, load_all
from infra.local.aws import LocalAws
from infra.policies.boundary import boundary_arn
from infra.policies.drift import watched_stacks
from infra.policies.purposes import Purpose, role, role_arn
from infra.policies.resources import policy_arn, toolkit_roles
from infra.project import LOCAL
from tests.access.jobs import assume, assume_further, issued, session
from tests.checkout import FOLDER, TWIN, Tree, marked

ENVIRONMENTS = [each for each in load_all().values() if each.name != LOCAL]
# The one that main is brought to first, and the one that hosts previews.
FIRST = ENVIRONMENTS[0]
HOST = next(each for each in ENVIRONMENTS if each.hosts_previews)
OTHERS = [each for each in ENVIRONMENTS if each is not HOST]

FUNCTION_OF_FIRST = naming.function(FIRST, FOLDER)
PLATFORM_OF_FIRST = naming.platform_stack(FIRST)
PLATFORM_OF_HOST = naming.platform_stack(HOST)
FUNCTION_OF_PREVIEW = naming.function(HOST, FOLDER, 7)

TEMPLATE = '{"Resources": {"Group": {"Type": "AWS::Logs::LogGroup"}}}'

# For what is built from the checkout, which may have changes that are in no commit.
COMMIT = ["--commit", "0" * 40]

# What the status of a stack may be that workflows of its own environment have deployed.
UNTOUCHED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")

each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS, ids=lambda each: each.name)


# A function's infrastructure.py beyond what the team has there.
STORING = """
from aws_cdk import aws_dynamodb, aws_sqs

team_adds = add


def add(stack, function, alias):
    team_adds(stack, function, alias)
    key = aws_dynamodb.Attribute(name="id", type=aws_dynamodb.AttributeType.STRING)
    aws_dynamodb.Table(stack, "TestTable", partition_key=key).grant_read_write_data(function)
    aws_sqs.Queue(stack, "TestQueue").grant_send_messages(function)
"""
PLACE = f"{FIRST.region}:{FIRST.account}"
MAKING = {
    "dynamodb:CreateTable": f"arn:aws:dynamodb:{PLACE}:table/{FUNCTION_OF_FIRST}-TestTable-X",
    "sqs:CreateQueue": f"arn:aws:sqs:{PLACE}:{FUNCTION_OF_FIRST}-TestQueue-X",
}


class Accounts:
    """The accounts of all environments, and the pipeline's commands in them."""

    def __init__(self, aws: LocalAws, folder: Path) -> None:
        self.aws = aws
        self._folder = folder

    def as_person(self, environment: Environment, *command: str, root: Path = ROOT) -> None:
        """Run a command with the credentials of the account's owner, from the checkout or a copy."""
        done = self._run(environment, command, {}, root)
        assert done.returncode == 0, done.stderr

    def as_workflow(self, environment: Environment, purpose: Purpose, *command: str, root: Path = ROOT) -> str:
        """Run a command with the credentials of the job that is meant for it, and return what it prints."""
        done = self._run(environment, command, self._assume(environment, purpose), root)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def in_vain(self, environment: Environment, purpose: Purpose, *command: str) -> str:
        """Run such a command that is to fail, and return why."""
        done = self._run(environment, command, self._assume(environment, purpose), ROOT)
        assert done.returncode == 1, done.stdout + done.stderr
        return done.stderr

    def session(self, environment: Environment, purpose: Purpose, bootstrap_role: str | None = None) -> boto3.Session:
        """Return the session of such a job, or that of a role of the bootstrap that it assumes."""
        credentials = self._assume(environment, purpose)
        if bootstrap_role:
            credentials = assume_further(self.aws, credentials, cdk_role(environment, bootstrap_role))
        return session(self.aws, credentials, environment.region)

    def owner(self, environment: Environment) -> boto3.Session:
        """Return the session of the account's owner."""
        return self.aws.session(environment.account, environment.region)

    def assembly(self, environment: Environment, pull_request: int | None = None) -> str:
        """Return where commands write and read an assembly."""
        return str(self._folder / naming.whole(environment, pull_request))

    def _assume(self, environment: Environment, purpose: Purpose) -> dict[str, str]:
        return assume(self.aws, role_arn(environment, purpose), issued(environment, purpose))

    def _run(
        self, environment: Environment, command: Sequence[str], credentials: dict[str, str], root: Path
    ) -> "subprocess.CompletedProcess[str]":
        environ = os.environ | self.aws.environ(environment.account, environment.region) | credentials
        return subprocess.run(
            [sys.executable, "-m", "infra.pipeline", *command, "--environment", environment.name],
            cwd=root,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )


def cdk_role(environment: Environment, role: str) -> str:
    return toolkit_roles(environment, role)[0]


def side_by_side(*actions: Callable[[], object]) -> None:
    """Do several things at the same time, and raise what any of them raises."""
    with ThreadPoolExecutor() as pool:
        for started in [pool.submit(action) for action in actions]:
            started.result()


@pytest.fixture(scope="module")
def accounts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Accounts]:
    """All accounts as a person leaves them: access and a bootstrap per environment, and the platform of previews."""
    with LocalAws.start(tmp_path_factory.mktemp("roles"), enforce_iam=True) as aws:
        accounts = Accounts(aws, tmp_path_factory.mktemp("assemblies"))

        def prepare(account: str) -> None:
            for environment in ENVIRONMENTS:
                if environment.account == account:
                    accounts.as_person(environment, "access", "--yes")
                    accounts.as_person(environment, "bootstrap", "--yes")

        side_by_side(*(partial(prepare, account) for account in {each.account for each in ENVIRONMENTS}))
        accounts.as_person(HOST, "build", *COMMIT, "--output", accounts.assembly(HOST))
        accounts.as_person(HOST, "deploy", "--assembly", accounts.assembly(HOST))
        yield accounts


@pytest.fixture(scope="module")
def deployed(accounts: Accounts) -> Accounts:
    """The same once workflows have deployed the first environment, and the preview of pull request 7."""
    side_by_side(partial(deploy, accounts, FIRST), partial(deploy, accounts, HOST, 7))
    return accounts


def deploy(accounts: Accounts, environment: Environment, pull_request: int | None = None) -> None:
    """Deploy as a workflow does."""
    place, options = accounts.assembly(environment, pull_request), of(pull_request)
    accounts.as_person(environment, "build", *COMMIT, *options, "--output", place)
    accounts.as_workflow(environment, "deploy", "deploy", *options, "--assembly", place)


def of(pull_request: int | None) -> list[str]:
    return [] if pull_request is None else ["--pull-request", str(pull_request)]


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
    client: Any = accounts.aws.session(role.split(":")[4], HOST.region).client("iam")
    answer = client.simulate_principal_policy(PolicySourceArn=role, ActionNames=actions, ResourceArns=[resource])
    return {result["EvalDecision"] for result in answer["EvaluationResults"]}


def made_by_cloudformation(accounts: Accounts, action: str) -> set[str]:
    return decisions(accounts, cdk_role(FIRST, "cfn-exec"), [action], MAKING[action])


def test_workflows_deploy_an_environment_and_previews_by_their_roles(deployed: Accounts) -> None:
    for target in (Target(FIRST), Target(HOST), Target(HOST, 7)):
        found = stacks(deployed.owner(target.environment))
        assert {found.get(name) for name in target.stack_names} == {"CREATE_COMPLETE"}


def test_smoke_executions_run_with_the_deploy_role(deployed: Accounts) -> None:
    deployed.as_workflow(FIRST, "deploy", "smoke")
    deployed.as_workflow(HOST, "deploy", "smoke", *of(7))


def test_changes_are_shown_with_the_read_role(deployed: Accounts) -> None:
    deployed.as_workflow(FIRST, "read", "diff", "--assembly", deployed.assembly(FIRST))


def test_a_release_goes_back_and_a_function_goes_with_its_folder_by_the_deploy_role(
    deployed: Accounts, tmp_path: Path
) -> None:
    function = Target(FIRST, given_session=deployed.owner(FIRST)).function(FOLDER)
    before = function.live()
    tree = Tree(tmp_path)
    tree.add_twin()
    tree.append(marked("a release"))
    tree.add_infrastructure(STORING)
    place = str(tmp_path / "assembly")
    deployed.as_person(FIRST, "build", *COMMIT, "--output", place, root=tree.root)
    assert [made_by_cloudformation(deployed, action) for action in MAKING] == [{"implicitDeny"}] * 2
    kinds = "AWS::DynamoDB::Table, AWS::SQS::Queue"
    told = f"CloudFormation may not yet make {kinds} for it; a person runs `make access ENVIRONMENT={FIRST.name}`"
    compared = ("diff", "--assembly", place, "--json")
    said = json.loads(deployed.as_workflow(FIRST, "read", *compared, root=tree.root))["deploy_first"]
    making, granted = said
    assert told in making
    assert "functions may not yet do dynamodb:" in granted
    deployed.as_person(FIRST, "access", "--yes", root=tree.root)
    assert [made_by_cloudformation(deployed, action) for action in MAKING] == [{"allowed"}] * 2
    assert json.loads(deployed.as_workflow(FIRST, "read", *compared, root=tree.root))["deploy_first"] == []
    deployed.as_workflow(FIRST, "deploy", "deploy", "--assembly", place, root=tree.root)
    assert function.live() != before
    deployed.as_workflow(FIRST, "deploy", "roll-back", "--versions", f"{FOLDER}={before}")
    assert function.live() == before
    twin = naming.function(FIRST, TWIN)
    assert twin in stacks(deployed.owner(FIRST))
    shown = deployed.as_workflow(FIRST, "read", "diff", "--assembly", deployed.assembly(FIRST))
    assert f"{twin}: is removed" in shown
    deployed.as_workflow(FIRST, "deploy", "deploy", "--assembly", deployed.assembly(FIRST))
    assert twin not in stacks(deployed.owner(FIRST))


def test_what_would_replace_a_capacity_provider_in_use_is_found_out_by_the_deploy_role(
    deployed: Accounts, tmp_path: Path
) -> None:
    tree = Tree(tmp_path)
    tree.configure("maximum_vcpus", "15_000")
    tree.other_instances(FIRST.name)
    place = str(tmp_path / "assembly")
    deployed.as_person(FIRST, "build", *COMMIT, "--output", place, root=tree.root)
    before = stacks(deployed.owner(FIRST))
    said = deployed.in_vain(FIRST, "deploy", "deploy", "--assembly", place)
    assert f"{PLATFORM_OF_FIRST}: this would replace, for its InstanceRequirements, the capacity provider" in said
    assert stacks(deployed.owner(FIRST)) == before


def test_versions_are_pruned_with_the_prune_role(deployed: Accounts) -> None:
    deployed.as_workflow(FIRST, "prune", "prune")
    deployed.as_workflow(HOST, "prune", "prune")


def test_a_preview_is_removed_with_the_teardown_role(deployed: Accounts) -> None:
    deploy(deployed, HOST, 8)
    gone = Target(HOST, 8)
    assert {*gone.stack_names} <= stacks(deployed.owner(HOST)).keys()
    deployed.as_workflow(HOST, "teardown", "teardown", *of(8), "--confirm", gone.name, "--running", "stop")
    assert not {*gone.stack_names} & stacks(deployed.owner(HOST)).keys()


@each_environment
def test_access_and_bootstrap_can_be_run_again(accounts: Accounts, environment: Environment) -> None:
    def made() -> dict[str, str]:
        client = accounts.owner(environment).client("cloudformation")
        resources = client.list_stack_resources(StackName=naming.access_stack(environment))["StackResourceSummaries"]
        return {each["LogicalResourceId"]: each.get("PhysicalResourceId", "") for each in resources}

    before = stacks(accounts.owner(environment)), made()
    accounts.as_person(environment, "access", "--yes")
    accounts.as_person(environment, "bootstrap", "--yes")
    assert (stacks(accounts.owner(environment)), made()) == before
    # The first of an account has made the provider, and keeps it.
    provider = f"arn:aws:iam::{environment.account}:oidc-provider/token.actions.githubusercontent.com"
    first = next(each for each in ENVIRONMENTS if each.account == environment.account)
    assert (provider in made().values()) == (environment is first)


@pytest.mark.parametrize(
    "name",
    [
        FUNCTION_OF_FIRST,
        PLATFORM_OF_FIRST,
        PLATFORM_OF_HOST,
        naming.access_stack(HOST),
        naming.function(HOST, FOLDER),
        f"{HOST.project.name}-prx-7",
        "anything",
    ],
)
def test_a_preview_touches_no_stack_but_those_of_previews(deployed: Accounts, name: str) -> None:
    client = deployed.session(HOST, "deploy", "deploy").client("cloudformation")
    role = cdk_role(HOST, "cfn-exec")
    refused(lambda: client.create_stack(StackName=name, TemplateBody=TEMPLATE, RoleARN=role))
    refused(lambda: client.update_stack(StackName=name, TemplateBody=TEMPLATE, RoleARN=role))
    refused(lambda: client.delete_stack(StackName=name))
    refused(
        lambda: client.create_change_set(StackName=name, TemplateBody=TEMPLATE, ChangeSetName="change", RoleARN=role)
    )
    refused(lambda: client.update_termination_protection(StackName=name, EnableTerminationProtection=False))
    refused(lambda: client.get_template(StackName=name))
    assert stacks(deployed.owner(HOST)).get(name) in (None, *UNTOUCHED)


def test_a_preview_makes_nothing_without_cloudformation(deployed: Accounts) -> None:
    for bootstrap_role in (None, "deploy", "file-publishing"):
        made = deployed.session(HOST, "deploy", bootstrap_role)
        iam = untyped(made, "iam")
        refused(
            lambda iam=iam: iam.create_role(RoleName=f"{FUNCTION_OF_PREVIEW}-Role1-X", AssumeRolePolicyDocument="{}")
        )
        lambda_ = made.client("lambda")
        refused(lambda lambda_=lambda_: lambda_.get_function(FunctionName=FUNCTION_OF_FIRST))
        refused(
            lambda lambda_=lambda_: lambda_.update_alias(
                FunctionName=FUNCTION_OF_FIRST, Name="live", FunctionVersion="1"
            )
        )
        refused(
            lambda lambda_=lambda_: lambda_.create_function(
                FunctionName=FUNCTION_OF_PREVIEW, Role=f"{ROLE}/x", Code={"ZipFile": b"x"}
            )
        )


@pytest.mark.parametrize("role", ["deploy", "file-publishing", "cfn-exec", "lookup"])
@pytest.mark.parametrize("environment", OTHERS, ids=lambda each: each.name)
def test_a_preview_assumes_no_role_of_another_environment(
    deployed: Accounts, environment: Environment, role: str
) -> None:
    sts = deployed.session(HOST, "deploy").client("sts")
    refused(lambda: sts.assume_role(RoleArn=cdk_role(environment, role), RoleSessionName="cdk"))


@each_environment
def test_no_workflow_assumes_what_cloudformation_runs_with(accounts: Accounts, environment: Environment) -> None:
    for bootstrap_role in (None, "deploy"):
        sts = accounts.session(environment, "deploy", bootstrap_role).client("sts")
        refused(lambda sts=sts: sts.assume_role(RoleArn=cdk_role(environment, "cfn-exec"), RoleSessionName="cdk"))


# What the execution role of previews may and may not do, as action and resource.
FUNCTION = f"arn:aws:lambda:{HOST.region}:{HOST.account}:function"
CAPACITY_PROVIDER = f"arn:aws:lambda:{HOST.region}:{HOST.account}:capacity-provider"
ROLE = f"arn:aws:iam::{HOST.account}:role"
LOG_GROUP = f"arn:aws:logs:{HOST.region}:{HOST.account}:log-group"
PARAMETER = f"arn:aws:ssm:{HOST.region}:{HOST.account}:parameter{naming.capacity_provider_parameter(HOST, 1)}"
ASSETS_OF_FIRST = f"arn:aws:s3:::cdk-{naming.qualifier(FIRST)}-assets-{HOST.account}-{HOST.region}"


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:CreateFunction", f"{FUNCTION}:{FUNCTION_OF_PREVIEW}"),
        ("lambda:UpdateAlias", f"{FUNCTION}:{FUNCTION_OF_PREVIEW}"),
        ("lambda:PassCapacityProvider", f"{CAPACITY_PROVIDER}:{PLATFORM_OF_HOST}-C-X"),
        ("iam:DeleteRole", f"{ROLE}/{FUNCTION_OF_PREVIEW}-Role1-X"),
        ("logs:CreateLogGroup", f"{LOG_GROUP}:{FUNCTION_OF_PREVIEW}-Logs1-X"),
        ("ssm:GetParameters", PARAMETER),
    ],
)
def test_a_preview_may_be_made(accounts: Accounts, action: str, resource: str) -> None:
    assert decisions(accounts, cdk_role(HOST, "cfn-exec"), [action], resource) == {"allowed"}


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:CreateFunction", f"{FUNCTION}:anything"),
        ("lambda:UpdateFunctionCode", f"{FUNCTION}:{FUNCTION_OF_FIRST}"),
        ("lambda:UpdateAlias", f"{FUNCTION}:{FUNCTION_OF_FIRST}"),
        ("lambda:PassCapacityProvider", f"{CAPACITY_PROVIDER}:{PLATFORM_OF_FIRST}-C-X"),
        ("lambda:DeleteCapacityProvider", f"{CAPACITY_PROVIDER}:{PLATFORM_OF_HOST}-C-X"),
        ("iam:CreateRole", f"{ROLE}/anything"),
        ("iam:CreateRole", f"{ROLE}/{FUNCTION_OF_FIRST}-Role1-X"),
        ("iam:CreateRole", f"{ROLE}/{FUNCTION_OF_PREVIEW}-Role1-X"),  # without the permissions boundary
        ("iam:PutRolePolicy", f"{ROLE}/{FUNCTION_OF_PREVIEW}-Role1-X"),  # of a role without it
        ("iam:PutRolePolicy", f"{ROLE}/{role(HOST, 'deploy')}"),
        ("iam:PassRole", f"{ROLE}/{FUNCTION_OF_FIRST}-Role1-X"),
        ("iam:DeleteRolePermissionsBoundary", f"{ROLE}/{FUNCTION_OF_PREVIEW}-Role1-X"),
        ("iam:CreatePolicyVersion", policy_arn(HOST, naming.boundary(HOST))),
        ("ec2:CreateVpc", "*"),
        ("ec2:DeleteVpc", f"arn:aws:ec2:{HOST.region}:{HOST.account}:vpc/vpc-1"),
        ("logs:DeleteLogGroup", f"{LOG_GROUP}:{FUNCTION_OF_FIRST}-Logs1-X"),
        ("ssm:PutParameter", PARAMETER),
        ("s3:GetObject", f"{ASSETS_OF_FIRST}/x.zip"),
    ],
)
def test_a_preview_makes_nothing_else(accounts: Accounts, action: str, resource: str) -> None:
    assert "allowed" not in decisions(accounts, cdk_role(HOST, "cfn-exec"), [action], resource)


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("iam:CreateRole", f"arn:aws:iam::{FIRST.account}:role/{FUNCTION_OF_FIRST}-Administrator"),  # without boundary
        ("iam:PutRolePolicy", f"arn:aws:iam::{FIRST.account}:role/{FUNCTION_OF_FIRST}-Administrator"),
        ("iam:AttachRolePolicy", f"arn:aws:iam::{FIRST.account}:role/{FUNCTION_OF_FIRST}-Administrator"),
        ("iam:PutRolePolicy", role_arn(FIRST, "deploy")),
        ("iam:UpdateAssumeRolePolicy", cdk_role(FIRST, "cfn-exec")),
        ("iam:CreatePolicyVersion", policy_arn(FIRST, naming.execution_policy(FIRST))),
        ("iam:PassRole", role_arn(FIRST, "deploy")),
        ("ec2:DeleteVpc", f"arn:aws:ec2:{PLACE}:vpc/vpc-1"),  # without tags of its own
    ],
)
def test_an_environment_gets_no_further_by_what_it_makes(accounts: Accounts, action: str, resource: str) -> None:
    assert "allowed" not in decisions(accounts, cdk_role(FIRST, "cfn-exec"), [action], resource)


@each_environment
def test_what_cloudformation_runs_with_has_the_environments_policies_alone(
    accounts: Accounts, environment: Environment
) -> None:
    client = untyped(accounts.owner(environment), "iam")
    name = cdk_role(environment, "cfn-exec").rpartition("/")[2]
    attached = client.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    cloudformation = accounts.owner(environment).client("cloudformation")
    access = cloudformation.list_stack_resources(StackName=naming.access_stack(environment))["StackResourceSummaries"]
    made = {each["PhysicalResourceId"].rpartition("/")[2] for each in access}
    own = {name for name in made if name.startswith(naming.execution_policy(environment))}
    assert {policy["PolicyName"] for policy in attached} == own
    assert naming.execution_policy(environment) in own
    assert not client.list_role_policies(RoleName=name)["PolicyNames"]


def test_the_boundary_of_previews_holds_whatever_a_role_allows(accounts: Accounts) -> None:
    owner = accounts.owner(HOST)
    client = untyped(owner, "iam")
    anything = policy({"Action": "*", "Resource": "*"})
    account = policy({"Principal": {"AWS": f"arn:aws:iam::{HOST.account}:root"}, "Action": "sts:AssumeRole"})
    boundary = boundary_arn(HOST)
    function = naming.function(HOST, FOLDER, 9)
    name = f"{function}-Role1-X"
    role = client.create_role(RoleName=name, AssumeRolePolicyDocument=account, PermissionsBoundary=boundary)["Role"][
        "Arn"
    ]
    client.put_role_policy(RoleName=name, PolicyName="anything", PolicyDocument=anything)
    credentials = owner.client("sts").assume_role(RoleArn=role, RoleSessionName="function")["Credentials"]
    key, secret, token = (credentials[part] for part in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    bounded = accounts.aws.session_with(key, secret, token, HOST.region)
    refused(lambda: bounded.client("cloudformation").describe_stacks())
    refused(lambda: bounded.client("lambda").list_functions())
    logs = untyped(bounded, "logs")
    for group in (f"{function}-Logs1-X", f"{FUNCTION_OF_FIRST}-Logs1-X"):
        owners = untyped(owner, "logs")
        owners.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=f"{function}-Logs1-X", logStreamName="stream")
    refused(lambda: logs.create_log_stream(logGroupName=f"{FUNCTION_OF_FIRST}-Logs1-X", logStreamName="stream"))


def test_drift_of_all_that_is_watched_is_detected_with_the_drift_role(deployed: Accounts) -> None:
    client = deployed.session(FIRST, "drift").client("cloudformation")
    for name in watched_stacks(FIRST):
        detection = client.detect_stack_drift(StackName=name)["StackDriftDetectionId"]
        client.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
        assert client.list_stack_resources(StackName=name)["StackResourceSummaries"]
        client.describe_stack_resource_drifts(StackName=name)
    refused(lambda: client.detect_stack_drift(StackName=PLATFORM_OF_HOST))
    refused(lambda: client.detect_stack_drift(StackName=naming.toolkit_stack(HOST)))


@pytest.mark.parametrize("purpose", ["read", "drift"])
def test_a_role_that_reads_is_refused_when_it_writes(deployed: Accounts, purpose: Purpose) -> None:
    reading = deployed.session(FIRST, purpose)
    cloudformation, lambda_ = reading.client("cloudformation"), reading.client("lambda")
    assert cloudformation.describe_stacks(StackName=FUNCTION_OF_FIRST)["Stacks"]
    refused(lambda: cloudformation.delete_stack(StackName=FUNCTION_OF_FIRST))
    refused(lambda: cloudformation.create_stack(StackName=FUNCTION_OF_FIRST, TemplateBody=TEMPLATE))
    refused(lambda: lambda_.update_alias(FunctionName=FUNCTION_OF_FIRST, Name="live", FunctionVersion="1"))
    refused(lambda: lambda_.invoke(FunctionName=FUNCTION_OF_FIRST, Qualifier="live", Payload=b"{}"))
    ssm = untyped(reading, "ssm")
    refused(lambda: ssm.put_parameter(Name=naming.capacity_provider_parameter(FIRST, 1), Value="x", Overwrite=True))
    for other in ("deploy", "file-publishing", "cfn-exec"):
        arn = cdk_role(FIRST, other)
        refused(lambda arn=arn: reading.client("sts").assume_role(RoleArn=arn, RoleSessionName="cdk"))


def test_the_teardown_role_of_previews_leaves_the_others(deployed: Accounts) -> None:
    client = deployed.session(HOST, "teardown").client("cloudformation")
    for name in (
        FUNCTION_OF_FIRST,
        PLATFORM_OF_FIRST,
        PLATFORM_OF_HOST,
        naming.access_stack(HOST),
        naming.toolkit_stack(HOST),
    ):
        refused(lambda name=name: client.delete_stack(StackName=name))


@pytest.mark.parametrize(
    ("environment", "purpose"),
    list(product(ENVIRONMENTS, ["deploy", "teardown"])),
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_no_role_touches_the_access_stack_or_the_bootstrap(
    accounts: Accounts, environment: Environment, purpose: Purpose
) -> None:
    for bootstrap_role in (None, "deploy") if purpose == "deploy" else (None,):
        client = accounts.session(environment, purpose, bootstrap_role).client("cloudformation")
        for name in (naming.access_stack(environment), naming.toolkit_stack(environment)):
            refused(lambda client=client, name=name: client.delete_stack(StackName=name))
            refused(lambda client=client, name=name: client.update_stack(StackName=name, TemplateBody=TEMPLATE))
            refused(
                lambda client=client, name=name: client.update_termination_protection(
                    StackName=name, EnableTerminationProtection=False
                )
            )
