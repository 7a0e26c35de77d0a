"""Print what the environments cost a month in which nothing is executed: counted in their templates, and priced.

Prices are in US dollars, of AWS's public lists as they were in 2026: instances of eu-west-1, the rest of us-east-1.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from infra import app
from infra.capacity import instances
from infra.environment import Environment, load_all
from infra.project import LOCAL
from tests.infra.synthesis import COMMIT, Resources, make_app, of_type, synthesized

HOURS = 730
# Of an instance, for each of its vCPUs, with Lambda's fee on it: m7g's, whose sizes cost in proportion.
VCPU = 0.1819 / 4 * 1.15
GATEWAY = 0.045 + 0.005  # with its address
ENDPOINT = 0.01  # in one zone


@dataclass(frozen=True)
class Floor:
    """What runs in an environment when nothing is executed; of previews, the instances are those of each."""

    instances: int
    vcpus: int
    gateways: int
    endpoints: int

    @property
    def dollars(self) -> float:
        """What the network costs a month."""
        return HOURS * (self.gateways * GATEWAY + self.endpoints * ENDPOINT)

    @property
    def dollars_of_instances(self) -> float:
        """What the instances cost a month."""
        return HOURS * self.vcpus * VCPU


def main() -> None:
    """Print a row per environment."""
    print("| environment | instances | their vCPUs | NAT gateways | endpoints, by zone | a month |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, environment in load_all().items():
        if name != LOCAL:
            print("\n".join(rows(environment, floor(environment))))


def rows(environment: Environment, found: Floor) -> Iterator[str]:
    """Return the rows of an environment: of that for previews, one more for each pull request."""
    instances, network = f"{found.instances} | {found.vcpus}", f"{found.gateways} | {found.endpoints}"
    if environment.hosts_previews:
        yield f"| {environment.name} | | | {network} | ${found.dollars:.0f} |"
        yield f"| and each preview that is awake | {instances} | | | ${found.dollars_of_instances:.0f} |"
    else:
        both = found.dollars + found.dollars_of_instances
        yield f"| {environment.name} | {instances} | {network} | ${both:.0f} |"


def floor(environment: Environment) -> Floor:
    """Count what an environment has when nothing runs. Of retained versions nothing does."""
    provider, zones = environment.capacity_provider, len(environment.network.zones)
    settings = [environment.settings(name) for name in environment.function_names]
    live = [instances(provider, zones, each, each.minimum_environments) for each in settings]
    resources = _resources(environment)
    endpoints = [each["Properties"] for each in of_type(resources, "AWS::EC2::VPCEndpoint").values()]
    return Floor(
        instances=sum(each.count for each in live),
        vcpus=sum(each.count * each.vcpus for each in live),
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
