"""What most resources have in common: list, get, create, change and delete entities of one kind.

A collection is data; the resources below `/api/v2` name theirs and add what is theirs alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.paging import listing
from gateway.standin.platform.store import Entity, guid

__all__ = ["HOME", "Collection", "division_of", "in_divisions", "matching"]

HOME = guid("division Home")
LONGEST_NAME = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One kind of entity. `fields` are what a caller may set besides the name, by JSON type.

    `divided` entities are in a division, Home unless the body says which. `shown` makes of what
    is stored what is sent. `echoes_deleted` is for the few that answer DELETE with the entity.
    """

    kind: str
    path: str
    parameter: str
    fields: Mapping[str, type | tuple[type, ...]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    divided: bool = True
    shown: Callable[[Call, Entity], Entity] = lambda _, entity: entity
    created_status: int = 200
    echoes_deleted: bool = False

    def routes(self, *verbs: str) -> tuple[Route, ...]:
        """Of `list`, `create`, `get`, `change`, `delete`, those that are named."""
        one = f"{self.path}/{{{self.parameter}}}"
        known = {
            "list": Route("GET", self.path, self.list),
            "create": Route("POST", self.path, self.create),
            "get": Route("GET", one, self.get),
            "change": Route("PUT", one, self.change),
            "patch": Route("PATCH", one, self.change),
            "delete": Route("DELETE", one, self.delete),
        }
        return tuple(known[verb] for verb in verbs)

    def list(self, call: Call) -> Reply:
        found = matching(call, call.store.all(self.kind))
        page = listing(call, found)
        page["entities"] = [self.shown(call, entity) for entity in page["entities"]]
        return Reply(value=page)

    def one(self, call: Call) -> Entity:
        return call.store.get(self.kind, call.parameters[self.parameter])

    def get(self, call: Call) -> Reply:
        return Reply(value=self.shown(call, self.one(call)))

    def create(self, call: Call) -> Reply:
        body = call.json_object()
        id_ = call.store.new_id(self.kind)
        entity: Entity = {"id": id_, "name": read_name(body)}
        if self.divided:
            entity["division"] = division_of(call, body)
        entity |= self.defaults
        entity |= self.given(body)
        entity |= {
            "dateCreated": call.timestamp,
            "dateModified": call.timestamp,
            "selfUri": f"{API}{self.path}/{id_}",
        }
        kept = call.store.put(self.kind, entity)
        return Reply(self.created_status, self.shown(call, kept))

    def change(self, call: Call) -> Reply:
        """What is left out stays as it is."""
        entity, body = dict(self.one(call)), call.json_object()
        if body.get("name") is not None:
            entity["name"] = read_name(body)
        if self.divided and body.get("division") is not None:
            entity["division"] = division_of(call, body)
        entity |= self.given(body)
        if "dateModified" in entity:
            entity["dateModified"] = call.timestamp
        if "version" in entity:
            entity["version"] += 1
        return Reply(value=self.shown(call, call.store.put(self.kind, entity)))

    def delete(self, call: Call) -> Reply:
        entity = call.store.drop(self.kind, self.one(call)["id"])
        return Reply(value=self.shown(call, entity)) if self.echoes_deleted else Reply(204)

    def given(self, body: Mapping[str, Any]) -> Entity:
        """The fields of the body that count, each of the type it has to be."""
        found = {name: body[name] for name in self.fields if body.get(name) is not None}
        for name, value in found.items():
            wanted = self.fields[name]
            if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
                raise bad_request(f"`{name}` is of the wrong type.", name)
        return found


def read_name(body: Mapping[str, Any]) -> str:
    name = body.get("name")
    if not isinstance(name, str) or not name.strip():
        raise bad_request("`name` is required.", "name")
    if len(name) > LONGEST_NAME:
        raise bad_request(f"`name` is longer than {LONGEST_NAME} characters.", "name")
    return name


def division_of(call: Call, body: Mapping[str, Any]) -> Entity:
    """The division that a body names, or Home. Raises a fault when there is none such."""
    named = body.get("division")
    if named is None:
        id_ = HOME
    elif isinstance(named, dict) and isinstance(named.get("id"), str):
        id_ = named["id"]
    else:
        raise bad_request("`division` has no `id`.", "division")
    division = call.store.get("division", id_)
    return {"id": id_, "name": division["name"], "selfUri": division["selfUri"]}


def matching(call: Call, entities: Sequence[Entity]) -> list[Entity]:
    """By the filters that all listings understand, in the order of their names."""
    ids = call.asked_list("id")
    found = [entity for entity in entities if not ids or entity["id"] in ids]
    found = in_divisions(call.asked_list("divisionId"), found)
    if pattern := call.asked("name"):
        found = [entity for entity in found if fits(pattern, entity["name"])]
    backwards = (call.asked("sortOrder") or "").lower() in {"desc", "descending"}
    return sorted(found, key=lambda entity: str(entity.get("name", "")), reverse=backwards)


def in_divisions(ids: Sequence[str], entities: Sequence[Entity]) -> list[Entity]:
    """Those in one of these divisions; with none or `*` named, all."""
    if not ids or "*" in ids:
        return list(entities)
    return [entity for entity in entities if entity.get("division", {}).get("id") in ids]


def fits(pattern: str, name: str) -> bool:
    """Without case; an asterisk at either end stands for anything."""
    text, folded = pattern.strip("*").casefold(), name.casefold()
    at_end, at_start = pattern.startswith("*"), pattern.endswith("*")
    if at_start and at_end:
        return text in folded
    if at_end:
        return folded.endswith(text)
    return folded.startswith(text) if at_start else folded == text
