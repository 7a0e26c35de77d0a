"""Print what the environments cost a month in which nothing is executed: counted in their templates, and priced.

Prices are in US dollars, of AWS's public lists as they were in 2026: instances of eu-west-1, the rest of us-east-1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import app
from infra.environment import Environment, load_all
from infra.project import LOCAL
from tests.infra.synthesis import COMMIT, Resources, make_app, of_type, synthesized

HOURS = 730
# What Lambda takes where no type is named: 4 vCPUs and, with 4 GiB for each, m7g.xlarge. With Lambda's fee on it.
INSTANCE = 0.1819 * 1.15
GATEWAY = 0.045 + 0.005  # with its address
ENDPOINT = 0.01  # in one zone


@dataclass(frozen=True)
class Floor:
    """What runs in an environment when nothing is executed. Of previews, the first is that of each pull request."""

    live: int
    retained: int
    gateways: int
    endpoints: int

    @property
    def dollars(self) -> float:
        """What it costs a month, but for the previews of pull requests."""
        hourly = self.gateways * GATEWAY + self.endpoints * ENDPOINT
        return HOURS * (hourly + (self.live + self.retained) * INSTANCE)


def main() -> None:
    """Print a row per environment."""
    print(
        "| environment | instances of live versions | of retained ones | NAT gateways | endpoints, by zone | a month |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, environment in load_all().items():
        if name != LOCAL:
            print("\n".join(rows(environment, floor(environment))))


def rows(environment: Environment, found: Floor) -> Iterator[str]:
    """Return the rows of an environment: of that for previews, one more for each pull request."""
    network = f"{found.gateways} | {found.endpoints}"
    if environment.hosts_previews:
        of_each = Floor(found.live, 0, 0, 0)
        yield f"| {environment.name} | | | {network} | ${Floor(0, 0, found.gateways, found.endpoints).dollars:.0f} |"
        yield f"| and each open pull request | {found.live} | | | | ${of_each.dollars:.0f} |"
    else:
        instances = f"{found.live} | {found.retained}"
        yield f"| {environment.name} | {instances} | {network} | ${found.dollars:.0f} |"


def floor(environment: Environment) -> Floor:
    """Count what an environment has when nothing runs, an instance for each execution environment."""
    settings = [environment.settings(name) for name in environment.function_names]
    resources = _resources(environment)
    endpoints = [each["Properties"] for each in of_type(resources, "AWS::EC2::VPCEndpoint").values()]
    return Floor(
        live=sum(each.minimum_environments for each in settings),
        # Each keeps one at most.
        retained=sum(each.retained_versions * min(each.minimum_environments, 1) for each in settings),
        gateways=len(of_type(resources, "AWS::EC2::NatGateway")),
        endpoints=sum(len(each["SubnetIds"]) for each in endpoints if each["VpcEndpointType"] == "Interface"),
    )


def _resources(environment: Environment) -> Resources:
    """Return the resources of an environment's templates, which need no bundle here."""
    with TemporaryDirectory() as folder:

        def nothing(*_: object) -> Path:
            (archive := Path(folder) / "bundle.zip").write_bytes(b"")
            return archive

        built = make_app(Path(folder) / "assembly", environment=environment.name, commit=COMMIT)
        app.build(built, nothing, lambda _: environment)
        stacks = synthesized(built).stacks
        return {f"{stack.name} {key}": resource for stack in stacks for key, resource in stack.resources.items()}


if __name__ == "__main__":
    main()
