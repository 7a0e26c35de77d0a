"""What is wrong with an infrastructure.py, and what follows from the template that comes of it."""

from pathlib import Path
from typing import Any, cast

import pytest

from infra import needs
from infra.errors import UsageError
from infra.needs import Infrastructure, Needs, Resources
from infra.services import Service, service
from tests.infra.fakes.modules import written

FILE = "functions/billing/infrastructure.py"
ADD = "def add(stack, function, alias):\n    "
NOTHING: Any = None
STACK = "acme-dev-billing"


def loaded(tmp_path: Path, text: str) -> Infrastructure:
    return needs.load(
        "billing", written(tmp_path, {"billing/infrastructure.py": text, "billing/names.py": "BILL = 7\n"})
    )


def add_nothing(*_: object) -> None: ...


def read(*granted: object, services: tuple[Service, ...] = (), **others: Any) -> Needs:
    """Return what a function needs, by what its role is granted and the other resources of its stack."""
    policy = {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [{"Action": each} for each in granted]}}
    function = {"FunctionName": STACK, "DurableConfig": {}, "Role": {"Fn::GetAtt": ["Role", "Arn"]}}
    resources: Resources = {
        "Function": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {}},
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": policy},
        **others,
    }
    return needs.read(Infrastructure(FILE, add_nothing, services), resources)


def prefixes(found: Needs) -> list[str]:
    return [each.prefix for each in found.services]


def test_a_function_without_an_infrastructure_py_needs_nothing(tmp_path: Path) -> None:
    found = needs.load("billing", tmp_path)
    found.add(NOTHING, NOTHING, NOTHING)
    assert found.services == ()


def test_it_may_import_what_stands_in_functions(tmp_path: Path) -> None:
    found = loaded(tmp_path, f"from billing.names import BILL\n\n{ADD}stack.append(BILL)\n")
    found.add(cast("Any", stack := list[int]()), NOTHING, NOTHING)
    assert stack == [7]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("import\n", f"{FILE}:1: is not Python: "),
        ("\nimport nowhere_at_all\n", f"{FILE}:2: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("X = 1\n", f"{FILE}: must have a function add(stack, function, alias), which adds what it needs"),
        (f"SERVICES = ('sqs',)\n{ADD}...\n", f"{FILE}: SERVICES must be as in "),
        (f"SERVICES = {{'iot': 'iot-data'}}\n{ADD}...\n", "or None; it has ('iot', 'iot-data')"),
    ],
)
def test_what_is_wrong_with_it_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        loaded(tmp_path, text)
    assert message in str(refused.value)


def test_what_fails_while_it_adds_is_said_with_the_last_line_of_its_own(tmp_path: Path) -> None:
    found = loaded(tmp_path, f"def fail():\n    raise ValueError('boom\\nwith a trace')\n\n{ADD}fail()\n")
    with pytest.raises(UsageError) as refused:
        found.add(NOTHING, NOTHING, NOTHING)
    assert str(refused.value) == f"{FILE}:2: ValueError: boom"


def test_services_are_those_of_the_actions_that_its_own_role_is_granted() -> None:
    other = {
        "Type": "AWS::IAM::Policy",
        "Properties": {"Roles": [{"Ref": "Other"}], "PolicyDocument": {"Statement": [{"Action": "sns:Publish"}]}},
    }
    found = read("sqs:SendMessage", ["dynamodb:GetItem", "dynamodb:Query"], Other=other)
    assert found.services == (service("dynamodb"), service("sqs"))
    assert found.resources["Other"] == other


def test_policies_within_the_role_count_as_well() -> None:
    inline = {"PolicyDocument": {"Statement": [{"Action": "ssm:GetParameter"}]}}
    assert prefixes(read(Role={"Type": "AWS::IAM::Role", "Properties": {"Policies": [inline]}})) == ["ssm"]


def test_what_nothing_here_knows_can_be_named(tmp_path: Path) -> None:
    named = loaded(
        tmp_path, f'SERVICES = {{"iot": ("iot-data", "iot.data"), "s3x": ("s3", "s3")}}\n{ADD}...\n'
    ).services
    assert named == (Service("iot", ("iot-data",), "iot.data"), Service("s3x", ("s3",), "s3", is_gateway=True))
    assert prefixes(read("iot:Publish", services=named)) == ["iot", "s3x"]
    with pytest.raises(UsageError) as refused:
        read("nonsense:Do")
    assert str(refused.value) == (
        f"{FILE}: grants nonsense:Do, and no service of boto3 is called nonsense, as its actions are; say "
        'SERVICES = {"nonsense": ("what boto3 calls it", "its VPC endpoint")} there'
    )


def test_every_action_of_every_service_is_refused() -> None:
    with pytest.raises(UsageError, match="grants the function every action"):
        read("*")


def test_names_that_another_environment_would_have_as_well_are_refused() -> None:
    def queue(name: object) -> dict[str, Any]:
        return {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}

    read(Queue=queue(f"{STACK}-notices"), Other=queue({"Ref": "AWS::StackName"}))
    alias = {"Type": "AWS::Lambda::Alias", "Properties": {"Name": "live"}}
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": f"/{STACK}/key"}}
    read(Alias=alias, Parameter=parameter)
    with pytest.raises(UsageError) as refused:
        read(Queue=queue("notices"))
    assert str(refused.value) == (
        f"{FILE}: names a Queue notices, as another environment would name its own; leave the name to CloudFormation, "
        'or let it begin with f"{stack.stack_name}-"'
    )
