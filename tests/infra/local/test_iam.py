import base64
import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from infra.local.aws import LocalAws
from tests.infra.local.durable_stack import ACCOUNT, REGION, DurableStack, client, eventually

GITHUB = "token.actions.githubusercontent.com"
CLAIMS = {
    "aud": "sts.amazonaws.com",
    "sub": "repo:owner@1/acme@2:environment:dev",
    "repository_id": "2",
    "repository_owner_id": "1",
    "ref": "refs/heads/main",
    "environment": "dev",
    "job_workflow_ref": "owner/acme/.github/workflows/environment.yml@refs/heads/main",
}

Assume = Callable[[dict[str, str]], boto3.Session]


def refused() -> AbstractContextManager[Any]:
    return pytest.raises(ClientError, match=r"AccessDenied|not authorized")


def token(claims: dict[str, Any]) -> str:
    parts = [{"alg": "none"}, {"iss": f"https://{GITHUB}", "exp": 4_000_000_000} | claims]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in [*parts, {}])


def trust(provider: str, claims: dict[str, str]) -> str:
    conditions = {f"{GITHUB}:{claim}": value for claim, value in claims.items()}
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": conditions},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def policy(actions: list[str], *resources: str) -> str:
    statement = {"Effect": "Allow", "Action": actions, "Resource": list(resources)}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Account:
    """An account with GitHub's identity provider."""

    def __init__(self, aws: LocalAws, account: str) -> None:
        self._aws = aws
        self.iam = client(aws.session(account, REGION), "iam")
        self.provider = f"arn:aws:iam::{account}:oidc-provider/{GITHUB}"

    def register_provider(self) -> None:
        self.iam.create_open_id_connect_provider(Url=f"https://{GITHUB}", ClientIDList=["sts.amazonaws.com"])

    def role(self, document: str = "", claims: dict[str, str] = CLAIMS) -> str:
        """Create a role for tokens with these claims, and return its ARN."""
        name = f"role-{uuid4().hex[:12]}"
        created = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(self.provider, claims))
        if document:
            self.iam.put_role_policy(RoleName=name, PolicyName="policy", PolicyDocument=document)
        return created["Role"]["Arn"]

    def assume(self, role: str, claims: dict[str, Any] = CLAIMS) -> boto3.Session:
        sts = self._aws.session_with("", "", None, REGION).client("sts")
        credentials = sts.assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="test", WebIdentityToken=token(claims)
        )["Credentials"]
        return self._aws.session_with(
            credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], REGION
        )


def function_role(session: boto3.Session) -> str:
    """Create a role for functions, which may do nothing yet, and return its ARN."""
    service = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam = client(session, "iam")
    document = json.dumps({"Version": "2012-10-17", "Statement": [service]})
    return iam.create_role(RoleName="function", AssumeRolePolicyDocument=document)["Role"]["Arn"]


@pytest.fixture
def account(enforcing_aws: LocalAws) -> Account:
    account = Account(enforcing_aws, str(uuid4().int)[:12])
    account.register_provider()
    return account


@pytest.fixture(scope="module")
def durable(enforcing_aws: LocalAws) -> DurableStack:
    session = enforcing_aws.session(ACCOUNT, REGION)
    function_role(session)
    stack = DurableStack(session, f"durable-{uuid4().hex[:12]}")
    actions = ["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"]
    iam = client(session, "iam")
    document = policy(actions, f"{stack.function_arn}:*")
    iam.put_role_policy(RoleName="function", PolicyName="durable", PolicyDocument=document)
    Account(enforcing_aws, ACCOUNT).register_provider()
    stack.deploy("one")
    return stack


def test_a_token_with_all_claims_that_the_role_trusts_assumes_it(account: Account) -> None:
    role = account.role()
    assert (
        f":assumed-role/{role.rpartition('/')[2]}/" in account.assume(role).client("sts").get_caller_identity()["Arn"]
    )


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_token_with_one_other_claim_is_refused(account: Account, claim: str) -> None:
    with refused():
        account.assume(account.role(), CLAIMS | {claim: "other"})


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_token_without_one_of_the_claims_is_refused(account: Account, claim: str) -> None:
    with refused():
        account.assume(account.role(), {name: value for name, value in CLAIMS.items() if name != claim})


def test_a_claim_that_iam_does_not_know_matches_nothing(account: Account) -> None:
    role = account.role(claims={"event_name": "push"})
    with refused():
        account.assume(role, CLAIMS | {"event_name": "push"})


def test_a_token_is_refused_where_its_issuer_is_not_registered(enforcing_aws: LocalAws) -> None:
    account = Account(enforcing_aws, str(uuid4().int)[:12])
    with refused():
        account.assume(account.role())


