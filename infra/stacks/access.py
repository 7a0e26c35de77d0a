"""The access stack, one per account: who on GitHub may do what in the account's environments.

A person deploys it with credentials of their own, before the CDK's bootstrap, whose limits it holds. No workflow can
change it: no role of it may.
"""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import naming
from infra.environment import Environment
from infra.policies import execution as execution_policies
from infra.policies import purposes, trust
from infra.policies.purposes import Purpose
from infra.policies.resources import Statement
from infra.policies.roles import permissions
from infra.repository import Repository


class Access(cdk.Stack):
    """The roles that workflows assume in the environments of one account, and what limits them."""

    def __init__(
        self,
        scope: Construct,
        repository: Repository,
        environments: list[Environment],
        *,
        takes_existing_provider: bool = False,
    ) -> None:
        # What is made here belongs to no region; the stack itself lies in that of the account's first environment.
        first = environments[0]
        super().__init__(
            scope,
            naming.ACCESS_STACK,
            description=f"Access of {repository.full_name} on GitHub to the environments of this account",
            env=cdk.Environment(account=first.account, region=first.region),
            # It needs no bootstrap: no assets, and the credentials of whoever deploys it.
            synthesizer=cdk.LegacyStackSynthesizer(),
            termination_protection=True,
        )
        provider = None if takes_existing_provider else self._provider()
        for environment in environments:
            self._policies(environment)
            for purpose in purposes.PURPOSES:
                permitted = permissions(purpose, environment, environments)
                role = self._role(repository, environment, purpose, permitted)
                if provider:
                    role.node.add_dependency(provider)

    def _provider(self) -> iam.CfnOIDCProvider:
        provider = iam.CfnOIDCProvider(self, "GitHub", url=f"https://{trust.GITHUB}", client_id_list=[trust.AUDIENCE])
        # There is one per account and address, which others may have come to use.
        provider.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return provider

    def _policies(self, environment: Environment) -> None:
        name = environment.name.capitalize()
        self._policy(
            f"{name}Execution",
            naming.execution_policy(environment),
            f"What CloudFormation may do in {environment.name}",
            execution_policies.execution(environment),
        )
        if environment.hosts_previews:
            self._policy(
                f"{name}Boundary",
                naming.boundary(environment),
                f"What the functions of {environment.name} may do at most",
                execution_policies.boundary(environment),
            )

    def _policy(self, construct: str, name: str, description: str, statements: list[Statement]) -> None:
        iam.CfnManagedPolicy(
            self,
            construct,
            managed_policy_name=name,
            description=description,
            policy_document=_document(statements),
        )

    def _role(
        self, repository: Repository, environment: Environment, purpose: Purpose, permitted: list[Statement]
    ) -> iam.CfnRole:
        claims = trust.claims(repository, environment, purpose)
        trusted = {
            "Effect": "Allow",
            "Principal": {"Federated": trust.provider_arn(environment.account)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{trust.GITHUB}:{claim}": value for claim, value in claims.items()}},
        }
        return iam.CfnRole(
            self,
            environment.name.capitalize() + purpose.capitalize(),
            role_name=purposes.role(environment, purpose),
            description=f"{purpose} {environment.name}, from the GitHub environment "
            f"{purposes.github_environment(environment, purpose)}",
            assume_role_policy_document=_document([trusted]),
            policies=[iam.CfnRole.PolicyProperty(policy_name=purpose, policy_document=_document(permitted))],
        )


def _document(statements: list[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}
