"""Every role of dev, preview and prod, in two accounts, against the tokens that must and must not assume it."""

import json
from collections.abc import Callable, Iterator
from itertools import product

import aws_cdk as cdk
import pytest
from botocore.exceptions import ClientError

from infra.local.aws import LocalAws
from infra.policies.purposes import PURPOSES, Purpose, role_arn
from infra.repository import Repository
from infra.stacks.access import Access
from tests.access.environments import ACCOUNTS, ENVIRONMENTS
from tests.access.jobs import OF_PULL_REQUESTS, PULL_REQUEST, assume, issued
from tests.github.tokens import Claims

Role = tuple[str, Purpose]
ROLES: list[Role] = list(product(ENVIRONMENTS, PURPOSES))
# What every role compares, and what those of main alone compare as well.
COMPARED = ("aud", "sub", "repository_id", "repository_owner_id")
COMPARED_BY_MAIN = ("ref", "job_workflow_ref")

ORDERS = Repository(owner="example-org", name="orders", owner_id=1001, repository_id=2002)


def changed(**values: str) -> Callable[[Claims], Claims]:
    return lambda claims: claims | values


def replaced(old: str, new: str) -> Callable[[Claims], Claims]:
    def change(claims: Claims) -> Claims:
        assert any(old in value for value in claims.values())
        return {key: value.replace(old, new) for key, value in claims.items()}

    return change


def without(claim: str) -> Callable[[Claims], Claims]:
    return lambda claims: {key: value for key, value in claims.items() if key != claim}


def in_other_case(claim: str) -> Callable[[Claims], Claims]:
    return lambda claims: claims | {claim: claims[claim].swapcase()}


def of_workflow(file: str, ref: str) -> Callable[[Claims], Claims]:
    """The file, where it is another, and the ref of the workflow that the job stands in."""

    def change(claims: Claims) -> Claims:
        path, _, own = claims["job_workflow_ref"].rpartition("/")[2].partition("@")
        return claims | {"job_workflow_ref": f"example-org/orders/.github/workflows/{file or path}@{ref or own}"}

    return change


def of_pull_request(claims: Claims) -> Claims:
    return of_workflow("", PULL_REQUEST)(claims) | {"ref": PULL_REQUEST}


def legacy(claims: Claims) -> Claims:
    return claims | {"sub": claims["sub"].replace("@1001", "").replace("@2002", "")}


def of_fork(claims: Claims) -> Claims:
    """What the workflows of a fork get, run in the fork, in an environment that it gave the same name."""
    fork = {
        "repository": "forker/orders",
        "repository_owner": "forker",
        "repository_owner_id": "4004",
        "repository_id": "5005",
    }
    names = replaced("example-org/", "forker/")(
        replaced("example-org@1001/orders@2002", "forker@4004/orders@5005")(claims)
    )
    return names | fork


def without_environment(claims: Claims) -> Claims:
    return without("environment")(claims) | {"sub": "repo:example-org@1001/orders@2002:pull_request"}


def on_a_branch(claims: Claims) -> Claims:
    return without("environment")(claims) | {"sub": "repo:example-org@1001/orders@2002:ref:refs/heads/main"}


# Tokens that no role may take, whichever it was made for.
REFUSED_EVERYWHERE: dict[str, Callable[[Claims], Claims]] = {
    "other repository": replaced("orders@2002", "other@2003"),
    "repository made anew under the same name": changed(repository_id="2003"),
    "other owner": replaced("example-org@1001", "other-org@1002"),
    "owner's name taken by another": changed(repository_owner_id="1002"),
    "legacy form": legacy,
    "other environment": replaced(":environment:", ":environment:other-"),
    "pull request without environment": without_environment,
    "main without environment": on_a_branch,
    "fork": of_fork,
    "wrong audience": changed(aud="https://github.com/example-org"),
    "other issuer": changed(iss="https://token.actions.githubusercontent.com.example.org"),
    **{f"{claim} missing": without(claim) for claim in COMPARED},
    "subject in other case": in_other_case("sub"),
    "audience in other case": in_other_case("aud"),
}
# Tokens that the roles of pull requests may take, and those of main alone may not.
REFUSED_BY_MAIN: dict[str, Callable[[Claims], Claims]] = {
    "other branch": changed(ref="refs/heads/feature"),
    "branch named like main": changed(ref="refs/heads/main2"),
    "tag named main": changed(ref="refs/tags/main"),
    "pull request": of_pull_request,
    "workflow edited on a branch": of_workflow("", "refs/heads/feature"),
    "other workflow of main": of_workflow("other.yml", ""),
    "workflow that ends alike": of_workflow("other/environment.yml", ""),
    "workflow of another repository": replaced("example-org/orders/.github", "other-org/orders/.github"),
    **{f"{claim} missing": without(claim) for claim in COMPARED_BY_MAIN},
    "ref in other case": in_other_case("ref"),
    "workflow in other case": in_other_case("job_workflow_ref"),
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS with the access stacks of both accounts."""
    with LocalAws.start(tmp_path_factory.mktemp("trust"), enforce_iam=True) as started:
        for account, environments in ACCOUNTS.items():
            app = cdk.App()
            Access(app, ORDERS, environments)
            template = json.dumps(app.synth().get_stack_by_name("access").template)
            client = started.session(account, environments[0].region).client("cloudformation")
            client.create_stack(StackName="access", TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
            client.get_waiter("stack_create_complete").wait(StackName="access", WaiterConfig={"Delay": 1})
        yield started


def assumed(aws: LocalAws, change: Callable[[Claims], Claims]) -> set[tuple[Role, Role]]:
    """Try every token on every role, and return the pairs of whom a token was made for and a role that took it."""
    found: set[tuple[Role, Role]] = set()
    for made_for, role in product(ROLES, ROLES):
        try:
            assume(aws, role_arn(ENVIRONMENTS[role[0]], role[1]), change(issued(*made_for, ORDERS)))
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("AccessDenied", "InvalidIdentityToken"):
                raise
        else:
            found.add((made_for, role))
    return found


def test_each_role_takes_the_token_that_is_made_for_it_and_no_other(aws: LocalAws) -> None:
    assert assumed(aws, changed()) == {(role, role) for role in ROLES}


@pytest.mark.parametrize("change", REFUSED_EVERYWHERE.values(), ids=list(REFUSED_EVERYWHERE))
def test_no_role_takes_a_token_of(aws: LocalAws, change: Callable[[Claims], Claims]) -> None:
    assert not assumed(aws, change)


@pytest.mark.parametrize("change", REFUSED_BY_MAIN.values(), ids=list(REFUSED_BY_MAIN))
def test_only_the_roles_of_pull_requests_take_a_token_of(aws: LocalAws, change: Callable[[Claims], Claims]) -> None:
    assert assumed(aws, change) == {(role, role) for role in OF_PULL_REQUESTS}
