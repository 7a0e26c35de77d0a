"""What a change set says of replacements, where CloudFormation itself is not sure of it as well."""

from typing import Any

import pytest

from infra.aws import change_set
from tests.infra.fakes.aws import FakeAws

NAME = "some-stack"


def detail(name: str, evaluation: str, cause: str = "", recreation: str = "Always") -> dict[str, Any]:
    """Return why a property changes: by what it refers to, or in the template itself."""
    caused = {"CausingEntity": cause, "ChangeSource": "ResourceAttribute"} if cause else {}
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": "DirectModification", **caused}


def modify(name: str, replacement: str, *details: dict[str, Any]) -> dict[str, Any]:
    return {"Action": "Modify", "LogicalResourceId": name, "Replacement": replacement, "Details": [*details]}


TAGS = {"Target": {"Attribute": "Tags", "RequiresRecreation": "Never"}, "Evaluation": "Static"}
RETAGGED = modify("Group", "False", TAGS)
DEPENDING = modify("Provider", "Conditional", detail("VpcConfig", "Dynamic", "Group.GroupId"), TAGS)


@pytest.mark.parametrize(
    ("changes", "replaced"),
    [
        pytest.param([modify("Provider", "False", TAGS)], {}, id="tags alone"),
        pytest.param(
            [modify("Provider", "True", detail("VpcConfig", "Static"))], {"Provider": ["VpcConfig"]}, id="it says so"
        ),
        pytest.param([modify("Provider", "True")], {"Provider": []}, id="it says so, and not why"),
        pytest.param([RETAGGED, DEPENDING], {}, id="refers to what gets other tags"),
        pytest.param(
            [DEPENDING, modify("Group", "True", detail("GroupDescription", "Static"))],
            {"Provider": ["VpcConfig"], "Group": ["GroupDescription"]},
            id="refers to what is replaced",
        ),
        pytest.param(
            [DEPENDING, modify("Group", "Conditional", detail("VpcId", "Dynamic", "Vpc")), modify("Vpc", "True")],
            {"Provider": ["VpcConfig"], "Group": ["VpcId"], "Vpc": []},
            id="refers to what refers to what is replaced",
        ),
        pytest.param(
            [DEPENDING, {"Action": "Add", "LogicalResourceId": "Group"}],
            {"Provider": ["VpcConfig"]},
            id="refers to something new",
        ),
        pytest.param(
            [modify("Provider", "Conditional", detail("VpcConfig", "Static", recreation="Conditionally"))],
            {"Provider": ["VpcConfig"]},
            id="CloudFormation does not know",
        ),
        pytest.param(
            [modify("Provider", "Conditional", detail("VpcConfig", "Dynamic"))],
            {"Provider": ["VpcConfig"]},
            id="nobody knows the new value",
        ),
        pytest.param(
            [
                RETAGGED,
                modify(
                    "Provider",
                    "Conditional",
                    detail("VpcConfig", "Dynamic"),
                    detail("VpcConfig", "Dynamic", "Group.GroupId"),
                ),
            ],
            {},
            id="the second entry names the cause",
        ),
        pytest.param([{"Action": "Remove", "LogicalResourceId": "Provider"}], {}, id="what goes is not replaced"),
    ],
)
def test_what_is_replaced_follows_from_what_is_replaced_for_certain(
    changes: list[dict[str, Any]], replaced: dict[str, list[str]]
) -> None:
    aws = FakeAws()
    aws.formation.stack(NAME, {})
    aws.formation.changes[NAME] = changes
    assert change_set.replaced(change_set.read(aws.session().client("cloudformation"), NAME)) == replaced
