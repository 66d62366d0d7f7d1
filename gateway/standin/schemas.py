"""Extension schemas: which extensions exist, of what shape, and which attributes tell records apart.

A name begins with a letter, goes on with letters, digits and underscores, has at most 26
characters and is compared without case, so `{extension}.{attribute}` can be split without doubt.
"""

import re
from dataclasses import dataclass
from typing import Any

from gateway.standin.call import Call, Mode, Reply, Route, truth
from gateway.standin.errors import bad_request, forbidden, not_found
from gateway.standin.store import Store, packed, unpacked

__all__ = ["ROUTES", "Attribute", "ExtensionSchema", "all_schemas", "find_schema", "save_schema"]

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,25}", re.ASCII)

# What a value of each documented attribute type looks like in JSON.
VALUE_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "double": (int, float),
    "currency": (str, int, float),
    "date": (str,),
    "datetime": (str,),
    "boolean": (bool,),
}


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    type: str = "string"
    length: int | None = None
    mandatory: bool = False

    def accepts(self, value: Any) -> bool:
        if isinstance(value, bool) and self.type != "boolean":
            return False
        if isinstance(value, str) and self.length is not None and len(value) > self.length:
            return False
        return isinstance(value, VALUE_TYPES[self.type])

    def as_json(self) -> dict[str, Any]:
        # The manual shows booleans and numbers as text in schemas.
        shown = {"name": self.name, "type": self.type}
        if self.length is not None:
            shown["length"] = str(self.length)
        return {**shown, "mandatory": "true" if self.mandatory else "false"}


@dataclass(frozen=True, slots=True)
class ExtensionSchema:
    name: str
    multi_valued: bool
    attributes: tuple[Attribute, ...] = ()
    unique: tuple[str, ...] = ()
    required: bool = False

    def attribute(self, name: str) -> Attribute | None:
        return next((each for each in self.attributes if each.name == name), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": "multi-valued" if self.multi_valued else "single-valued",
            "required": self.required,
            "unique": list(self.unique),
            "attributes": [attribute.as_json() for attribute in self.attributes],
        }


def all_schemas(store: Store) -> list[ExtensionSchema]:
    rows = store.rows("SELECT document FROM extension_schemas ORDER BY name")
    return [schema_from(unpacked(row["document"])) for row in rows]


def find_schema(store: Store, name: str) -> ExtensionSchema | None:
    row = store.row("SELECT document FROM extension_schemas WHERE name = ?", name)
    return None if row is None else schema_from(unpacked(row["document"]))


def save_schema(store: Store, schema: ExtensionSchema) -> None:
    store.change(
        "INSERT INTO extension_schemas (name, document) VALUES (?, ?)",
        schema.name,
        packed(schema.as_json()),
    )


def schema_from(body: dict[str, Any]) -> ExtensionSchema:
    """A schema as a caller writes it, or 400."""
    name = body.get("name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise bad_request(
            "`name` must begin with a letter, hold letters, digits and underscores only, "
            "and have at most 26 characters"
        )
    kind = body.get("type")
    if kind not in {"single-valued", "multi-valued"}:
        raise bad_request("`type` must be `single-valued` or `multi-valued`")
    attributes = tuple(attribute_from(each) for each in listed(body, "attributes"))
    names = [attribute.name for attribute in attributes]
    if len(set(names)) != len(names):
        raise bad_request("`attributes` names one attribute twice")
    unique = tuple(listed(body, "unique"))
    if not all(isinstance(each, str) and each in names for each in unique):
        raise bad_request("`unique` names an attribute that the extension does not have")
    return ExtensionSchema(
        name=name,
        multi_valued=kind == "multi-valued",
        attributes=attributes,
        unique=unique,
        required=truth(body.get("required", False), "required"),
    )


def attribute_from(body: Any) -> Attribute:
    if not isinstance(body, dict) or not isinstance(body.get("name"), str):
        raise bad_request("`attributes` must hold objects with a `name`")
    name, kind = body["name"], body.get("type", "string")
    if not NAME.fullmatch(name):
        raise bad_request("an attribute's `name` follows the rule for extension names")
    if not isinstance(kind, str) or kind not in VALUE_TYPES:
        raise bad_request(f"attribute `{name}` must be one of {', '.join(VALUE_TYPES)}")
    length = body.get("length")
    if length is not None and not re.fullmatch(r"[0-9]{1,9}", str(length)):
        raise bad_request(f"attribute `{name}` has a `length` that is not a number")
    return Attribute(
        name=name,
        type=kind,
        length=None if length is None else int(str(length)),
        mandatory=truth(body.get("mandatory", False), "mandatory"),
    )


def listed(body: dict[str, Any], name: str) -> list[Any]:
    value = body.get(name, [])
    if not isinstance(value, list):
        raise bad_request(f"`{name}` must be an array")
    return value


def create_schema(call: Call) -> Reply:
    schema = schema_from(call.json_object())
    folded = schema.name.casefold()
    if folded == "customer_id" or folded in {a.casefold() for a in call.config.core_attributes}:
        raise bad_request(f"`{schema.name}` is a core attribute; choose another name")
    if find_schema(call.store, schema.name) is not None:
        raise bad_request(f"extension `{schema.name}` exists already")
    save_schema(call.store, schema)
    # The manual says `${base_uri}/profiles/extensions/...`, left over from an older path that no
    # call answers any more; this one can be followed.
    location = f"{call.root}/metadata/profiles/extensions/{schema.name}"
    return Reply(201, {"name": schema.name}, {"Location": location})


def read_schemas(call: Call) -> Reply:
    return Reply(value=[schema.as_json() for schema in all_schemas(call.store)])


def read_schema(call: Call) -> Reply:
    schema = find_schema(call.store, call.parameters["name"])
    if schema is None:
        raise not_found("there is no such extension; `/metadata/profiles/extensions` lists them")
    return Reply(value=schema.as_json())


def delete_schema(call: Call) -> Reply:
    """The records go with it."""
    name = call.parameters["name"]
    key = call.store.row("SELECT name FROM identification_keys WHERE source = ?", name)
    if key is not None:
        raise forbidden(f"identification key `{key['name']}` uses this extension; delete it first")
    if not call.store.change("DELETE FROM extension_schemas WHERE name = ?", name):
        raise not_found("there is no such extension; nothing was deleted")
    return Reply(204)


PATH = "/metadata/profiles/extensions"
ROUTES = (
    Route("GET", PATH, read_schemas),
    Route("POST", PATH, create_schema, Mode.MAINTENANCE),
    Route("GET", PATH + "/{name}", read_schema),
    Route("DELETE", PATH + "/{name}", delete_schema, Mode.MAINTENANCE),
)
