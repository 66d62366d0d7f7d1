"""Alerting: rules that watch a metric, and the alerts that they have raised."""

from collections.abc import Mapping
from typing import Any

from gateway.standin.platform.call import Call, Reply, Route
from gateway.standin.platform.collection import Collection
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.paging import listing, page_of
from gateway.standin.platform.store import Entity

__all__ = ["ROUTES", "RULES"]

RULES = Collection(
    kind="rule",
    path="/alerting/rules",
    parameter="ruleId",
    divided=False,
    fields={
        "description": str,
        "enabled": bool,
        "notifications": list,
        "conditions": dict,
        "type": str,
        "waitBetweenNotificationMs": int,
        "sendExitingAlarmNotifications": bool,
    },
    defaults={
        "version": 1,
        "enabled": True,
        "inAlarm": False,
        "notifications": [],
        "type": "ConversationMetrics",
        "sendExitingAlarmNotifications": False,
    },
)

# What a query says of alerts, and what it means for one.
ACTIVE = {"Active": True, "Inactive": False}
UNREAD = {"Unread": True, "Read": False}


def query_rules(call: Call) -> Reply:
    body = call.optional_object()
    return Reply(value=listing(call, call.store.all("rule"), page_of(body)))


def create_rule(call: Call) -> Reply:
    reply = RULES.create(call)
    rule = dict(reply.value)
    rule["dateLastModified"] = rule.pop("dateModified")
    return Reply(value=call.store.put("rule", rule))


def query_alerts(call: Call) -> Reply:
    body = call.optional_object()
    alerts = call.store.all("alert")
    alerts = chosen(alerts, "active", ACTIVE, body.get("alertStatus"))
    alerts = chosen(alerts, "unread", UNREAD, body.get("viewedStatus"))
    return Reply(value=listing(call, alerts, page_of(body)))


def chosen(
    alerts: list[Entity], field: str, meanings: Mapping[str, bool], asked: Any
) -> list[Entity]:
    if asked is None or asked == "All":
        return alerts
    if not isinstance(asked, str) or asked not in meanings:
        raise bad_request(f"`{asked}` is none of {', '.join(meanings)}.")
    return [alert for alert in alerts if alert[field] is meanings[asked]]


def one_alert(call: Call) -> Entity:
    return call.store.get("alert", call.parameters["alertId"])


def get_alert(call: Call) -> Reply:
    return Reply(value=one_alert(call))


def mark_alert(call: Call) -> Reply:
    """Read or unread."""
    unread = call.optional_object().get("unread", False)
    if not isinstance(unread, bool):
        raise bad_request("`unread` is of the wrong type.", "unread")
    call.store.put("alert", one_alert(call) | {"unread": unread})
    return Reply(value={"unread": unread})


def change_alert(call: Call) -> Reply:
    """Muted or snoozed."""
    body = call.optional_object()
    wanted = {name: body[name] for name in ("muted", "snoozed") if body.get(name) is not None}
    if not all(isinstance(value, bool) for value in wanted.values()):
        raise bad_request("`muted` and `snoozed` are true or false.")
    return Reply(value=call.store.put("alert", one_alert(call) | wanted))


def delete_alert(call: Call) -> Reply:
    call.store.drop("alert", one_alert(call)["id"])
    return Reply(204)


ONE_ALERT = "/alerting/alerts/{alertId}"

ROUTES = (
    Route("POST", "/alerting/alerts/query", query_alerts),
    Route("GET", ONE_ALERT, get_alert),
    Route("PUT", ONE_ALERT, mark_alert),
    Route("PATCH", ONE_ALERT, change_alert),
    Route("DELETE", ONE_ALERT, delete_alert),
    Route("POST", "/alerting/rules/query", query_rules),
    Route("POST", "/alerting/rules", create_rule),
    *RULES.routes("get", "change", "delete"),
)
