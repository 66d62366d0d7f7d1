"""Notification channels: where events would arrive, and which ones.

Nothing ever arrives, since nothing happens in this organization. Of twenty-one channels the oldest
goes, as it does at Genesys.
"""

from datetime import timedelta
from typing import Any

from gateway.standin.moment import stamp
from gateway.standin.platform.call import Call, Reply, Route
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.store import Entity

__all__ = ["ROUTES"]

MOST_CHANNELS = 20
MOST_TOPICS = 1000


def list_channels(call: Call) -> Reply:
    return Reply(value={"entities": [shown(each) for each in call.store.all("channel")]})


def create(call: Call) -> Reply:
    channels = call.store.all("channel")
    if len(channels) >= MOST_CHANNELS:
        call.store.drop("channel", channels[0]["id"])
    id_ = call.store.new_id("channel")
    channel = {
        "id": id_,
        "connectUri": f"wss://streaming.stand-in.example/channels/{id_}",
        "expires": stamp(call.now + timedelta(days=1)),
        "topics": [],
    }
    return Reply(value=shown(call.store.put("channel", channel)))


def shown(channel: Entity) -> Entity:
    return {name: channel[name] for name in ("id", "connectUri", "expires")}


def one(call: Call) -> Entity:
    return call.store.get("channel", call.parameters["channelId"])


def check(call: Call) -> Reply:
    one(call)
    return Reply()


def topics(names: list[Any]) -> Reply:
    return Reply(value={"entities": [{"id": name, "state": "Permitted"} for name in names]})


def list_topics(call: Call) -> Reply:
    return topics(one(call)["topics"])


def add_topics(call: Call) -> Reply:
    return keep_topics(call, one(call)["topics"] + read_topics(call))


def replace_topics(call: Call) -> Reply:
    return keep_topics(call, read_topics(call))


def drop_topics(call: Call) -> Reply:
    keep_topics(call, [])
    return Reply(204)


def read_topics(call: Call) -> list[str]:
    given = call.json_list()
    names = [each.get("id") if isinstance(each, dict) else None for each in given]
    if not all(isinstance(name, str) and name for name in names):
        raise bad_request("A topic has no `id`.", "id")
    return [str(name) for name in names]


def keep_topics(call: Call, names: list[str]) -> Reply:
    names = list(dict.fromkeys(names))
    if len(names) > MOST_TOPICS:
        raise bad_request(f"A channel has at most {MOST_TOPICS} topics.")
    return topics(call.store.put("channel", one(call) | {"topics": names})["topics"])


CHANNELS = "/notifications/channels"
SUBSCRIPTIONS = f"{CHANNELS}/{{channelId}}/subscriptions"

ROUTES = (
    Route("GET", CHANNELS, list_channels),
    Route("POST", CHANNELS, create),
    Route("HEAD", f"{CHANNELS}/{{channelId}}", check),
    Route("GET", SUBSCRIPTIONS, list_topics),
    Route("POST", SUBSCRIPTIONS, add_topics),
    Route("PUT", SUBSCRIPTIONS, replace_topics),
    Route("DELETE", SUBSCRIPTIONS, drop_topics),
)
