"""Where the organization is kept: entities as the JSON they are sent as, by kind and id.

In memory, and bounded twice: so many of one kind, so many bytes of all. What was created later
is listed later.
"""

import json
from copy import deepcopy
from typing import Any
from uuid import uuid5

from gateway.standin.platform.config import NAMESPACE
from gateway.standin.platform.errors import Fault, full, not_found

__all__ = ["Entity", "Store", "guid"]

Entity = dict[str, Any]


def guid(name: str) -> str:
    """The GUID of a name: the same in every run."""
    return str(uuid5(NAMESPACE, name))


class Store:
    """One organization. Kinds are named as in an error text, such as `queue`."""

    def __init__(self, *, entity_limit: int, stored_bytes_limit: int) -> None:
        self._entity_limit = entity_limit
        self._stored_bytes_limit = stored_bytes_limit
        self._shelves: dict[str, dict[str, Entity]] = {}
        self._sizes: dict[tuple[str, str], int] = {}
        self._stored_bytes = 0
        self._made = 0

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(shelf)} {kind}" for kind, shelf in self._shelves.items())
        return f"<Store {counts or 'empty'}>"

    def new_id(self, kind: str) -> str:
        """Counted, so that a run can be repeated."""
        self._made += 1
        return guid(f"new {kind} {self._made}")

    def all(self, kind: str) -> list[Entity]:
        return list(self._shelves.get(kind, {}).values())

    def __contains__(self, key: tuple[str, str]) -> bool:
        kind, id_ = key
        return id_ in self._shelves.get(kind, {})

    def get(self, kind: str, id_: str) -> Entity:
        """Raises a 404."""
        entity = self._shelves.get(kind, {}).get(id_)
        if entity is None:
            raise not_found(kind, id_)
        return entity

    def put(self, kind: str, entity: Entity, id_: str = "") -> Entity:
        """Keeps it under `id_`, or its own `id`; raises a fault when there is no room for it."""
        id_ = id_ or str(entity["id"])
        shelf = self._shelves.setdefault(kind, {})
        size = len(json.dumps(entity))
        grown = self._stored_bytes - self._sizes.get((kind, id_), 0) + size
        if id_ not in shelf and len(shelf) >= self._entity_limit:
            raise full(kind, self._entity_limit)
        if grown > self._stored_bytes_limit:
            raise Fault(413, "content.too.large", "There is no room for so much.")
        shelf[id_] = deepcopy(entity)
        self._sizes[kind, id_] = size
        self._stored_bytes = grown
        return shelf[id_]

    def drop(self, kind: str, id_: str) -> Entity:
        """Raises a 404."""
        entity = self.get(kind, id_)
        del self._shelves[kind][id_]
        self._stored_bytes -= self._sizes.pop((kind, id_))
        return entity
