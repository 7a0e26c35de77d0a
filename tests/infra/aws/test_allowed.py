"""What is said of stacks that a person has to deploy before workflows can deploy what was built."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra import naming
from infra.aws import allowed
from infra.aws.assembly import Assembly
from infra.environment import Environment
from tests.infra.fakes import assemblies
from tests.infra.fakes.access import access, deployed
from tests.infra.fakes.aws import FakeAws
from tests.infra.fakes.commands import target
from tests.infra.fakes.environments import DEV, PREVIEW
from tests.infra.policies.additions import everything, one, role

QUEUE = one("AWS::SQS::Queue")
SENDS = {**QUEUE, **role({"Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": ["Made", "Arn"]}})}


def told(
    folder: Path, aws: FakeAws, environment: Environment, built: Any, *, endpoints: tuple[str, ...] = ()
) -> list[str]:
    on = target(aws, environment, 7 if environment.hosts_previews else None)
    assembly = Assembly(assemblies.write(folder, on))
    stack = on.function_name("billing")
    (assembly.folder / f"{stack}.template.json").write_text(json.dumps({"Resources": built}))
    if endpoints:
        manifest = json.loads((assembly.folder / "manifest.json").read_text())
        manifest["artifacts"][stack]["additionalMetadataFile"] = "metadata.json"
        (assembly.folder / "manifest.json").write_text(json.dumps(manifest))
        entries = [{"type": "other", "data": "x"}, {"type": naming.ENDPOINTS, "data": [*endpoints]}]
        (assembly.folder / "metadata.json").write_text(json.dumps({f"/{stack}": entries}))
    return allowed.missing(on, assembly)


@pytest.mark.parametrize("environment", [DEV, PREVIEW], ids=["dev", "preview"])
def test_nothing_is_said_where_the_access_is_that_of_the_checkout(tmp_path: Path, environment: Environment) -> None:
    aws = deployed(naming.access_stack(environment), access(environment, billing=SENDS))
    assert told(tmp_path, aws, environment, SENDS) == []
    assert told(tmp_path, aws, environment, {}) == []


def test_the_cdk_cli_deploys_the_access_stack_as_yaml(tmp_path: Path) -> None:
    aws = deployed("acme-access-dev", access(DEV))
    aws.formation.templates["acme-access-dev"] = yaml.safe_dump(access(DEV))
    assert told(tmp_path, aws, DEV, {}) == []


def test_a_queue_that_may_not_be_made_is_named_with_the_command(tmp_path: Path) -> None:
    aws = deployed("acme-access-dev", access(DEV))
    (said,) = told(tmp_path, aws, DEV, QUEUE)
    assert said == (
        "acme-access-dev: CloudFormation may not yet make AWS::SQS::Queue for it; a person runs `make access "
        "ENVIRONMENT=dev` from this checkout before dev can be made"
    )


@pytest.mark.parametrize(("environment", "what"), [(DEV, "dev"), (PREVIEW, "the preview")], ids=["dev", "preview"])
def test_what_functions_may_not_do_is_said_as_well(tmp_path: Path, environment: Environment, what: str) -> None:
    made = {**QUEUE, **role(trusts="lambda.amazonaws.com")}
    aws = deployed(naming.access_stack(environment), access(environment, billing=made))
    (said,) = told(tmp_path, aws, environment, SENDS)
    assert said == (
        f"acme-access-{environment.name}: functions may not yet do sqs:SendMessage; a person runs `make access "
        f"ENVIRONMENT={environment.name}` from this checkout before {what} can be made"
    )


def test_a_policy_that_the_bootstrap_has_not_given_to_cloudformation_takes_another_bootstrap(tmp_path: Path) -> None:
    (said,) = told(tmp_path, deployed("acme-access-dev", access(DEV)), DEV, everything())
    assert "a person runs `make access ENVIRONMENT=dev`, and `make bootstrap ENVIRONMENT=dev`, from" in said


@pytest.mark.parametrize("operation", ["DescribeStacks", "GetTemplate"])
def test_an_older_access_that_may_not_be_read_is_no_failure(tmp_path: Path, operation: str) -> None:
    aws = deployed("acme-access-dev", access(DEV))
    aws.deny(operation, "AccessDenied")
    (said,) = told(tmp_path, aws, DEV, QUEUE)
    assert said.startswith("acme-access-dev: this role may not read it, so it is not known whether a person runs `make")


def test_an_environment_without_access_says_so(tmp_path: Path) -> None:
    (said,) = told(tmp_path, FakeAws(), DEV, {})
    assert said.startswith("acme-access-dev: there is no such stack, so it is not known")


NO_NAT = PREVIEW.model_copy(update={"network": PREVIEW.network.model_copy(update={"nat_gateways": 0})})


def endpoint(service: Any) -> dict[str, Any]:
    return {"Resources": {"E": {"Type": "AWS::EC2::VPCEndpoint", "Properties": {"ServiceName": service}}}}


@pytest.mark.parametrize(
    "service", ["com.amazonaws.eu-west-1.sqs", {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, ".sqs"]]}]
)
def test_a_network_without_the_endpoint_that_a_preview_calls_is_deployed_first(tmp_path: Path, service: Any) -> None:
    aws = deployed("acme-access-preview", access(NO_NAT))
    deployed("acme-platform-preview", endpoint(service), aws)
    assert told(tmp_path, aws, NO_NAT, {}, endpoints=("sqs",)) == []
    (said,) = told(tmp_path, aws, NO_NAT, {}, endpoints=("sqs", "sns"))
    assert said == (
        "acme-platform-preview: has no VPC endpoint for sns; a person runs `make platform ENVIRONMENT=preview` from "
        "this checkout before the preview can be tried"
    )
    assert told(tmp_path, aws, PREVIEW, {}, endpoints=("sns",)) == []
