"""The capacity provider and its instances."""

from typing import Any

from infra import naming
from infra.assumptions.check import Answer, check, same, seen
from infra.assumptions.place import NotReachedError, Place
from infra.aws import capacity_provider

PROVIDER = "infra/aws/capacity_provider.py"
# What Lambda takes where no type is named.
USUAL_VCPUS = 4


def instances(place: Place) -> list[dict[str, Any]]:
    """Return the instances that run in the subnets of the capacity provider, which nothing else has."""
    answer = place.client.get_capacity_provider(CapacityProviderName=place.provider)
    subnets = answer["CapacityProvider"]["VpcConfig"]["SubnetIds"]
    wanted = [
        {"Name": "subnet-id", "Values": subnets},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    pages = place.any_client("ec2").get_paginator("describe_instances").paginate(Filters=wanted)
    found = [each for page in pages for held in page["Reservations"] for each in held["Instances"]]
    if not found:
        raise NotReachedError("no instance is listed in the subnets of the capacity provider")
    return found


def on_provider(place: Place) -> list[str]:
    """Return the ARNs of the versions on the capacity provider."""
    return capacity_provider.versions(place.target) or []


@check("infra/policies/resources.py", "UNCONFIRMED")
def a_provider_is_named_by_its_stack(place: Place) -> Answer:
    """The name that CloudFormation makes up for a capacity provider begins with the stack's name and a hyphen."""
    beginning = f"{naming.platform_stack(place.target.environment)}-"
    name = place.provider.rpartition(":")[2]
    return seen(name.startswith(beginning), f"{beginning}...", name)


@check(PROVIDER, "Lambda API, ListFunctionVersionsByCapacityProvider")
def a_provider_lists_the_version_that_is_live(place: Place) -> Answer:
    """The versions on a capacity provider are listed by its ARN, each with the number at the end of its own."""
    wanted = f":function:{place.function.name}:{place.live}"
    found = [arn for arn in place.once(on_provider) if arn.endswith(wanted)]
    return seen(found, f"...{wanted}", ", ".join(place.once(on_provider)) or "none")


@check("infra/pipeline/prune.py", "UNCONFIRMED")
def a_provider_counts_numbers_alone(place: Place) -> Answer:
    """$LATEST.PUBLISHED takes no place among the 100 versions of a capacity provider, where it is at 0 to 0."""
    others = [arn for arn in place.once(on_provider) if not arn.rpartition(":")[2].isdigit()]
    return same("none but numbers", ", ".join(others) or "none but numbers")


@check("infra/environment.py", "measured once by others, for x86-64")
def an_instance_has_four_vcpus(place: Place) -> Answer:
    """Where no instance type is named, Lambda takes instances of 4 vCPUs."""
    if named := place.target.environment.capacity_provider.instance_types:
        raise NotReachedError(f"the file of {place.target.environment.name} names {', '.join(named)}")
    types = sorted({each["InstanceType"] for each in place.once(instances)})
    described = place.any_client("ec2").describe_instance_types(InstanceTypes=types)["InstanceTypes"]
    sizes = {each["InstanceType"]: each["VCpuInfo"]["DefaultVCpus"] for each in described}
    found = ", ".join(f"{name}: {size}" for name, size in sizes.items())
    return seen({*sizes.values()} == {USUAL_VCPUS}, f"{USUAL_VCPUS} vCPUs each", found)


@check("docs/production.md", "measured once by others, three for three")
def an_environment_is_an_instance(place: Place) -> Answer:
    """There are as many instances as the versions on the provider keep execution environments at least."""
    found = len(place.once(instances))
    floors = 0
    for arn in place.once(on_provider):
        name, version = arn.split(":")[-2:]
        config = place.client.get_function_scaling_config(FunctionName=name, Qualifier=version)
        floors += config.get("AppliedFunctionScalingConfig", {}).get("MinExecutionEnvironments", 0)
    return same(f"{floors} instances", f"{found} instances")


@check("infra/stacks/platform.py", "CloudFormation, AWS::Lambda::CapacityProvider, PropagateTags")
def an_instance_has_the_tags_of_its_provider(place: Place) -> Answer:
    """An instance has the tags that its capacity provider propagates."""
    answer = place.client.get_capacity_provider(CapacityProviderName=place.provider)
    wanted = answer["CapacityProvider"].get("PropagateTags", {}).get("ExplicitTags", {})
    if not wanted:
        raise NotReachedError("the capacity provider propagates no tags")
    tags = [{each["Key"]: each["Value"] for each in instance.get("Tags", [])} for instance in place.once(instances)]
    lacking = sum(not wanted.items() <= each.items() for each in tags)
    return same("all of them", "all of them" if not lacking else f"not {lacking} of {len(tags)}")


@check("docs/production.md", "UNCONFIRMED")
def an_instance_has_no_disk_that_we_pay_for(place: Place) -> Answer:
    """No volume of ours is attached to an instance of the capacity provider."""
    ids = [each["InstanceId"] for each in place.once(instances)]
    wanted = [{"Name": "attachment.instance-id", "Values": ids}]
    pages = place.any_client("ec2").get_paginator("describe_volumes").paginate(Filters=wanted)
    sizes = [f"{each['VolumeType']} of {each['Size']} GiB" for page in pages for each in page["Volumes"]]
    return same("none", ", ".join(sizes) or "none")
