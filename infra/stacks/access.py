"""The access stack, one per environment: who on GitHub may do what there.

A person deploys it with credentials of their own, before the CDK's bootstrap, whose limits it holds. No workflow can
change it: no role of it may. One for all environments of an account would be larger than CloudFormation takes without
an upload, which takes a bootstrap.
"""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import naming
from infra.environment import Environment
from infra.policies import execution as execution_policies
from infra.policies import purposes, trust
from infra.policies.places import NOTHING, Added
from infra.policies.purposes import Purpose
from infra.policies.resources import Statement, document
from infra.policies.roles import permissions


class Access(cdk.Stack):
    """The roles that workflows assume in one environment, and what limits them.

    Args:
        scope: the app.
        environment: the environment.
        added: what functions add to their stacks there, and are granted.
        takes_existing_provider: whether the account has the identity provider already, of which there can be one only.

    Raises:
        UsageError: functions add or are granted what they may not have there.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        added: Added = NOTHING,
        *,
        takes_existing_provider: bool = False,
    ) -> None:
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
        self._policies(environment, added)
        for purpose in purposes.PURPOSES:
            role = self._role(environment, purpose, permissions(purpose, environment, added))
            if provider:
                role.node.add_dependency(provider)

    def _provider(self) -> iam.CfnOIDCProvider:
        provider = iam.CfnOIDCProvider(self, "GitHub", url=f"https://{trust.GITHUB}", client_id_list=[trust.AUDIENCE])
        # There is one per account and address, which others may have come to use.
        provider.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return provider

    def _policies(self, environment: Environment, added: Added) -> None:
        description = f"What CloudFormation may do in {environment.name}"
        policies = execution_policies.execution_policies(environment, added)
        for number, (name, statements) in enumerate(policies.items()):
            construct = f"ExecutionOfFunctions{number if number > 1 else ''}" if number else "Execution"
            beyond = ", for what functions add" if number else ""
            self._policy(construct, name, description + beyond, statements)
        if environment.hosts_previews:
            self._policy(
                "Boundary",
                naming.boundary(environment),
                f"What the functions of {environment.name} may do at most",
                execution_policies.boundary(environment, added),
            )

    def _policy(self, construct: str, name: str, description: str, statements: list[Statement]) -> None:
        iam.CfnManagedPolicy(
            self,
            construct,
            managed_policy_name=name,
            description=description,
            policy_document=document(statements),
        )

    def _role(self, environment: Environment, purpose: Purpose, permitted: list[Statement]) -> iam.CfnRole:
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
            assume_role_policy_document=document([trusted]),
            policies=[iam.CfnRole.PolicyProperty(policy_name=purpose, policy_document=document(permitted))],
        )
