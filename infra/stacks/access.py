"""The access stack, one per environment: who on GitHub may do what there, and the roles of its platform.

A person deploys it with credentials of their own, before the CDK's bootstrap, whose limits it holds. No workflow can
change it: no role of it may. One for all environments of an account would be larger than CloudFormation takes without
an upload, which takes a bootstrap.
"""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
import yaml
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import naming
from infra.environment import Environment
from infra.errors import UsageError
from infra.policies import purposes, trust
from infra.policies.boundary import boundary
from infra.policies.execution import execution_policies
from infra.policies.given_to_platform import platform_roles
from infra.policies.places import Templates
from infra.policies.purposes import Purpose
from infra.policies.resources import Statement, document
from infra.policies.roles import permissions

# CloudFormation quota of a template that a call carries, in bytes.
LARGEST_TEMPLATE = 51200


class Access(cdk.Stack):
    """The roles that workflows assume in one environment, what limits them, and the roles that its platform takes.

    Args:
        scope: the app.
        environment: the environment.
        templates: what its stacks hold.
        takes_existing_provider: whether the account has the identity provider already, of which there can be one only.

    Raises:
        UsageError: they hold what workflows may not make, or functions are granted what they may not have there.
    """

    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        templates: Templates,
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
        self._policies(environment, templates)
        self._roles_of_platform(environment)
        for purpose in purposes.PURPOSES:
            role = self._role(environment, purpose, permissions(purpose, environment, templates))
            if provider:
                role.node.add_dependency(provider)

    def _provider(self) -> iam.CfnOIDCProvider:
        provider = iam.CfnOIDCProvider(self, "GitHub", url=f"https://{trust.GITHUB}", client_id_list=[trust.AUDIENCE])
        # There is one per account and address, which others may have come to use.
        provider.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return provider

    def _policies(self, environment: Environment, templates: Templates) -> None:
        for number, (name, statements) in enumerate(execution_policies(environment, templates).items(), 1):
            construct = f"Execution{number if number > 1 else ''}"
            self._policy(construct, name, f"What CloudFormation may do in {environment.name}", statements)
        description = f"What the functions of {environment.name} may do at most"
        self._policy("Boundary", naming.boundary(environment), description, boundary(environment, templates))

    def _roles_of_platform(self, environment: Environment) -> None:
        for role in platform_roles(environment):
            iam.CfnRole(
                self,
                role.construct,
                role_name=role.name,
                description=role.description,
                assume_role_policy_document=role.trust,
                managed_policy_arns=[*role.managed_policies] or None,
                policies=[iam.CfnRole.PolicyProperty(policy_name="own", policy_document=document(role.statements))],
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


class _AsTheCli(yaml.SafeDumper):
    """Indents lists, as the CDK CLI does."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - of the base class
        super().increase_indent(flow, indentless=False)


def check_size(template: Mapping[str, Any], environment: Environment) -> None:
    """Check that an access stack can be deployed without a bucket, as YAML, which is how the CDK CLI sends it.

    Raises:
        UsageError: it is larger than CloudFormation takes in a call (CloudFormation quotas, template body size).
    """
    size = len(yaml.dump(template, Dumper=_AsTheCli, sort_keys=False, width=1_000_000).encode())
    if size > LARGEST_TEMPLATE:
        raise UsageError(
            f"{naming.access_stack(environment)} would have {size:,} bytes, and CloudFormation takes "
            f"{LARGEST_TEMPLATE:,} where there is no bucket; have fewer resource types, and grant fewer actions, in "
            "functions/*/infrastructure.py"
        )
