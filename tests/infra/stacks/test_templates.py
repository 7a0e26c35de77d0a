"""What holds for every template."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_lambda as lambda_

from infra.environment import load_all
from infra.stacks.suppress import suppress
from tests.infra.synthesis import Resources, Synthesize, make_app, resources_of

# Those of this checkout, whatever they are, and a preview in each that hosts some.
SYNTHESES = [(each.name, None) for each in load_all().values()] + [
    (each.name, "123") for each in load_all().values() if each.hosts_previews
]


@pytest.fixture(params=SYNTHESES, ids=str)
def templates(request: pytest.FixtureRequest, synthesize_checkout: Synthesize) -> list[dict[str, Any]]:
    return [stack.template for stack in synthesize_checkout(*request.param).stacks]


def suppressions(resources: Resources) -> Iterator[tuple[str, str | None]]:
    """Yield each rule that a resource suppresses, with its reason."""
    for resource in resources.values():
        metadata = resource.get("Metadata", {})
        for skip in metadata.get("checkov", {}).get("skip", []):
            yield skip["id"], skip.get("comment")
        config = metadata.get("cfn-lint", {}).get("config", {})
        for rule in config.get("ignore_checks", []):
            yield rule, config.get("ignore_reasons", {}).get(rule)


def test_every_suppression_of_a_finding_carries_its_reason(templates: list[dict[str, Any]]) -> None:
    found = [suppression for template in templates for suppression in suppressions(template["Resources"])]
    assert found
    for rule, reason in found:
        assert reason, rule
        assert len(reason.split()) > 3, rule


def test_findings_are_suppressed_at_resources_and_never_for_a_whole_template(templates: list[dict[str, Any]]) -> None:
    for template in templates:
        assert not {"checkov", "cfn-lint"} & template.get("Metadata", {}).keys()


def test_a_suppression_reaches_both_checkers_at_the_resource(tmp_path: Path) -> None:
    stack = cdk.Stack(make_app(tmp_path), "stack")
    code = lambda_.Code.from_inline("def handler(event, context): pass")
    function = lambda_.Function(
        stack, "Function", runtime=lambda_.Runtime.PYTHON_3_13, handler="index.handler", code=code
    )
    suppress(function, {"CKV_AWS_115": "nobody calls it", "W3005": "the CDK does so"})
    assert list(suppressions(resources_of(stack))) == [("CKV_AWS_115", "nobody calls it"), ("W3005", "the CDK does so")]


def test_no_stack_exports_or_imports_a_value(templates: list[dict[str, Any]]) -> None:
    for template in templates:
        assert "Fn::ImportValue" not in json.dumps(template)
        assert not [output for output in template["Outputs"].values() if "Export" in output]


@pytest.mark.parametrize("place", [("dev", None), ("prod", None), ("preview", "123")], ids=str)
def test_no_permission_is_for_all_actions_or_all_resources(
    place: tuple[str, str | None], synthesize: Synthesize
) -> None:
    """Of ours, that is: what an infrastructure.py grants is a team's."""
    for stack in synthesize(*place).stacks:
        for statement in statements(stack.resources):
            assert "*" not in json.dumps(statement["Action"])
            assert statement["Resource"] != "*"


def statements(resources: Resources) -> Iterator[dict[str, Any]]:
    for resource in resources.values():
        properties = resource.get("Properties", {})
        inline = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
        for document in [*inline, *([properties["PolicyDocument"]] if "PolicyDocument" in properties else [])]:
            yield from document["Statement"]
