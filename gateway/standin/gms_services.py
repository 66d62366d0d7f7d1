"""Services of GMS 8.5: what a business process is doing for a customer, started and ended by calls.

A service has a customer, or until one is known a contact key by which it can be resumed.
"""

import sqlite3
from typing import Any

from gateway.standin.call import Call, Reply, Route
from gateway.standin.errors import bad_request, not_found
from gateway.standin.gms_events import (
    Document,
    attach,
    complete,
    flag,
    merge_attached,
    number_from,
    shown,
    start,
    type_wanted,
)
from gateway.standin.gms_stages import stages_shown
from gateway.standin.store import Store, packed, unpacked

__all__ = ["ROUTES", "save_service"]

EXPORT_NAME = "services-export.json"


def save_service(store: Store, body: dict[str, Any], timestamp: str) -> int:
    customer_id, contact_key = body.get("customer_id"), body.get("contact_key")
    if customer_id is None and contact_key is None:
        raise bad_request("`customer_id` or `contact_key` is needed")
    for name, value in (("customer_id", customer_id), ("contact_key", contact_key)):
        if value is not None and not isinstance(value, str):
            raise bad_request(f"`{name}` is not a string")
    return store.insert(
        "INSERT INTO services (customer_id, contact_key, started, document) VALUES (?, ?, ?, ?)",
        customer_id,
        contact_key,
        timestamp,
        packed(start("service", body, timestamp)),
    )


def found(call: Call) -> tuple[int, Document]:
    number = number_from(call.parameters["service_id"], bits=64)
    row = call.store.row("SELECT document FROM services WHERE service_id = ?", number)
    if row is None:
        raise not_found("there is no such service")
    return number, unpacked(row["document"])


def keep(call: Call, number: int, document: Document) -> None:
    call.store.change(
        "UPDATE services SET document = ?, completed = ? WHERE service_id = ?",
        packed(document),
        document.get("completed", {}).get("timestamp"),
        number,
    )


def start_service(call: Call) -> Reply:
    number = save_service(call.store, call.json_object(), call.timestamp)
    return Reply(201, {"service_id": number}, {"Location": f"{call.root}/services/{number}"})


def associate(call: Call) -> Reply:
    """An anonymous service gets its customer. GMS does not ask UCS whether there is one."""
    number, document = found(call)
    customer_id = call.parameters["customer_id"]
    document["fields"]["customer_id"] = customer_id
    call.store.change(
        "UPDATE services SET customer_id = ? WHERE service_id = ?", customer_id, number
    )
    keep(call, number, document)
    return Reply(200)


def end_service(call: Call) -> Reply:
    number, document = found(call)
    if "completed" in document:
        raise bad_request("the service has ended already")
    keep(call, number, complete(document, call.optional_object(), call.timestamp))
    return Reply(204)


def service_shown(call: Call, number: int, document: Document) -> dict[str, Any]:
    """Its states and tasks are beside it when asked for."""
    result = {"service_id": number, **shown(call, document)}
    for level in ("state", "task"):
        for which in ("active", "completed"):
            if flag(call, f"{which}_{level}s"):
                result[f"{which}_{level}s"] = stages_shown(call, number, level, which)
    return result


def read(call: Call) -> Reply:
    number, document = found(call)
    return Reply(value=service_shown(call, number, document))


def delete(call: Call) -> Reply:
    number, _ = found(call)
    call.store.change("DELETE FROM services WHERE service_id = ?", number)
    return Reply(204)


def set_expiry(call: Call) -> Reply:
    """`{"expires_in": seconds}`, or `ttl` for it. Nothing expires here; the value can be read."""
    number, document = found(call)
    body = call.json_object()
    seconds = body.get("expires_in", body.get("ttl"))
    if isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
        raise bad_request("`expires_in` is a number of seconds")
    document["fields"]["expires_in"] = seconds
    keep(call, number, document)
    return Reply(200)


def update_extension(call: Call) -> Reply:
    number, document = found(call)
    keep(call, number, attach(document, call.parameters["extension"], call.json_value()))
    return Reply(200)


def merge_extension(call: Call) -> Reply:
    number, document = found(call)
    keep(call, number, merge_attached(document, call.parameters["extension"], call.json_value()))
    return Reply(200)


def query(call: Call, rows: list[sqlite3.Row], which: str) -> Reply:
    """`which` is `all`, `active` or `completed`; then the filters of the query string."""
    after, before = call.asked("started_from"), call.asked("started_to")
    services = []
    for row in rows:
        document = unpacked(row["document"])
        if (
            (which == "all" or which == state_of(row))
            and (not after or row["started"] >= after[-1])
            and (not before or row["started"] <= before[-1])
            and type_wanted(call, "service", document)
        ):
            services.append(service_shown(call, row["service_id"], document))
    return Reply(value=services)


def state_of(row: sqlite3.Row) -> str:
    return "active" if row["completed"] is None else "completed"


def of_customer(call: Call, which: str = "all") -> Reply:
    rows = call.store.rows(
        "SELECT * FROM services WHERE customer_id = ? ORDER BY service_id",
        call.parameters["customer_id"],
    )
    return query(call, rows, which)


def of_contact_key(call: Call, which: str = "all") -> Reply:
    """Anonymous services only: one that has found its customer is no longer here."""
    rows = call.store.rows(
        "SELECT * FROM services WHERE contact_key = ? AND customer_id IS NULL ORDER BY service_id",
        call.parameters["contact_key"],
    )
    return query(call, rows, which)


def export(call: Call) -> Reply:  # noqa: ARG001 - every handler takes the call
    """Names the file that a real GMS would write; nothing is written."""
    return Reply(value={"files": [EXPORT_NAME]})


SERVICE = "/services/{service_id}"
ANONYMOUS = "/services/anonymous/{contact_key}"
OF_CUSTOMER = "/customers/{customer_id}/services"

# `anonymous` before `{service_id}`: the first path that fits is taken.
ROUTES = (
    Route("POST", "/services/start", start_service),
    Route("GET", ANONYMOUS, of_contact_key),
    Route("GET", ANONYMOUS + "/active", lambda call: of_contact_key(call, "active")),
    Route("GET", ANONYMOUS + "/completed", lambda call: of_contact_key(call, "completed")),
    Route("GET", OF_CUSTOMER, of_customer),
    Route("GET", OF_CUSTOMER + "/active", lambda call: of_customer(call, "active")),
    Route("GET", OF_CUSTOMER + "/completed", lambda call: of_customer(call, "completed")),
    Route("POST", OF_CUSTOMER + "/{service_id}", associate),
    Route("POST", SERVICE + "/end", end_service),
    Route("GET", SERVICE, read),
    Route("PUT", SERVICE, set_expiry),
    Route("DELETE", SERVICE, delete),
    Route("PUT", SERVICE + "/extensions/{extension}", update_extension),
    Route("PUT", SERVICE + "/extensions/{extension}/merge", merge_extension),
    Route("POST", "/maintenance/services/files", export),
)
