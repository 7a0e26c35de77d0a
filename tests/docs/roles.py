"""Print who may assume each role of an environment, the jobs that do, and what it may do, as the policies have it."""

from collections import defaultdict
from collections.abc import Iterator

from infra import app, naming
from infra.environment import Environment
from infra.policies import trust
from infra.policies.purposes import PURPOSES, Purpose, github_environment, serves_pull_requests
from infra.policies.resources import Statement
from infra.policies.roles import permissions
from tests.infra.fakes.environments import DEV, PREVIEW, PROJECT
from tests.workflows.accesses import STARTED_BY_ITSELF, accesses

# With every stage that there may be.
LONGEST = PROJECT.model_copy(update={"promote": ["dev", "two", "three", "four"]})
# Of a service with more actions than a reader counts, reads are told by their verbs.
MANY = 12
VERBS = ("BatchDescribe", "Describe", "Detect", "Get", "List")

Allowed = list[tuple[list[str], list[str]]]


def main() -> None:
    """Print an overview, and a table for each role."""
    print("\n".join(overview()))
    for purpose in PURPOSES:
        print(f"\n**{purpose}** may:\n")
        print("\n".join(table(permissions(purpose, DEV, app.templates(DEV)))))


def overview() -> Iterator[str]:
    """Return a row per role: its GitHub environment, whose tokens it takes, and the jobs that have them."""
    yield "| role | GitHub environment | takes tokens of | jobs that use it |"
    yield "| --- | --- | --- | --- |"
    jobs = _jobs()
    for purpose in PURPOSES:
        place = github_environment(DEV, purpose).replace(DEV.name, "ENVIRONMENT")
        yield f"| {purpose} | `{place}` | {_trusts(purpose)} | {', '.join(jobs[purpose])} |"


def table(statements: list[Statement]) -> Iterator[str]:
    """Return the rows of what statements allow: by service, which actions on what."""
    yield "| service | actions | on |"
    yield "| --- | --- | --- |"
    by_service: dict[str, Allowed] = defaultdict(list)
    for statement in statements:
        split = [action.split(":") for action in statement["Action"]]
        for service in dict.fromkeys(service for service, _ in split):
            by_service[service].append(([name for of, name in split if of == service], statement["Resource"]))
    for service, allowed in sorted(by_service.items()):
        for actions, on in _short(allowed):
            resources = dict.fromkeys(f"`{_resource(arn)}`" for arn in on)
            yield f"| {service} | {', '.join(actions)} | {', '.join(resources)} |"


def _short(allowed: Allowed) -> Allowed:
    """Return the verbs of very many reads in place of these."""
    names = {name for each, _ in allowed for name in each}
    if len(names) <= MANY or not all(name.startswith(VERBS) for name in names):
        return allowed
    verbs = [verb for verb in VERBS if any(name.startswith(verb) for name in names)]
    return [([f"{len(names)} that begin with {' or '.join(verbs)}"], [arn for _, on in allowed for arn in on])]


def _trusts(purpose: Purpose) -> str:
    if serves_pull_requests(DEV, purpose):
        return "any branch of the repository"
    of_main = f"`main`, and `{trust.WORKFLOWS[purpose]}` of `main` alone"
    return f"{of_main}; for previews any branch" if serves_pull_requests(PREVIEW, purpose) else of_main


def _jobs() -> dict[str, list[str]]:
    """Return the jobs that use the role of each purpose, by workflow."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for workflow in STARTED_BY_ITSELF:
        for access in accesses(workflow, LONGEST):
            jobs = found[access.purpose][workflow]
            jobs += [] if access.job in jobs else [access.job]
    return {
        purpose: [f"`{workflow}` ({', '.join(jobs)})" for workflow, jobs in sorted(by_workflow.items())]
        for purpose, by_workflow in found.items()
    }


def _resource(arn: str) -> str:
    """Return an ARN without what all have, and with words for what differs between environments."""
    for value, word in _words(DEV).items():
        arn = arn.replace(value, word)
    return arn if arn == "*" else arn.split(":", 5)[-1]


def _words(environment: Environment) -> dict[str, str]:
    """Return the words that stand for what an environment's names are made of, the longest names first."""
    return {
        naming.qualifier(environment): "QUALIFIER",
        environment.account: "ACCOUNT",
        environment.region: "REGION",
        naming.platform_stack(environment): "PROJECT-platform-ENVIRONMENT",
        naming.access_stack(environment): "PROJECT-access-ENVIRONMENT",
        naming.whole(environment): "PROJECT-ENVIRONMENT",
    }


if __name__ == "__main__":
    main()