# What durable actions are authorized on: the execution's version (Lambda developer guide, durable functions security).
@pytest.mark.parametrize(
    ("resource", "outcome"),
    [
        ("{function}:*", nullcontext()),
        ("{function}:1/durable-execution/*", nullcontext()),
        ("{function}", refused()),
        ("{function}:live", refused()),
        ("{function}-other:*", refused()),
    ],
)
def test_executions_are_read_by_who_may_on_their_version(
    enforcing_aws: LocalAws, durable: DurableStack, resource: str, outcome: AbstractContextManager[Any]
) -> None:
    arn = durable.start({})
    calls = ["Get{}", "Get{}History", "Pause{}", "Resume{}", "Stop{}"]
    operations = [call.format("DurableExecution") for call in calls]
    account = Account(enforcing_aws, ACCOUNT)
    document = policy([f"lambda:{name}" for name in operations], resource.format(function=durable.function_arn))
    lambda_ = client(account.assume(account.role(document)), "lambda")
    for call in (getattr(lambda_, xform_name(operation)) for operation in operations):
        with outcome if isinstance(outcome, nullcontext) else refused():
            call(DurableExecutionArn=arn)


def test_each_durable_action_is_granted_by_its_own_name(enforcing_aws: LocalAws, durable: DurableStack) -> None:
    arn = durable.start({})
    account = Account(enforcing_aws, ACCOUNT)
    reader = account.assume(account.role(policy(["lambda:GetDurableExecution"], f"{durable.function_arn}:*")))
    lambda_ = client(reader, "lambda")
    lambda_.get_durable_execution(DurableExecutionArn=arn)
    for call in (lambda_.stop_durable_execution, lambda_.pause_durable_execution, lambda_.resume_durable_execution):
        with refused():
            call(DurableExecutionArn=arn)


def test_an_alias_is_invoked_by_who_may_on_the_functions_qualifiers(
    enforcing_aws: LocalAws, durable: DurableStack
) -> None:
    account = Account(enforcing_aws, ACCOUNT)
    invoke = ["lambda:InvokeFunction", "lambda:ListDurableExecutionsByFunction"]
    allowed = account.assume(account.role(policy(invoke, f"{durable.function_arn}:*"))).client("lambda")
    arn = allowed.invoke(FunctionName=durable.name, Qualifier="live", InvocationType="Event", Payload=b"{}")[
        "DurableExecutionArn"
    ]
    assert durable.ended(arn)["Status"] == "SUCCEEDED"
    assert allowed.list_durable_executions_by_function(FunctionName=durable.name, Qualifier="1")["DurableExecutions"]
    unqualified = account.assume(account.role(policy(invoke, durable.function_arn))).client("lambda")
    with refused():
        unqualified.invoke(FunctionName=durable.name, Qualifier="live", InvocationType="Event", Payload=b"{}")


def test_a_function_that_may_not_checkpoint_does_not_get_on(enforcing_aws: LocalAws) -> None:
    session = enforcing_aws.session("222222222222", REGION)
    stack = DurableStack(session, f"durable-{uuid4().hex[:12]}")
    stack.deploy("one", Role=function_role(session))
    arn = stack.start({"hold": True})
    denial = "not authorized to perform: lambda:CheckpointDurableExecution"
    eventually(lambda: denial in enforcing_aws.log.read_text())
    assert stack.history(arn)[:2] != ["ExecutionStarted", "CallbackStarted"]
    stack.lambda_.stop_durable_execution(DurableExecutionArn=arn)


def test_aliases_and_capacity_providers_are_authorized_under_their_own_actions(
    enforcing_aws: LocalAws, durable: DurableStack
) -> None:
    account = Account(enforcing_aws, ACCOUNT)
    provider = f"arn:aws:lambda:{REGION}:{ACCOUNT}:capacity-provider:{durable.name}"
    document = policy(["lambda:GetAlias", "lambda:GetCapacityProvider"], durable.function_arn, provider)
    client = account.assume(account.role(document)).client("lambda")
    assert client.get_alias(FunctionName=durable.name, Name="live")["FunctionVersion"] == "1"
    assert client.get_capacity_provider(CapacityProviderName=durable.name)["CapacityProvider"]["State"] == "Active"
    with refused():
        client.update_alias(FunctionName=durable.name, Name="live", FunctionVersion="1")
    with refused():
        client.delete_capacity_provider(CapacityProviderName=durable.name)


def test_a_bucket_that_refuses_plain_http_accepts_what_this_machine_sends(enforcing_aws: LocalAws) -> None:
    account = Account(enforcing_aws, ACCOUNT)
    bucket = f"assets-{uuid4().hex[:12]}"
    session = enforcing_aws.session(ACCOUNT, REGION)
    s3 = client(session, "s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    publisher = client(account.assume(account.role(policy(["s3:PutObject"], f"arn:aws:s3:::{bucket}/*"))), "s3")
    publisher.put_object(Bucket=bucket, Key="asset", Body=b"zip")
    with refused():
        publisher.get_object(Bucket=bucket, Key="asset")
