"""Analytics jobs: a query is left, asked after, and fetched when it is done.

A job is `QUEUED` when it is left, `PENDING` when somebody looks first, `FULFILLED` from then on: a
client that does not wait is found out, and no test has to sleep. Results come by cursor.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from gateway.standin.moment import stamp
from gateway.standin.platform.aggregates import aggregate
from gateway.standin.platform.call import Call, Reply, Route, read_interval
from gateway.standin.platform.details import (
    conversations_in,
    read_filters,
    user_details_in,
    users_named,
)
from gateway.standin.platform.errors import Fault, bad_request
from gateway.standin.platform.paging import Page
from gateway.standin.platform.store import Entity

__all__ = ["ROUTES"]

MOST_JOBS = 100
DONE = "FULFILLED"
NEXT_STATE = {"QUEUED": "PENDING", "PENDING": DONE}

Work = Callable[[Call, Mapping[str, Any]], Entity]
"""From a query to the fields of its result, each a list."""


def conversation_details(call: Call, body: Mapping[str, Any]) -> Entity:
    wanted = read_filters(body, "conversationFilters", "segmentFilters")
    return {"conversations": conversations_in(call, read_interval(body), wanted)}


def user_details(call: Call, body: Mapping[str, Any]) -> Entity:
    return {
        "userDetails": user_details_in(call, read_interval(body), users_named(body, "userFilters"))
    }


KINDS: Mapping[str, Work] = {
    "conversations/details": conversation_details,
    "conversations/aggregates": aggregate,
    "users/details": user_details,
    "users/aggregates": aggregate,
    "transcripts/aggregates": aggregate,
}


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs of one kind, such as `conversations/details`; one is not found under another kind."""

    kind: str
    work: Work

    @property
    def stored(self) -> str:
        return f"{self.kind} job"

    def routes(self) -> tuple[Route, ...]:
        path = f"/analytics/{self.kind}/jobs"
        return (
            Route("POST", path, self.leave),
            Route("GET", f"{path}/{{jobId}}", self.look),
            Route("GET", f"{path}/{{jobId}}/results", self.fetch),
            Route("DELETE", f"{path}/{{jobId}}", self.cancel),
        )

    def leave(self, call: Call) -> Reply:
        body = call.json_object()
        self.work(call, body)  # a query that makes no sense is refused at once
        jobs = call.store.all(self.stored)
        if len(jobs) >= MOST_JOBS:
            call.store.drop(self.stored, jobs[0]["id"])
        id_ = call.store.new_id(self.stored)
        job = {"id": id_, "state": "QUEUED", "submitted": call.timestamp, "query": body}
        call.store.put(self.stored, job)
        return Reply(202, {"jobId": id_})

    def look(self, call: Call) -> Reply:
        job = call.store.get(self.stored, call.parameters["jobId"])
        state = NEXT_STATE.get(job["state"], job["state"])
        call.store.put(self.stored, job | {"state": state})
        status: Entity = {
            "state": state,
            "submissionDate": job["submitted"],
            "expirationDate": stamp(call.now + timedelta(days=1)),
        }
        if state != DONE:
            return Reply(202, status)
        return Reply(200, status | {"completionDate": call.timestamp})

    def fetch(self, call: Call) -> Reply:
        job = call.store.get(self.stored, call.parameters["jobId"])
        if job["state"] != DONE:
            raise Fault(400, "job.not.fulfilled", f"The job is {job['state']}.")
        begin, size = read_cursor(call), Page(call.asked("pageSize") or 500).size
        ((field, values),) = self.work(call, job["query"]).items()
        found: Entity = {field: values[begin : begin + size]}
        if self.kind.endswith("/details"):
            found["dataAvailabilityDate"] = stamp(call.now - timedelta(days=1))
        if begin + size < len(values):
            found["cursor"] = str(begin + size)
        return Reply(value=found)

    def cancel(self, call: Call) -> Reply:
        call.store.drop(self.stored, call.parameters["jobId"])
        return Reply(204)


def read_cursor(call: Call) -> int:
    text = call.asked("cursor") or "0"
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise bad_request("`cursor` is none that was given out.", "cursor")
    return int(text)


ROUTES = tuple(route for kind, work in KINDS.items() for route in Jobs(kind, work).routes())
