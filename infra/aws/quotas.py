"""Service quotas, by the codes under which AWS keeps them, and what an account has of each."""

from typing import Any, NamedTuple, cast

import boto3


class Quota(NamedTuple):
    """A quota: the service's code, its own, and words that its name has."""

    service: str
    code: str
    words: str


# What instances of Managed Instances count for (EC2 user guide, On-Demand Instance quotas).
VCPUS = Quota("ec2", "L-1216C47A", "Running On-Demand Standard")
# Starts of durable executions in a second. No page of AWS's that we could read has it.
STARTS = Quota("lambda", "L-A0D6E196", "urable")


def read(session: boto3.Session, quota: Quota) -> tuple[str, float]:
    """Return the name of a quota as AWS has it, and its value in the session's account and region."""
    client = cast("Any", session).client("service-quotas")
    found = client.get_service_quota(ServiceCode=quota.service, QuotaCode=quota.code)["Quota"]
    return found["QuotaName"], found["Value"]
