"""The names that CloudFormation makes up for roles and functions, as policies tell them apart."""

from typing import cast

from aws_cdk import CfnResource
from constructs import IConstruct

# A name is the stack's, the resource's logical id and a random end. Where all of it is longer than IAM and Lambda take,
# CloudFormation leaves half of the rest to the stack's name. AWS does not document that, its names show it.
LONGEST = 64
RANDOM = 14
KEPT = 25


def name_short(construct: IConstruct, logical_id: str) -> None:
    """Give a construct's own resource a logical id so short that the stack's whole name stays in the resource's."""
    cast("CfnResource", construct.node.default_child or construct).override_logical_id(logical_id)
