"""Analytics: numbers over a stretch of time, and numbers of this moment.

Aggregates are counted from the conversations there are, one group for each combination of the
dimensions asked for. What is said of a metric is believable in shape, not in statistics.
"""

from collections import Counter
from collections.abc import Mapping
from itertools import product
from typing import Any

from gateway.standin.moment import stamp
from gateway.standin.platform.call import Call, Reply, Route, read_interval
from gateway.standin.platform.collection import matching
from gateway.standin.platform.details import (
    DIMENSIONS,
    conversations_in,
    read_filters,
    users_named,
)
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.store import Entity

__all__ = ["ROUTES", "aggregate"]

MOST_GROUPS = 5_000


def read_metrics(body: Mapping[str, Any]) -> list[str]:
    metrics = body.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        raise bad_request("`metrics` is required.", "metrics")
    if not all(isinstance(metric, str) and metric for metric in metrics):
        raise bad_request("`metrics` is not an array of names.", "metrics")
    return list(dict.fromkeys(metrics))


def read_dimensions(body: Mapping[str, Any]) -> list[str]:
    names = body.get("groupBy") or []
    if not isinstance(names, list) or not all(name in DIMENSIONS for name in map(str, names)):
        raise bad_request("`groupBy` has a dimension that is not known.", "groupBy")
    return list(dict.fromkeys(map(str, names)))


def aggregate(call: Call, body: Mapping[str, Any]) -> Entity:
    """The `results` of an aggregate query."""
    interval, metrics, names = read_interval(body), read_metrics(body), read_dimensions(body)
    found = conversations_in(call, interval, read_filters(body, "filter"))
    groups: Counter[tuple[str, ...]] = Counter()
    for conversation in found:
        choices = [sorted(set(DIMENSIONS[name](conversation))) for name in names]
        groups.update(product(*choices))
    over = f"{stamp(interval.start)}/{stamp(interval.end)}"
    results = [
        {
            "group": dict(zip(names, values, strict=True)),
            "data": [{"interval": over, "metrics": [counted(name, count) for name in metrics]}],
        }
        for values, count in sorted(groups.items())[:MOST_GROUPS]
    ]
    return {"results": results}


def counted(metric: str, count: int) -> Entity:
    """Durations (`t…`) are summed in milliseconds, everything else is counted."""
    if not metric.startswith("t"):
        return {"metric": metric, "stats": {"count": count}}
    each = 90_000.0
    stats = {"max": each, "min": each, "count": count, "sum": each * count}
    return {"metric": metric, "stats": stats}


def query_aggregates(call: Call) -> Reply:
    return Reply(value=aggregate(call, call.json_object()))


def query_queues(call: Call) -> Reply:
    """One group per queue and medium, or per queue where `detailMetrics` are asked for as well."""
    body = call.json_object()
    metrics = read_metrics(body)
    given = body.get("filter")
    if not isinstance(given, dict):
        raise bad_request("`filter` is required.", "filter")
    ids = values_named(given, "queueId")
    if not ids:
        raise bad_request("`filter` names no queue.", "filter")
    results = [
        {"group": {"queueId": queue["id"], "mediaType": "voice"}, "data": observed(metrics)}
        for queue in matching(call, call.store.all("queue"))
        if queue["id"] in ids
    ]
    return Reply(value={"results": results})


def values_named(given: Mapping[str, Any], dimension: str) -> set[str]:
    """Of predicates on this dimension, in the filter and in its clauses."""
    clauses = given.get("clauses")
    parts = [given, *(clauses if isinstance(clauses, list) else [])]
    ids: set[str] = set()
    for part in parts:
        predicates = part.get("predicates") if isinstance(part, dict) else None
        for each in predicates if isinstance(predicates, list) else []:
            if isinstance(each, dict) and each.get("dimension") == dimension:
                ids.add(str(each.get("value")))
    return ids


def observed(metrics: list[str]) -> list[Entity]:
    return [
        {"metric": metric, "stats": {"count": number % 4}}
        for number, metric in enumerate(metrics, start=1)
    ]


def query_users_now(call: Call) -> Reply:
    body = call.json_object()
    metrics = read_metrics(body)
    if not isinstance(body.get("filter"), dict):
        raise bad_request("`filter` is required.", "filter")
    ids = users_named(body, "filter") | values_named(body["filter"], "userId")
    results = [
        {
            "group": {"userId": user["id"]},
            "data": [
                {"metric": metric, "qualifier": "IDLE", "stats": {"count": 1}} for metric in metrics
            ],
        }
        for user in call.store.all("user")
        if not ids or user["id"] in ids
    ]
    return Reply(value={"results": results})


ROUTES = (
    Route("POST", "/analytics/conversations/aggregates/query", query_aggregates),
    Route("POST", "/analytics/users/aggregates/query", query_aggregates),
    Route("POST", "/analytics/transcripts/aggregates/query", query_aggregates),
    Route("POST", "/analytics/queues/observations/query", query_queues),
    Route("POST", "/analytics/users/observations/query", query_users_now),
)
