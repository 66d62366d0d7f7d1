"""Presence: where somebody's presence may come from, and which source counts for whom."""

from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.collection import Collection
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.store import Entity
from gateway.standin.platform.users import USERS

__all__ = ["ROUTES", "SOURCES"]

SOURCES = Collection(
    kind="presence source",
    path="/presence/sources",
    parameter="sourceId",
    divided=False,
    fields={"description": str, "deactivated": bool},
    defaults={"type": "User", "deactivated": False},
    shown=lambda _, entity: {name: entity[name] for name in entity if not name.startswith("date")},
)


def list_sources(call: Call) -> Reply:
    """Not in pages, unlike most."""
    found = call.store.all("presence source")
    if not call.asked_flag("deactivated"):
        found = [source for source in found if not source["deactivated"]]
    shown = [SOURCES.shown(call, source) for source in found]
    return Reply(value={"total": len(shown), "entities": shown, "selfUri": call.path})


def primary_source(call: Call, user: Entity) -> Entity:
    if ("primary source", user["id"]) in call.store:
        return call.store.get("primary source", user["id"])
    return shown_primary(user, call.store.all("presence source")[0]["id"], registered=False)


def shown_primary(user: Entity, source_id: str, *, registered: bool) -> Entity:
    return {
        "id": user["id"],
        "name": user["name"],
        "sourceId": source_id,
        "registered": registered,
        "selfUri": f"{API}/presence/users/{user['id']}/primarysource",
    }


def get_primary_source(call: Call) -> Reply:
    return Reply(value=primary_source(call, USERS.one(call)))


def change_primary_source(call: Call) -> Reply:
    user, source_id = USERS.one(call), call.json_object().get("sourceId")
    if not isinstance(source_id, str):
        raise bad_request("`sourceId` is required.", "sourceId")
    call.store.get("presence source", source_id)
    chosen = shown_primary(user, source_id, registered=True)
    return Reply(value=call.store.put("primary source", chosen))


PRIMARY = "/presence/users/{userId}/primarysource"

ROUTES = (
    Route("GET", "/presence/sources", list_sources),
    *SOURCES.routes("create", "get", "change", "delete"),
    Route("GET", PRIMARY, get_primary_source),
    Route("PUT", PRIMARY, change_primary_source),
)
