"""The environments of the tests' own project in two accounts, whose repository GitHub may know in three ways.

What the tests of access expect, they say of these.
"""

from dataclasses import dataclass

from infra.environment import Environment
from infra.project import Repository
from tests.infra.fakes.environments import PROJECT, REPOSITORY, environment


@dataclass(frozen=True)
class Kind:
    """What is known of a repository, and its project's environments in two accounts of their own.

    Args:
        repository: what project.toml says of it.
        account: that of dev and preview.
        account_of_prod: another.
    """

    repository: Repository
    account: str
    account_of_prod: str

    @property
    def environments(self) -> dict[str, Environment]:
        """Its environments; prod has endpoints and flow logs, the others NAT."""
        project = PROJECT.model_copy(update={"repository": self.repository})
        network = {"nat_gateways": 0, "flow_logs": True}
        made = [
            environment("dev", project=project, account=self.account),
            environment("preview", project=project, account=self.account, preview_days=7),
            environment("prod", project=project, account=self.account_of_prod, network=network),
        ]
        return {each.name: each for each in made}


KINDS = {
    "subject with ids": Kind(REPOSITORY, "333333333333", "444444444444"),
    "ids known": Kind(REPOSITORY.model_copy(update={"subject_has_ids": False}), "555555555555", "666666666666"),
    "no ids": Kind(
        REPOSITORY.model_copy(update={"subject_has_ids": False, "owner_id": 0, "id": 0}),
        "777777777777",
        "888888888888",
    ),
}

ENVIRONMENTS = KINDS["subject with ids"].environments
DEV, PREVIEW, PROD = ENVIRONMENTS.values()
ACCOUNTS = {DEV.account: [DEV, PREVIEW], PROD.account: [PROD]}
