"""JSON Schema of every file, for editors: made from the models, so that it cannot lag behind."""

from typing import Any

from pydantic import BaseModel

from policy.assertions import AssertionsFile
from policy.entries import CatalogueFile, OverridesFile, PolicyFile
from policy.expectations import ExpectationsFile

__all__ = ["json_schema_of", "json_schemas"]

_FILES: dict[str, tuple[type[BaseModel], str]] = {
    "catalogue": (CatalogueFile, "A catalogue: what an upstream can do"),
    "expectations": (ExpectationsFile, "Expectations: what a policy is tested against"),
    "overrides": (OverridesFile, "Overrides: how a deployment differs from a catalogue"),
    "policy": (PolicyFile, "A policy: who may do what"),
    "proofs": (AssertionsFile, "Proofs: assertions about a whole policy"),
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each kind of file, by its name."""
    return {name: json_schema_of(model, title) for name, (model, title) in _FILES.items()}


def json_schema_of(model: type[BaseModel], title: str) -> dict[str, Any]:
    """The schema of `model` as editors should see it.

    What may be left out may not be `null`: YAML makes a null of every key with nothing after it.
    """
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return schema | {
        key: _without_null(value)
        for key, value in model.model_json_schema().items()
        if key != "title"
    }


def _without_null(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: _without_null(value) for key, value in schema.items()}
    if kept.get("default", ...) is None:
        del kept["default"]
    if isinstance(kept.get("title"), str):
        del kept["title"]
    choices = kept.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [choice for choice in choices if choice != {"type": "null"}]
        del kept["anyOf"]
        kept |= rest[0] if len(rest) == 1 else {"anyOf": rest}
    return kept
