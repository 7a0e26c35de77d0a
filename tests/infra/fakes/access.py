"""Access stacks that are deployed, as far as they are looked at."""

from typing import Any

from infra import naming
from infra.environment import Environment
from infra.policies.boundary import boundary
from infra.policies.execution import execution_policies
from infra.policies.places import Resources, Templates
from tests.infra.fakes.assemblies import FUNCTION
from tests.infra.fakes.aws import FakeAws


def access(environment: Environment, **functions: Resources) -> dict[str, Any]:
    """Return the template of an access stack for what functions' stacks hold beside a function, as it is looked at."""
    templates = Templates({"any": FUNCTION, **functions})
    policies = execution_policies(environment, templates)
    policies[naming.boundary(environment)] = boundary(environment, templates)
    properties = [
        {"ManagedPolicyName": name, "PolicyDocument": {"Statement": statements}}
        for name, statements in policies.items()
    ]
    return {
        "Resources": {
            str(number): {"Type": "AWS::IAM::ManagedPolicy", "Properties": each}
            for number, each in enumerate(properties)
        }
    }


def deployed(name: str, template: dict[str, Any], aws: FakeAws | None = None) -> FakeAws:
    """Return an account with a stack of this template."""
    aws = aws or FakeAws()
    aws.formation.stack(name, {})
    aws.formation.templates[name] = template
    return aws
