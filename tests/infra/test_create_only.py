"""What can't be changed of a resource, against CloudFormation's own schemas."""

from importlib import import_module
from typing import Any

import pytest

from infra import create_only

SCHEMAS: Any = import_module("cfnlint.schema.manager").PROVIDER_SCHEMA_MANAGER  # which has no types


@pytest.mark.parametrize("kind", create_only.PROPERTIES)
def test_it_is_what_the_schema_of_the_type_says(kind: str) -> None:
    schema = SCHEMAS.get_resource_schema("us-east-1", kind).schema
    for key, known in (
        ("createOnlyProperties", create_only.PROPERTIES),
        ("conditionalCreateOnlyProperties", create_only.PRESENCE),
    ):
        told = sorted(path.removeprefix("/properties/") for path in schema.get(key, []))
        assert told == sorted(known[kind]), f"infra/create_only.py: of {kind} the schema's {key} are {told}"
