"""Customer profiles: created, read, replaced and deleted by id.

A body carries core attributes and extensions side by side. Core attributes are strings, or arrays
of strings; everything else must be an extension that exists. Names are compared without case.
"""

import re
from dataclasses import dataclass
from typing import Any

from gateway.standin.call import Call, Mode, Reply, Route
from gateway.standin.config import StandinConfig
from gateway.standin.errors import bad_request, forbidden, not_found
from gateway.standin.records import (
    Records,
    insert_records,
    replace_records,
    require_customer,
    shown,
    sort_extensions,
)
from gateway.standin.schemas import ExtensionSchema, find_schema
from gateway.standin.store import Store, packed, unpacked

__all__ = [
    "ROUTES",
    "ProfileBody",
    "core_attribute",
    "extensions_asked",
    "profile_shown",
    "read_attributes",
    "save_profile",
    "sort_body",
]

CUSTOMER_ID = re.compile(r"[A-Za-z0-9]{1,16}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProfileBody:
    """A body, sorted."""

    customer_id: str | None
    attributes: dict[str, Any]
    extensions: Records


def core_attribute(config: StandinConfig, name: str) -> str | None:
    """The attribute's own spelling, or `None`."""
    folded = name.casefold()
    return next((each for each in config.core_attributes if each.casefold() == folded), None)


def sort_body(store: Store, config: StandinConfig, body: dict[str, Any]) -> ProfileBody:
    if not config.core_attributes:
        raise forbidden("there is no profile schema yet, so no profile can be added")
    customer_id: str | None = None
    attributes: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for key, value in body.items():
        if key.casefold() == "customer_id":
            customer_id = checked_id(value)
        elif (name := core_attribute(config, key)) is None:
            rest[key] = value
        elif name in attributes:
            raise bad_request(f"attribute `{name}` is named twice, in different case")
        else:
            attributes[name] = checked_attribute(name, value)
    return ProfileBody(customer_id, attributes, sort_extensions(store, rest))


def checked_id(value: Any) -> str:
    if not isinstance(value, str) or not CUSTOMER_ID.fullmatch(value):
        raise bad_request("`customer_id` is at most 16 letters and digits")
    return value


def checked_attribute(name: str, value: Any) -> str | list[str]:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return value
    raise bad_request(f"attribute `{name}` is neither a string nor an array of strings")


def save_profile(store: Store, body: ProfileBody) -> str:
    """A new profile's id. One that the caller chose is kept when it is free."""
    customer_id = body.customer_id or store.next_customer_id()
    if store.row("SELECT 1 FROM profiles WHERE customer_id = ?", customer_id) is not None:
        raise bad_request("there is a customer with this `customer_id` already")
    store.change(
        "INSERT INTO profiles (customer_id, attributes) VALUES (?, ?)",
        customer_id,
        packed(body.attributes),
    )
    insert_records(store, customer_id, body.extensions)
    return customer_id


def read_attributes(store: Store, customer_id: str) -> dict[str, Any]:
    row = store.row("SELECT attributes FROM profiles WHERE customer_id = ?", customer_id)
    if row is None:
        raise not_found("there is no such customer")
    attributes: dict[str, Any] = unpacked(row["attributes"])
    return attributes


def profile_shown(
    store: Store, customer_id: str, *, attributes: bool, extensions: list[ExtensionSchema]
) -> dict[str, Any]:
    profile: dict[str, Any] = {"customer_id": customer_id}
    if attributes:
        profile.update(read_attributes(store, customer_id))
    profile.update(shown(store, customer_id, extensions))
    return profile


def extensions_asked(call: Call) -> list[ExtensionSchema]:
    """The schemas that `extensions=a, b` names, each once."""
    schemas: dict[str, ExtensionSchema] = {}
    for name in call.names_asked("extensions"):
        schema = find_schema(call.store, name)
        if schema is None:
            raise bad_request("`extensions` names an extension that does not exist")
        schemas[schema.name] = schema
    return list(schemas.values())


def create(call: Call) -> Reply:
    body = sort_body(call.store, call.config, call.json_object())
    customer_id = save_profile(call.store, body)
    # Relative to the API root, as the 8.x pages show it.
    return Reply(201, {"customer_id": customer_id}, {"Location": f"/profiles/{customer_id}"})


def read(call: Call) -> Reply:
    customer_id = call.parameters["customer_id"]
    require_customer(call.store, customer_id)
    extensions = extensions_asked(call)
    return Reply(
        value=profile_shown(call.store, customer_id, attributes=True, extensions=extensions)
    )


def update(call: Call) -> Reply:
    """Attributes are replaced as a whole; an extension is replaced when named, else untouched.

    Which `customer_id` wins when the body's differs from the path's is not documented. The path's
    does here, and the other is ignored.
    """
    customer_id = call.parameters["customer_id"]
    require_customer(call.store, customer_id)
    body = sort_body(call.store, call.config, call.json_object())
    call.store.change(
        "UPDATE profiles SET attributes = ? WHERE customer_id = ?",
        packed(body.attributes),
        customer_id,
    )
    replace_records(call.store, customer_id, body.extensions)
    return Reply(200)


def delete(call: Call) -> Reply:
    """The extension records go with it; services stay, since 8.5 keeps them in GMS."""
    customer_id = call.parameters["customer_id"]
    require_customer(call.store, customer_id)
    call.store.change("DELETE FROM profiles WHERE customer_id = ?", customer_id)
    return Reply(204)


ROUTES = (
    Route("POST", "/profiles", create, Mode.PRODUCTION),
    Route("GET", "/profiles/{customer_id}", read, Mode.PRODUCTION),
    Route("PUT", "/profiles/{customer_id}", update, Mode.PRODUCTION),
    Route("DELETE", "/profiles/{customer_id}", delete, Mode.PRODUCTION),
)
