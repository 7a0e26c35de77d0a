"""The access stack, one per environment: who on GitHub may do what there.

A person deploys it with credentials of their own, before the CDK's bootstrap, whose limits it holds. No workflow can
change it: no role of it may. One for all environments of an account would be larger than CloudFormation takes without
an upload, which takes a bootstrap.
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


class Access(cdk.Stack):
    """The roles that workflows assume in one environment, and what limits them.

    Args:
        scope: the app.
        environment: the environment.
        takes_existing_provider: whether the account has the identity provider already, of which there can be one only.
    """

    def __init__(self, scope: Construct, environment: Environment, *, takes_existing_provider: bool = False) -> None:
        super().__init__(
            scope,
            naming.access_stack(environment),
            description=f"Access of {environment.project.repository.full_name} on GitHub to {environment.name}",
            env=cdk.Environment(account=environment.account, region=environment.region),
            # It needs no bootstrap: no assets, and the credentials of whoever deploys it.
            synthesizer=cdk.LegacyStackSynthesizer(),
            termination_protection=True,
        )
        provider = None if takes_existing_provider else self._provider()
        self._policies(environment)
        for purpose in purposes.PURPOSES:
            role = self._role(environment, purpose)
            if provider:
                role.node.add_dependency(provider)

    def _provider(self) -> iam.CfnOIDCProvider:
        provider = iam.CfnOIDCProvider(self, "GitHub", url=f"https://{trust.GITHUB}", client_id_list=[trust.AUDIENCE])
        # There is one per account and address, which others may have come to use.
        provider.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return provider

    def _policies(self, environment: Environment) -> None:
        self._policy(
            "Execution",
            naming.execution_policy(environment),
            f"What CloudFormation may do in {environment.name}",
            execution_policies.execution(environment),
        )
        if environment.hosts_previews:
            self._policy(
                "Boundary",
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

    def _role(self, environment: Environment, purpose: Purpose) -> iam.CfnRole:
        claims = trust.claims(environment, purpose)
        trusted = {
            "Effect": "Allow",
            "Principal": {"Federated": trust.provider_arn(environment.account)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": {f"{trust.GITHUB}:{claim}": value for claim, value in claims.items()}},
        }
        return iam.CfnRole(
            self,
            purpose.capitalize(),
            role_name=purposes.role(environment, purpose),
            description=f"{purpose} {environment.name}, from the GitHub environment "
            f"{purposes.github_environment(environment, purpose)}",
            assume_role_policy_document=_document([trusted]),
            policies=[
                iam.CfnRole.PolicyProperty(
                    policy_name=purpose, policy_document=_document(permissions(purpose, environment))
                )
            ],
        )


def _document(statements: list[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}
