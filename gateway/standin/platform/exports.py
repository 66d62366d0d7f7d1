"""Reporting exports: what somebody has asked to be written down as CSV or PDF."""

from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.errors import bad_request
from gateway.standin.platform.paging import listing

__all__ = ["ROUTES"]

REQUIRED = ("name", "timeZone", "exportFormat", "interval", "viewType")
FORMATS = frozenset({"CSV", "PDF"})


def list_exports(call: Call) -> Reply:
    return Reply(value=listing(call, call.store.all("export")))


def create(call: Call) -> Reply:
    body = call.json_object()
    for name in REQUIRED:
        if not isinstance(body.get(name), str) or not body[name]:
            raise bad_request(f"`{name}` is required.", name)
    if body["exportFormat"] not in FORMATS:
        raise bad_request("`exportFormat` is CSV or PDF.", "exportFormat")
    id_ = call.store.new_id("export")
    export = {name: body[name] for name in REQUIRED} | {
        "id": id_,
        "runId": call.store.new_id("export run"),
        "status": "SUBMITTED",
        "read": False,
        "createdDateTime": call.timestamp,
        "modifiedDateTime": call.timestamp,
        "percentageComplete": 0.0,
        "selfUri": f"{API}/analytics/reporting/exports/{id_}",
    }
    return Reply(value=call.store.put("export", export))


def list_metadata(call: Call) -> Reply:
    kinds = [
        {
            "id": "QUEUE_PERFORMANCE_SUMMARY_VIEW",
            "name": "Queue performance summary",
            "viewType": "QUEUE_PERFORMANCE_SUMMARY_VIEW",
            "requiredFilters": [],
            "supportedFilters": ["queueIds", "mediaTypes"],
        }
    ]
    return Reply(value=listing(call, kinds))


ROUTES = (
    Route("GET", "/analytics/reporting/exports", list_exports),
    Route("POST", "/analytics/reporting/exports", create),
    Route("GET", "/analytics/reporting/exports/metadata", list_metadata),
)
