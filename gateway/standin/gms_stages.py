"""States and tasks of a service: the same life (started, ended, attached to) under two names."""

import sqlite3
from collections.abc import Callable
from typing import Any

from gateway.standin.call import Call, Reply, Route
from gateway.standin.errors import bad_request, not_found
from gateway.standin.gms_events import (
    Document,
    attach,
    complete,
    merge_attached,
    number_from,
    shown,
    start,
    type_wanted,
)
from gateway.standin.store import Store, packed, unpacked

__all__ = ["ROUTES", "save_stage", "stages_shown"]

LEVELS = ("state", "task")


def service_of(call: Call) -> int:
    number = number_from(call.parameters["service_id"], bits=64)
    if call.store.row("SELECT 1 FROM services WHERE service_id = ?", number) is None:
        raise not_found("there is no such service")
    return number


def found(call: Call, level: str, text: str) -> tuple[int, Document]:
    number = number_from(text, bits=32)
    row = call.store.row(
        "SELECT document FROM stages WHERE service_id = ? AND level = ? AND stage_id = ?",
        service_of(call),
        level,
        number,
    )
    if row is None:
        raise not_found(f"the service has no such {level}")
    return number, unpacked(row["document"])


def save_stage(store: Store, service: int, level: str, body: dict[str, Any], timestamp: str) -> int:
    return store.insert(
        "INSERT INTO stages (service_id, level, started, document) VALUES (?, ?, ?, ?)",
        service,
        level,
        timestamp,
        packed(start(level, body, timestamp)),
    )


def keep(call: Call, number: int, document: Document) -> None:
    call.store.change(
        "UPDATE stages SET document = ?, completed = ? WHERE stage_id = ?",
        packed(document),
        document.get("completed", {}).get("timestamp"),
        number,
    )


def start_stage(call: Call, level: str, body: dict[str, Any]) -> Reply:
    service = service_of(call)
    number = save_stage(call.store, service, level, body, call.timestamp)
    location = f"{call.root}/services/{service}/{level}s/{number}"
    return Reply(201, {f"{level}_id": number}, {"Location": location})


def end_stage(call: Call, level: str, text: str, body: dict[str, Any]) -> None:
    number, document = found(call, level, text)
    if "completed" in document:
        raise bad_request(f"the {level} has ended already")
    keep(call, number, complete(document, body, call.timestamp))


def transition(call: Call) -> Reply:
    """One call instead of two: `from` ends, `to` starts, and the other fields go to both."""
    body = call.json_object()
    before, after = body.pop("from", None), body.pop("to", None)
    if not isinstance(before, dict) or not isinstance(after, dict):
        raise bad_request("`from` and `to` must be objects")
    end_stage(call, "state", str(before.pop("state_id", "")), {**body, **before})
    return start_stage(call, "state", {**body, **after})


def stage_shown(call: Call, level: str, row: sqlite3.Row) -> dict[str, Any]:
    return {
        "service_id": row["service_id"],
        f"{level}_id": row["stage_id"],
        **shown(call, unpacked(row["document"])),
    }


def stages_shown(call: Call, service: int, level: str, which: str) -> list[dict[str, Any]]:
    """`which` is `all`, `active` or `completed`."""
    rows = call.store.rows(
        "SELECT * FROM stages WHERE service_id = ? AND level = ? ORDER BY stage_id", service, level
    )
    return [
        stage_shown(call, level, row)
        for row in rows
        if which in {"all", "active" if row["completed"] is None else "completed"}
        and type_wanted(call, level, unpacked(row["document"]))
    ]


def routes_of(level: str) -> tuple[Route, ...]:
    """The calls that a state and a task have alike."""
    base = "/services/{service_id}/" + level + "s"
    one = base + "/{stage_id}"

    def begin(call: Call) -> Reply:
        return start_stage(call, level, call.optional_object())

    def end(call: Call) -> Reply:
        end_stage(call, level, call.parameters["stage_id"], call.optional_object())
        return Reply(204)

    def many(which: str) -> Callable[[Call], Reply]:
        return lambda call: Reply(value=stages_shown(call, service_of(call), level, which))

    def read(call: Call) -> Reply:
        number, _ = found(call, level, call.parameters["stage_id"])
        row = call.store.row("SELECT * FROM stages WHERE stage_id = ?", number)
        return Reply(value=None if row is None else stage_shown(call, level, row))

    def changed(change: Callable[[Document, str, Any], Document]) -> Callable[[Call], Reply]:
        def answer(call: Call) -> Reply:
            number, document = found(call, level, call.parameters["stage_id"])
            keep(call, number, change(document, call.parameters["extension"], call.json_value()))
            return Reply(200)

        return answer

    return (
        Route("POST", base + "/start", begin),
        Route("POST", one + "/end", end),
        Route("GET", base, many("all")),
        Route("GET", base + "/active", many("active")),
        Route("GET", base + "/completed", many("completed")),
        Route("GET", one, read),
        Route("PUT", one + "/extensions/{extension}", changed(attach)),
        Route("PUT", one + "/extensions/{extension}/merge", changed(merge_attached)),
    )


ROUTES = (
    Route("POST", "/services/{service_id}/states/transition", transition),
    *(route for level in LEVELS for route in routes_of(level)),
)
