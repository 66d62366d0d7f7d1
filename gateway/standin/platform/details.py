"""Analytics: single conversations and single users, as they were in a stretch of time."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from gateway.standin.moment import stamp
from gateway.standin.platform.call import Call, Interval, Reply, Route, read_interval
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.paging import page_of
from gateway.standin.platform.store import Entity

__all__ = ["ROUTES", "conversations_in", "read_filters", "user_details_in"]

Filter = Callable[[Entity], bool]

DEEPEST_FILTER = 10


def sessions_of(conversation: Entity) -> list[Entity]:
    return [each for person in conversation["participants"] for each in person["sessions"]]


def segments_of(conversation: Entity) -> list[Entity]:
    return [each for session in sessions_of(conversation) for each in session["segments"]]


# The dimensions by which one may filter and group, and where their values are in a conversation.
DIMENSIONS: Mapping[str, Callable[[Entity], list[str]]] = {
    "conversationId": lambda found: [found["conversationId"]],
    "divisionId": lambda found: found["divisionIds"],
    "originatingDirection": lambda found: [found["originatingDirection"]],
    "direction": lambda found: [each["direction"] for each in sessions_of(found)],
    "mediaType": lambda found: [each["mediaType"] for each in sessions_of(found)],
    "queueId": lambda found: [each["queueId"] for each in segments_of(found) if "queueId" in each],
    "wrapUpCode": lambda found: [
        each["wrapUpCode"] for each in segments_of(found) if "wrapUpCode" in each
    ],
    "userId": lambda found: [each["userId"] for each in found["participants"] if "userId" in each],
    "purpose": lambda found: [each["purpose"] for each in found["participants"]],
}


# How a predicate compares the values of a dimension with the one it names.
OPERATORS: Mapping[str, Callable[[list[str], Any], bool]] = {
    "matches": lambda values, wanted: wanted in values,
    "exists": lambda values, _: bool(values),
    "notExists": lambda values, _: not values,
}


def read_filters(body: Mapping[str, Any], *names: str) -> Filter:
    """All of the filters that the body has under these names. Raises a 400."""
    filters: list[Filter] = []
    for name in names:
        given = body.get(name)
        each = [given] if isinstance(given, dict) else given or []
        if not isinstance(each, list):
            raise bad_request(f"`{name}` is of the wrong type.", name)
        filters += [read_filter(one, name) for one in each]
    return lambda found: all(holds(found) for holds in filters)


def read_filter(given: Any, name: str, depth: int = 0) -> Filter:
    if not isinstance(given, dict) or depth > DEEPEST_FILTER:
        raise bad_request(f"`{name}` is not a filter.", name)
    clauses, predicates = given.get("clauses") or [], given.get("predicates") or []
    if not isinstance(clauses, list) or not isinstance(predicates, list):
        raise bad_request(f"`{name}` is not a filter.", name)
    parts = [read_filter(clause, name, depth + 1) for clause in clauses]
    parts += [read_predicate(predicate, name) for predicate in predicates]
    quantifier = any if str(given.get("type", "and")).lower() == "or" else all
    return lambda found: not parts or quantifier(holds(found) for holds in parts)


def read_predicate(given: Any, name: str) -> Filter:
    dimension = given.get("dimension") if isinstance(given, dict) else None
    values_of = DIMENSIONS.get(dimension) if isinstance(dimension, str) else None
    if values_of is None:
        raise bad_request(f"`{name}` has a predicate of no known dimension.", name)
    wanted, tests = given.get("value"), OPERATORS.get(str(given.get("operator") or "matches"))
    if tests is None:
        raise bad_request(f"`{name}` has a predicate of no known operator.", name)
    return lambda found: tests(values_of(found), wanted)


def conversations_in(call: Call, interval: Interval, wanted: Filter) -> list[Entity]:
    """In the order of their start."""
    found = [
        conversation
        for conversation in call.store.all("conversation")
        if datetime.fromisoformat(conversation["conversationStart"]) in interval
        and wanted(conversation)
    ]
    return sorted(found, key=lambda conversation: str(conversation["conversationStart"]))


def query_conversations(call: Call) -> Reply:
    body = call.json_object()
    interval, page = read_interval(body), page_of(body)
    wanted = read_filters(body, "conversationFilters", "segmentFilters")
    found = conversations_in(call, interval, wanted)
    if body.get("order") == "desc":
        found.reverse()
    return Reply(value={"conversations": list(page.of(found)), "totalHits": len(found)})


def get_conversation_details(call: Call) -> Reply:
    return Reply(value=call.store.get("conversation", call.parameters["conversationId"]))


def get_many_conversation_details(call: Call) -> Reply:
    ids = call.asked_list("id")
    if not ids:
        raise bad_request("`id` is required.", "id")
    found = [each for each in call.store.all("conversation") if each["conversationId"] in ids]
    return Reply(value={"conversations": found})


def user_details_in(call: Call, interval: Interval, ids: set[str]) -> list[Entity]:
    """Everybody was on queue for the first half of the interval, and away for the other."""
    half = interval.start + (interval.end - interval.start) / 2
    before, middle, after = stamp(interval.start), stamp(half), stamp(interval.end)
    return [
        {
            "userId": user["id"],
            "primaryPresence": [
                {"startTime": before, "endTime": middle, "systemPresence": "ON_QUEUE"},
                {"startTime": middle, "endTime": after, "systemPresence": "AWAY"},
            ],
            "routingStatus": [
                {"startTime": before, "endTime": middle, "routingStatus": "IDLE"},
                {"startTime": middle, "endTime": after, "routingStatus": "OFF_QUEUE"},
            ],
        }
        for user in call.store.all("user")
        if not ids or user["id"] in ids
    ]


def users_named(body: Mapping[str, Any], *names: str) -> set[str]:
    """The ids in predicates on `userId`, wherever they stand; none means everybody."""
    ids: set[str] = set()
    for name in names:
        given = body.get(name)
        for each in [given] if isinstance(given, dict) else given or []:
            predicates = each.get("predicates") if isinstance(each, dict) else None
            for predicate in predicates if isinstance(predicates, list) else []:
                if isinstance(predicate, dict) and predicate.get("dimension") == "userId":
                    ids.add(str(predicate.get("value")))
    return ids


def query_users(call: Call) -> Reply:
    body = call.json_object()
    interval, page = read_interval(body), page_of(body)
    found = user_details_in(call, interval, users_named(body, "userFilters"))
    return Reply(value={"userDetails": list(page.of(found)), "totalHits": len(found)})


def availability(call: Call) -> Reply:
    """Jobs see what is older than a day."""
    return Reply(value={"dataAvailabilityDate": stamp(call.now - timedelta(days=1))})


CONVERSATIONS = "/analytics/conversations"

ROUTES = (
    Route("POST", f"{CONVERSATIONS}/details/query", query_conversations),
    Route("GET", f"{CONVERSATIONS}/details", get_many_conversation_details),
    Route("GET", f"{CONVERSATIONS}/details/jobs/availability", availability),
    Route("GET", f"{CONVERSATIONS}/{{conversationId}}/details", get_conversation_details),
    Route("POST", "/analytics/users/details/query", query_users),
    Route("GET", "/analytics/users/details/jobs/availability", availability),
)
