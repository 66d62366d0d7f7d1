"""Identification keys: named lists of attributes by which customers are looked up.

A key is built on the core attributes (`source` is `profile`) or on one extension; the latter
shows its attributes as `{extension}.{attribute}`. Names are compared without case.
"""

from dataclasses import dataclass
from typing import Any

from gateway.standin.call import Call, Mode, Reply, Route, truth
from gateway.standin.config import StandinConfig
from gateway.standin.errors import bad_request, not_found
from gateway.standin.profiles import core_attribute
from gateway.standin.schemas import NAME, find_schema, listed
from gateway.standin.store import Store, packed, unpacked

__all__ = ["ROUTES", "IdentificationKey", "all_keys", "find_key", "save_key"]

PROFILE = "profile"


@dataclass(frozen=True, slots=True)
class IdentificationKey:
    name: str
    attributes: tuple[str, ...]
    source: str = PROFILE
    unique: bool = False

    @property
    def full_names(self) -> tuple[str, ...]:
        """The attributes as a condition of `GET /profiles` names them."""
        if self.source == PROFILE:
            return self.attributes
        return tuple(f"{self.source}.{name}" for name in self.attributes)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "source": self.source,
            "attributes": list(self.full_names),
            "unique": self.unique,
        }


def key_from(store: Store, config: StandinConfig, body: dict[str, Any]) -> IdentificationKey:
    name, source = body.get("name"), body.get("source", PROFILE)
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise bad_request("`name` follows the rule for extension names")
    attributes = listed(body, "attributes")
    if not attributes or not all(isinstance(each, str) for each in attributes):
        raise bad_request("`attributes` must name at least one attribute")
    if not isinstance(source, str):
        raise bad_request("`source` is `profile` or the name of an extension")
    if source.casefold() == PROFILE:
        names = [core_attribute(config, each) for each in attributes]
        source = PROFILE
    else:
        schema = find_schema(store, source)
        if schema is None:
            raise bad_request("`source` is neither `profile` nor an extension")
        source = schema.name
        # Both forms are read: the bare name, and the one in which keys are shown.
        bare = [each.removeprefix(f"{schema.name}.") for each in attributes]
        names = [each if schema.attribute(each) is not None else None for each in bare]
    if None in names:
        raise bad_request("`attributes` names an attribute that the source does not have")
    return IdentificationKey(
        name=name,
        attributes=tuple(each for each in names if each is not None),
        source=source,
        unique=truth(body.get("unique", False), "unique"),
    )


def all_keys(store: Store) -> list[IdentificationKey]:
    rows = store.rows("SELECT document FROM identification_keys ORDER BY key_id")
    return [key_of(row["document"]) for row in rows]


def find_key(store: Store, name: str) -> IdentificationKey | None:
    row = store.row("SELECT document FROM identification_keys WHERE name = ?", name)
    return None if row is None else key_of(row["document"])


def key_of(document: str) -> IdentificationKey:
    value = unpacked(document)
    return IdentificationKey(
        value["name"], tuple(value["attributes"]), value["source"], value["unique"]
    )


def save_key(store: Store, key: IdentificationKey) -> None:
    document = {**key.as_json(), "attributes": list(key.attributes)}
    store.change(
        "INSERT INTO identification_keys (name, source, document) VALUES (?, ?, ?)",
        key.name,
        key.source,
        packed(document),
    )


def create(call: Call) -> Reply:
    key = key_from(call.store, call.config, call.json_object())
    if find_key(call.store, key.name) is not None:
        raise bad_request(f"identification key `{key.name}` exists already")
    save_key(call.store, key)
    location = f"{call.root}/metadata/identification-keys/{key.name}"
    return Reply(201, {"name": key.name}, {"Location": location})


def read_all(call: Call) -> Reply:
    return Reply(value=[key.as_json() for key in all_keys(call.store)])


def read_one(call: Call) -> Reply:
    key = find_key(call.store, call.parameters["name"])
    if key is None:
        raise not_found("there is no such identification key")
    return Reply(value=key.as_json())


def delete(call: Call) -> Reply:
    name = call.parameters["name"]
    if not call.store.change("DELETE FROM identification_keys WHERE name = ?", name):
        raise not_found("there is no such identification key; nothing was deleted")
    return Reply(204)


PATH = "/metadata/identification-keys"
ROUTES = (
    Route("GET", PATH, read_all),
    Route("POST", PATH, create, Mode.MAINTENANCE),
    Route("GET", PATH + "/{name}", read_one),
    Route("DELETE", PATH + "/{name}", delete, Mode.MAINTENANCE),
)
