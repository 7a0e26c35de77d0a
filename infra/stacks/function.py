"""The stack of one durable function in an environment, or in a preview: function, version, alias, and what it needs.

Each function has one of its own: when one can't be deployed, no other is taken back with it.
"""

from typing import cast

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from infra import naming
from infra.environment import Environment, Settings
from infra.naming import Output
from infra.needs import Infrastructure, Needs, Resources, read
from infra.policies.boundary import boundary_arn
from infra.stacks.alone import resources_of
from infra.stacks.defaults import follow
from infra.stacks.log_group import LogGroup
from infra.stacks.platform import ARCHITECTURES, LAMBDA
from infra.stacks.suppress import REDUNDANT_DEPENDENCY, suppress


class FunctionStack(cdk.Stack):
    """One durable function.

    Args:
        scope: the app.
        environment: where it goes.
        function: its folder in functions/.
        synthesizer: how it gets there.
        code: the zip with its code.
        infrastructure: what adds what it needs.
        given: the resources that come of that, or None while that is being found out.
        pull_request: the pull request in whose preview it is, or None.

    Raises:
        UsageError: the infrastructure fails.
    """

    def __init__(  # noqa: PLR0913 - as many facts as there are
        self,
        scope: Construct,
        environment: Environment,
        function: str,
        synthesizer: cdk.IStackSynthesizer,
        code: lambda_.Code,
        *,
        infrastructure: Infrastructure,
        given: Resources | None = None,
        pull_request: int | None = None,
    ) -> None:
        name = naming.function(environment, function, pull_request)
        super().__init__(
            scope,
            name,
            description=f"The durable function {function}",
            env=cdk.Environment(account=environment.account, region=environment.region),
            synthesizer=synthesizer,
            termination_protection=environment.protection.termination_protection,
        )
        # Whoever writes the function writes these roles' policies. The boundary is what they can't write.
        boundary = iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", boundary_arn(environment))
        iam.PermissionsBoundary.of(self).apply(boundary)
        cdk.Tags.of(self).add("function", function)
        settings = environment.settings(function)
        group = LogGroup(self, "Logs", environment, settings.log_retention_days)
        made = self._function(environment, settings, f"{function}.handler.handler", group, code)
        self._attach(made, environment, settings)
        version = made.current_version
        # Callers, executions and permissions go through the alias. Never through the function itself: a durable
        # execution belongs to a version, and an unqualified ARN names none.
        alias = lambda_.Alias(self, "Alias", alias_name=naming.ALIAS, version=cast("lambda_.IVersion", version))
        infrastructure.add(self, made, alias)
        if given is not None:
            follow(self, environment, settings.log_retention_days, given)
        cdk.CfnOutput(self, Output.FUNCTION_NAME, value=made.function_name)
        cdk.CfnOutput(self, Output.ALIAS_ARN, value=alias.function_arn)
        cdk.CfnOutput(self, Output.VERSION, value=version.version)
        cdk.CfnOutput(self, Output.LOG_GROUP_NAME, value=group.log_group_name)

    def _function(
        self, environment: Environment, settings: Settings, handler: str, group: LogGroup, code: lambda_.Code
    ) -> lambda_.Function:
        function = lambda_.Function(
            self,
            "Function",
            function_name=self.stack_name,
            description=self.template_options.description,
            runtime=lambda_.Runtime(settings.runtime, lambda_.RuntimeFamily.PYTHON),
            architecture=ARCHITECTURES[environment.capacity_provider.architecture],
            handler=handler,
            code=code,
            role=cast("iam.IRole", self._role(group)),
            memory_size=settings.memory_mb,
            timeout=cdk.Duration.seconds(settings.timeout_seconds),
            log_group=group,
            logging_format=lambda_.LoggingFormat.JSON,
            application_log_level_v2=lambda_.ApplicationLogLevel[settings.log_level],
            system_log_level_v2=lambda_.SystemLogLevel.INFO,
            durable_config=lambda_.DurableConfig(
                execution_timeout=cdk.Duration.seconds(settings.durable.execution_timeout_seconds),
                retention_period=cdk.Duration.days(settings.durable.retention_days),
            ),
            # Executions run to their end on the version that they started on, so a deployment must not remove it.
            current_version_options=lambda_.VersionOptions(
                removal_policy=cdk.RemovalPolicy.RETAIN,
                min_execution_environments=settings.minimum_environments,
                max_execution_environments=settings.maximum_environments,
            ),
        )
        cdk.Annotations.of(function).acknowledge_info(
            "aws-lambda:Function.DurableConfig",
            "The function was durable from the start, so it is never replaced for it",
        )
        suppress(
            function,
            {
                "CKV_AWS_115": "The capacity provider and the version's maximum of environments bound the concurrency",
                "CKV_AWS_116": "A durable execution that fails is kept, with its input and history, and can be listed",
                "CKV_AWS_117": "Its network is that of the capacity provider",
                "CKV_AWS_173": "Lambda encrypts its variables with a key of AWS's, and secrets do not belong in them",
                "W3005": REDUNDANT_DEPENDENCY,
            },
        )
        return function

    def _role(self, group: LogGroup) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            assumed_by=LAMBDA,
            description=f"What the function {self.stack_name} may do",
        )
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["lambda:CheckpointDurableExecution", "lambda:GetDurableExecutionState"],
                # The service authorizes these on a version's executions; the function's own ARN would never match.
                resources=[
                    self.format_arn(
                        service="lambda",
                        resource="function",
                        resource_name=f"{self.stack_name}:*",
                        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
                    )
                ],
            )
        )
        group.grant_write(role)
        return role

    def _attach(self, function: lambda_.Function, environment: Environment, settings: Settings) -> None:
        """Run the function on the instances of the platform's capacity provider."""
        resource = cast("lambda_.CfnFunction", function.node.default_child)
        # CloudFormation reads the parameter when it deploys, so that synthesis needs no credentials. An imported
        # capacity provider has no add_function, hence the resource's own properties.
        name = naming.capacity_provider_parameter(environment, environment.capacity_provider.generation)
        arn = ssm.StringParameter.value_for_string_parameter(self, name)
        resource.capacity_provider_config = lambda_.CfnFunction.CapacityProviderConfigProperty(
            lambda_managed_instances_capacity_provider_config=(
                lambda_.CfnFunction.LambdaManagedInstancesCapacityProviderConfigProperty(
                    capacity_provider_arn=arn,
                    execution_environment_memory_gib_per_v_cpu=settings.memory_gib_per_vcpu,
                    per_execution_environment_max_concurrency=settings.concurrency,
                )
            )
        )
        # Lambda makes $LATEST.PUBLISHED by itself, and anew at each update unless told otherwise. Nothing calls it, and
        # its environments would be paid for. That it may have none at once is UNCONFIRMED (contract:
        # latest_published_has_no_environments).
        resource.publish_to_latest_published = False
        resource.function_scaling_config = lambda_.CfnFunction.FunctionScalingConfigProperty(
            min_execution_environments=0, max_execution_environments=0
        )


def needs(environment: Environment, function: str, infrastructure: Infrastructure) -> Needs:
    """Return what a function needs in an environment, by synthesizing its stack alone, without its code.

    Raises:
        UsageError: the infrastructure fails, or what it asks for can't be had.
    """

    def make(app: cdk.App) -> cdk.Stack:
        # Its bundle depends on its needs.
        code = lambda_.Code.from_cfn_parameters()
        return FunctionStack(
            app, environment, function, cdk.LegacyStackSynthesizer(), code, infrastructure=infrastructure
        )

    return read(infrastructure, resources_of(make))
