"""Stacks: what CloudFormation makes of them, tells of them, and detects."""

from functools import partial
from itertools import chain

from infra import naming
from infra.assumptions.check import Answer, check, refusal, refused, same, seen
from infra.assumptions.place import NotReachedError, Place
from infra.aws import drift
from infra.aws.drift import ResourceDrift
from infra.aws.leftovers import LOGICAL_ID, STACK_ID
from infra.policies.resources import toolkit_roles

# An account of nobody's, to be refused by.
ELSEWHERE = "999999999999"
STACKS, DRIFT = "infra/aws/stacks.py", "infra/pipeline/drift.py"


def _stacks(place: Place) -> list[str]:
    return [naming.platform_stack(place.target.environment), place.function.name]


def drifts(place: Place) -> list[ResourceDrift]:
    """Return the drift of each resource of the platform and of the function."""
    found = drift.detect(place.target, _stacks(place))
    return list(chain.from_iterable(each.resources for each in found.values()))


def _drift_of(place: Place, *kinds: str) -> Answer:
    """Return whether the resources of these types are as deployed, as far as drift detection looks at them."""
    of_kinds = [each for each in place.once(drifts) if each.kind in kinds]
    if not of_kinds:
        raise NotReachedError(f"neither stack has an {' or '.join(kinds)}")
    checked = [each for each in of_kinds if each.status not in (None, "NOT_CHECKED")]
    if not checked:
        raise NotReachedError("drift detection does not tell of it")
    told = [f"{each.kind} {each.status}{''.join(f', {change}' for change in each.changes)}" for each in checked]
    return seen(all(each.status == "IN_SYNC" for each in checked), "IN_SYNC", "; ".join(sorted(told)))


@check(STACKS, "UNCONFIRMED: CloudFormation has no error of its own for it")
def an_unknown_stack_does_not_exist(place: Place) -> Answer:
    """Describing a stack that does not exist is refused with a message that says `does not exist`."""
    code = refusal(partial(place.target.stacks.find, f"{place.function.name}-nowhere"))
    return same("known as absent", f"refused with {code}" if code else "known as absent")


@check("infra/aws/allowed.py", "service authorization reference")
def a_denial_has_a_code_that_we_know(place: Place) -> Answer:
    """What Lambda denies is refused with AccessDeniedException, as a function of another account is."""
    arn = f"arn:aws:lambda:{place.target.environment.region}:{ELSEWHERE}:function:{place.function.name}"
    code = refusal(partial(place.client.get_function_configuration, FunctionName=arn))
    return refused(code, "AccessDeniedException")


@check("infra/stacks/platform.py", "CloudFormation, AWS::Lambda::CapacityProvider, Arn")
def the_parameter_names_the_provider(place: Place) -> Answer:
    """The SSM parameter of the platform holds the ARN of its capacity provider, by which functions find it."""
    environment = place.target.environment
    name = naming.capacity_provider_parameter(environment, environment.capacity_provider.generation)
    return same(place.provider, place.any_client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


@check("infra/policies/execution.py", "computed from CloudFormation's resource schemas")
def a_deployment_needs_no_more_than_its_policies(place: Place) -> Answer:
    """CloudFormation made these stacks with the role of the bootstrap, which has the access stack's policies alone."""
    environment = place.target.environment
    (role,) = toolkit_roles(environment, "cfn-exec")
    told = [place.target.stacks.get(name).described.get("RoleARN") for name in _stacks(place)]
    used = {each for each in told if each}
    if not used:
        raise NotReachedError("these stacks were made without a role")
    attached = place.any_client("iam").list_attached_role_policies(RoleName=role.rpartition("/")[2])
    names = sorted(each["PolicyName"] for each in attached["AttachedPolicies"])
    ours = all(name.startswith(naming.execution_policy(environment)) for name in names)
    return seen(
        used == {role} and ours, f"{role} with ours alone", f"{', '.join(sorted(used))} with {', '.join(names)}"
    )


@check("infra/aws/leftovers.py", "CloudFormation user guide, resource tags")
def what_is_tagged_names_its_stack(place: Place) -> Answer:
    """Each resource that the tagging API lists by our tags has CloudFormation's tags of its stack and logical id."""
    wanted = [{"Key": key, "Values": [value]} for key, value in place.target.tags.items()]
    pages = place.any_client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=wanted)
    found = [each for page in pages for each in page["ResourceTagMappingList"]]
    if not found:
        raise NotReachedError("nothing is listed by our tags")
    keys = {STACK_ID, LOGICAL_ID}
    others = [each["ResourceARN"] for each in found if not keys <= {tag["Key"] for tag in each["Tags"]}]
    return same("all of them", f"not {', '.join(others)}" if others else "all of them")


@check(DRIFT, "UNCONFIRMED")
def a_provider_does_not_drift_by_itself(place: Place) -> Answer:
    """Drift of a capacity provider is detected, and as it was deployed it has none."""
    return _drift_of(place, "AWS::Lambda::CapacityProvider")


@check(DRIFT, "UNCONFIRMED")
def a_function_does_not_drift_by_itself(place: Place) -> Answer:
    """A function, its version and its alias have no drift as they were deployed."""
    return _drift_of(place, "AWS::Lambda::Function", "AWS::Lambda::Version", "AWS::Lambda::Alias")


@check(DRIFT, "UNCONFIRMED")
def a_secret_does_not_drift_by_itself(place: Place) -> Answer:
    """A secret that a function adds has no drift as it was deployed."""
    return _drift_of(place, "AWS::SecretsManager::Secret")


@check("infra/policies/places.py", "seen in the names that others show")
def a_secret_is_named_by_its_resource(place: Place) -> Answer:
    """The name that CloudFormation makes up for a secret begins with its logical id and a hyphen."""
    kind = "AWS::SecretsManager::Secret"
    found = [each for each in place.target.stacks.resources(place.function.name) if each["ResourceType"] == kind]
    if not found:
        raise NotReachedError(f"the stack has no {kind}")
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"].rpartition(":")[2] for each in found}
    begins = all(name.startswith(f"{logical}-") for logical, name in names.items())
    return seen(begins, ", ".join(f"{logical}-..." for logical in names), ", ".join(names.values()))
