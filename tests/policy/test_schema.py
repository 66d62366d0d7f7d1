"""JSON Schema of every file, for editors."""

import json
from typing import Any

import pytest

from policy import json_schemas
from policy.assertions import AssertionsFile
from policy.entries import CatalogueFile, OverridesFile, PolicyFile
from policy.expectations import ExpectationsFile


def test_there_is_a_schema_for_every_kind_of_file() -> None:
    schemas = json_schemas()
    assert list(schemas) == ["catalogue", "expectations", "overrides", "policy", "proofs"]
    assert all(json.loads(json.dumps(schema)) == schema for schema in schemas.values())
    assert schemas["policy"]["title"] == "A policy: who may do what"
    assert schemas["policy"]["$schema"].endswith("2020-12/schema")


@pytest.mark.parametrize("name", ["catalogue", "expectations", "overrides", "policy", "proofs"])
def test_every_key_is_described(name: str) -> None:
    schema = json_schemas()[name]
    for part in (schema, *schema.get("$defs", {}).values()):
        assert part["description"]
        for key, entry in part["properties"].items():
            assert entry.get("description"), key


def nodes(schema: Any) -> list[Any]:
    if isinstance(schema, dict):
        return [schema, *(node for below in schema.values() for node in nodes(below))]
    return [node for item in schema for node in nodes(item)] if isinstance(schema, list) else []


def test_what_may_be_left_out_may_not_be_null() -> None:
    for schema in json_schemas().values():
        for node in nodes(schema):
            assert node.get("type") != "null"
            assert node.get("default", ...) is not None


def test_what_is_unknown_to_the_models_is_unknown_to_the_schema() -> None:
    for schema in json_schemas().values():
        assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("catalogue", CatalogueFile),
        ("expectations", ExpectationsFile),
        ("overrides", OverridesFile),
        ("policy", PolicyFile),
        ("proofs", AssertionsFile),
    ],
)
def test_the_keys_of_the_schema_are_the_keys_of_the_model(
    name: str, model: type[CatalogueFile]
) -> None:
    assert set(json_schemas()[name]["properties"]) == set(model.model_fields)


def test_an_excluded_literal_is_written_under_except() -> None:
    assert "except" in json_schemas()["catalogue"]["$defs"]["ParameterEntry"]["properties"]
