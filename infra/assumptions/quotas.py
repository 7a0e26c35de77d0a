"""Service quotas: that those which `doctor` reads are under the codes by which it asks."""

from infra.assumptions.check import Answer, check, seen
from infra.assumptions.place import Place
from infra.aws import quotas
from infra.aws.quotas import Quota

RELIED_ON = "infra/aws/quotas.py"


def _named(place: Place, quota: Quota) -> Answer:
    name, value = quotas.read(place.target.session, quota)
    return seen(quota.words in name, f"a name with {quota.words!r}", f"{name}: {value:g}")


@check(RELIED_ON, "EC2 user guide, On-Demand Instance quotas")
def the_quota_of_vcpus_has_this_code(place: Place) -> Answer:
    """The quota L-1216C47A of EC2 is that of the vCPUs of running On-Demand Standard instances."""
    return _named(place, quotas.VCPUS)


@check(RELIED_ON, "UNCONFIRMED")
def the_quota_of_starts_has_this_code(place: Place) -> Answer:
    """The quota L-A0D6E196 of Lambda is that of the durable executions that may start in a second."""
    return _named(place, quotas.STARTS)
