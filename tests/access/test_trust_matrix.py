"""Every role of dev, preview and prod, in two accounts, against the tokens that must and must not assume it.

For each way in which GitHub may know a repository: with ids in the subject of its tokens, with names alone there, and
with names alone while project.toml does not know the ids.
"""

import json
from collections.abc import Callable, Iterator
from itertools import groupby, product

import aws_cdk as cdk
import pytest
from botocore.exceptions import ClientError

from infra import app
from infra.environment import Environment
from infra.local.aws import LocalAws
from infra.policies.places import Templates
from infra.policies.purposes import PURPOSES, Purpose, role_arn
from infra.stacks.access import Access
from tests.access.environments import ENVIRONMENTS, KINDS, Kind
from tests.access.jobs import PULL_REQUEST, assume, issued
from tests.github.tokens import Claims
from tests.infra.fakes.environments import PROJECT, environment

Role = tuple[str, Purpose]
Change = Callable[[Claims], Claims]
ROLES: list[Role] = list(product(ENVIRONMENTS, PURPOSES))
# The roles that jobs of pull requests assume; all others are main's own.
OF_PULL_REQUESTS: set[Role] = {
    ("dev", "read"),
    ("preview", "deploy"),
    ("preview", "read"),
    ("preview", "teardown"),
    ("prod", "read"),
}
NOTHING_ELSE = Templates()
# As many environments as an account may come to have, one with a name as long as it may be.
MANY = [f"e{number}" for number in range(9)] + ["e" * 10]
# What every role compares, and what those of main alone compare as well.
COMPARED = ("aud", "sub")
COMPARED_IDS = ("repository_id", "repository_owner_id")
COMPARED_BY_MAIN = ("ref", "job_workflow_ref")


def changed(**values: str) -> Change:
    return lambda claims: claims | values


def replaced(claim: str, old: str, new: str) -> Change:
    def change(claims: Claims) -> Claims:
        assert old in claims[claim]
        return claims | {claim: claims[claim].replace(old, new)}

    return change


def without(claim: str) -> Change:
    return lambda claims: {key: value for key, value in claims.items() if key != claim}


def in_other_case(claim: str) -> Change:
    return lambda claims: claims | {claim: claims[claim].swapcase()}


def of_workflow(file: str, ref: str) -> Change:
    """The file, where it is another, and the ref of the workflow that the job stands in."""

    def change(claims: Claims) -> Claims:
        path, _, own = claims["job_workflow_ref"].rpartition("/")[2].partition("@")
        return claims | {"job_workflow_ref": f"acme-inc/money/.github/workflows/{file or path}@{ref or own}"}

    return change


def of_pull_request(claims: Claims) -> Claims:
    return of_workflow("", PULL_REQUEST)(claims) | {"ref": PULL_REQUEST}


def in_other_form(claims: Claims) -> Claims:
    """The subject with ids where the repository's has none, and without where it has some."""
    with_ids, names = "repo:acme-inc@11/money@22:", "repo:acme-inc/money:"
    old, new = (with_ids, names) if "@" in claims["sub"] else (names, with_ids)
    return replaced("sub", old, new)(claims)


def of_fork(claims: Claims) -> Claims:
    """What the workflows of a fork get, run in the fork, in an environment that it gave the same name."""
    for old, new in (("acme-inc@11", "forker@44"), ("money@22", "money@55"), ("acme-inc", "forker")):
        claims = {key: value.replace(old, new) for key, value in claims.items()}
    return claims | {"repository_owner_id": "44", "repository_id": "55"}


def with_subject_of(instead: str) -> Change:
    """The subject that GitHub gives to a job without an environment."""

    def change(claims: Claims) -> Claims:
        repository = claims["sub"].partition(":environment:")[0]
        return without("environment")(claims) | {"sub": f"{repository}:{instead}"}

    return change


# Tokens that no role may take, whichever it was made for.
REFUSED_EVERYWHERE: dict[str, Change] = {
    "other repository": replaced("sub", "money", "other"),
    "other owner": replaced("sub", "acme-inc", "other-inc"),
    "subject in the other form": in_other_form,
    "other environment": replaced("sub", ":environment:", ":environment:other-"),
    "pull request without environment": with_subject_of("pull_request"),
    "main without environment": with_subject_of("ref:refs/heads/main"),
    "fork": of_fork,
    "wrong audience": changed(aud="https://github.com/acme-inc"),
    "other issuer": changed(iss="https://token.actions.githubusercontent.com.example.org"),
    **{f"{claim} missing": without(claim) for claim in COMPARED},
    "subject in other case": in_other_case("sub"),
    "audience in other case": in_other_case("aud"),
}
# Tokens that no role may take where the ids are known. Where they are not, names are all that there is to compare.
REFUSED_BY_IDS: dict[str, Change] = {
    "repository made anew under the same name": changed(repository_id="23"),
    "owner's name taken by another": changed(repository_owner_id="12"),
    **{f"{claim} missing": without(claim) for claim in COMPARED_IDS},
}
# And where the subject has them, tokens that say other ones there alone.
REFUSED_BY_IDS_OF_SUBJECT: dict[str, Change] = {
    "other repository's id in the subject": replaced("sub", "money@22", "money@23"),
    "other owner's id in the subject": replaced("sub", "acme-inc@11", "acme-inc@12"),
}
# Tokens that the roles of pull requests may take, and those of main alone may not.
REFUSED_BY_MAIN: dict[str, Change] = {
    "other branch": changed(ref="refs/heads/feature"),
    "branch named like main": changed(ref="refs/heads/main2"),
    "tag named main": changed(ref="refs/tags/main"),
    "pull request": of_pull_request,
    "workflow edited on a branch": of_workflow("", "refs/heads/feature"),
    "other workflow of main": of_workflow("other.yml", ""),
    "workflow that ends alike": of_workflow("other/environment.yml", ""),
    "workflow of another repository": replaced("job_workflow_ref", "acme-inc/money/.github", "other-inc/money/.github"),
    **{f"{claim} missing": without(claim) for claim in COMPARED_BY_MAIN},
    "ref in other case": in_other_case("ref"),
    "workflow in other case": in_other_case("job_workflow_ref"),
}


