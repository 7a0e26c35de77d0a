"""The one way to suppress a finding of cfn-lint or checkov: at its resource, with its reason, in the template."""

from typing import cast

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct

REDUNDANT_DEPENDENCY = "The CDK lets a function depend on its role and its role's policies alike"


def suppress(construct: IConstruct, reasons: dict[str, str]) -> None:
    """Suppress rules, by their ids, for a construct's own resource. Each needs the reason why it does not hold here."""
    resource = cast("CfnResource", construct.node.default_child or construct)
    checkov = {rule: reason for rule, reason in reasons.items() if rule.startswith("CKV")}
    cfn_lint = {rule: reason for rule, reason in reasons.items() if rule not in checkov}
    if checkov:
        resource.add_metadata("checkov", {"skip": [{"id": rule, "comment": why} for rule, why in checkov.items()]})
    if cfn_lint:
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": list(cfn_lint), "ignore_reasons": cfn_lint}})
        # The CDK runs the same rules itself while it synthesizes.
        for rule, why in cfn_lint.items():
            Validations.of(resource).acknowledge(Acknowledgment(id=f"CloudFormation-Validate::{rule}", reason=why))
