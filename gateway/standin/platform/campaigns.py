"""Outbound campaigns: which list is dialled for which queue, and whether that is going on."""

from gateway.standin.platform.call import Call, Reply, Route
from gateway.standin.platform.collection import Collection
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.store import Entity

__all__ = ["CAMPAIGNS", "ROUTES"]

CAMPAIGNS = Collection(
    kind="campaign",
    path="/outbound/campaigns",
    parameter="campaignId",
    fields={
        "dialingMode": str,
        "callerName": str,
        "callerAddress": str,
        "phoneColumns": list,
        "contactList": dict,
        "queue": dict,
        "outboundLineCount": int,
        "alwaysRunning": bool,
    },
    defaults={
        "version": 1,
        "dialingMode": "progressive",
        "campaignStatus": "off",
        "callerName": "",
        "callerAddress": "",
        "phoneColumns": [],
        "errors": [],
        "alwaysRunning": False,
    },
    echoes_deleted=True,
)


def create(call: Call) -> Reply:
    """The contact list and the queue have to be there."""
    body = call.json_object()
    for name, kind in (("contactList", "contact list"), ("queue", "queue")):
        named = body.get(name)
        if named is None and name == "queue":
            continue  # an agentless campaign has none
        if not isinstance(named, dict) or not isinstance(named.get("id"), str):
            raise bad_request(f"`{name}` is required.", name)
        call.store.get(kind, named["id"])
    return CAMPAIGNS.create(call)


def turn(call: Call, status: str) -> Entity:
    campaign = CAMPAIGNS.one(call)
    return call.store.put("campaign", campaign | {"campaignStatus": status})


def start(call: Call) -> Reply:
    turn(call, "on")
    return Reply(204)


def stop(call: Call) -> Reply:
    turn(call, "off")
    return Reply(204)


ROUTES = (
    *CAMPAIGNS.routes("list", "get", "change", "delete"),
    Route("POST", "/outbound/campaigns", create),
    Route("POST", "/outbound/campaigns/{campaignId}/start", start),
    Route("POST", "/outbound/campaigns/{campaignId}/stop", stop),
)