def _refused(kind: Kind) -> dict[str, Change]:
    """Return the tokens that no role of a kind may take."""
    by_ids = REFUSED_BY_IDS if kind.repository.has_ids else {}
    of_subject = REFUSED_BY_IDS_OF_SUBJECT if kind.repository.subject_has_ids else {}
    return REFUSED_EVERYWHERE | by_ids | of_subject


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS with the access stacks of all kinds, each in two accounts of its own."""
    with LocalAws.start(tmp_path_factory.mktemp("trust"), enforce_iam=True) as started:
        for kind in KINDS.values():
            for _, of_account in groupby(kind.environments.values(), lambda each: each.account):
                for number, environment in enumerate(of_account):
                    _give_access(started, environment, is_first=number == 0)
        yield started


def _give_access(
    aws: LocalAws, environment: Environment, *, is_first: bool, templates: Templates = NOTHING_ELSE
) -> None:
    synthesized = cdk.App()
    stack = Access(synthesized, environment, templates, takes_existing_provider=not is_first)
    template = json.dumps(synthesized.synth().get_stack_by_name(stack.stack_name).template)
    client = aws.session(environment.account, environment.region).client("cloudformation")
    client.create_stack(StackName=stack.stack_name, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    client.get_waiter("stack_create_complete").wait(StackName=stack.stack_name, WaiterConfig={"Delay": 1})


def assumed(aws: LocalAws, kind: str, change: Change) -> set[tuple[Role, Role]]:
    """Try every token on every role, and return the pairs of whom a token was made for and a role that took it."""
    environments = KINDS[kind].environments
    tokens = {role: change(issued(environments[role[0]], role[1])) for role in ROLES}
    arns = {role: role_arn(environments[role[0]], role[1]) for role in ROLES}
    return {(made_for, role) for made_for, role in product(ROLES, ROLES) if _takes(aws, arns[role], tokens[made_for])}


def _takes(aws: LocalAws, role: str, token: Claims) -> bool:
    try:
        assume(aws, role, token)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "InvalidIdentityToken"):
            raise
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_each_role_takes_the_token_that_is_made_for_it_and_no_other(aws: LocalAws, kind: str) -> None:
    assert assumed(aws, kind, changed()) == {(role, role) for role in ROLES}


@pytest.mark.parametrize(("kind", "token"), [(kind, token) for kind in KINDS for token in _refused(KINDS[kind])])
def test_no_role_takes_a_token_of(aws: LocalAws, kind: str, token: str) -> None:
    assert not assumed(aws, kind, _refused(KINDS[kind])[token])


@pytest.mark.parametrize("token", REFUSED_BY_IDS)
def test_where_ids_are_not_known_names_are_all_that_is_compared(aws: LocalAws, token: str) -> None:
    assert assumed(aws, "no ids", REFUSED_BY_IDS[token]) == {(role, role) for role in ROLES}


@pytest.mark.parametrize(("kind", "token"), list(product(KINDS, REFUSED_BY_MAIN)))
def test_only_the_roles_of_pull_requests_take_a_token_of(aws: LocalAws, kind: str, token: str) -> None:
    assert assumed(aws, kind, REFUSED_BY_MAIN[token]) == {(role, role) for role in OF_PULL_REQUESTS}


def test_ten_environments_of_one_account_each_take_their_own_tokens_alone(aws: LocalAws) -> None:
    project = PROJECT.model_copy(update={"name": "p" * 12})
    made = [environment(name, project=project, account="9" * 12) for name in MANY]
    for number, each in enumerate(made):
        _give_access(aws, each, is_first=number == 0, templates=app.templates(each))
    arns = {each.name: role_arn(each, "deploy") for each in made}
    tokens = {each.name: issued(each, "deploy") for each in made}
    taken = {(by, of) for by, of in product(MANY, MANY) if _takes(aws, arns[by], tokens[of])}
    assert taken == {(name, name) for name in MANY}
