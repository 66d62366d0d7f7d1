"""Interactions: what a customer and an agent said to each other, and the text itself.

The text is not in the interaction but under addresses of its own, and those are absolute: they
name this host, or whatever this server is told to call itself. Behind a gateway they would lead a
client around it.
"""

import sqlite3
from typing import Any

from gateway.standin.call import Call, Mode, Reply, Route
from gateway.standin.errors import not_found
from gateway.standin.records import require_customer
from gateway.standin.store import Store, packed, unpacked

__all__ = ["ROUTES", "save_interaction"]


def save_interaction(
    store: Store,
    interaction_id: str,
    *,
    customer_id: str,
    document: dict[str, Any],
    service_id: str | None = None,
    plain_text: str | None = None,
    structured_text: str | None = None,
    binary: tuple[str, bytes] | None = None,
) -> None:
    """`binary` is a media type with its bytes."""
    binary_type, binary_content = binary or (None, None)
    store.change(
        "INSERT INTO interactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        interaction_id,
        customer_id,
        service_id,
        packed(document),
        plain_text,
        structured_text,
        binary_content,
        binary_type,
    )


def shown(call: Call, row: sqlite3.Row) -> dict[str, Any]:
    address = f"{call.root}/interactions/{row['interaction_id']}"
    result = {"interaction_id": row["interaction_id"], "customer_id": row["customer_id"]}
    if row["service_id"] is not None:
        result["service_id"] = row["service_id"]
    result.update(unpacked(row["document"]))
    # The field for plain text is called `text` in the manual's sample.
    for field, column in (
        ("text", "plain_text"),
        ("structured_text", "structured_text"),
        ("binary_content", "binary_content"),
    ):
        if row[column] is not None:
            result[field] = f"{address}/{column}"
    return result


def by_customer(call: Call) -> Reply:
    customer_id = call.parameters["customer_id"]
    require_customer(call.store, customer_id)
    rows = call.store.rows(
        "SELECT * FROM interactions WHERE customer_id = ? ORDER BY interaction_id", customer_id
    )
    return Reply(value=[shown(call, row) for row in rows])


def by_service(call: Call) -> Reply:
    """Services live in GMS, so one that UCS never heard of simply has no interactions."""
    rows = call.store.rows(
        "SELECT * FROM interactions WHERE service_id = ? ORDER BY interaction_id",
        call.parameters["service_id"],
    )
    return Reply(value=[shown(call, row) for row in rows])


def found(call: Call) -> sqlite3.Row:
    row = call.store.row(
        "SELECT * FROM interactions WHERE interaction_id = ?", call.parameters["interaction_id"]
    )
    if row is None:
        raise not_found("there is no such interaction")
    return row


def by_id(call: Call) -> Reply:
    return Reply(value=shown(call, found(call)))


def plain_text(call: Call) -> Reply:
    return content(found(call)["plain_text"], "text/plain; charset=utf-8")


def structured_text(call: Call) -> Reply:
    return content(found(call)["structured_text"], "text/html; charset=utf-8")


def binary_content(call: Call) -> Reply:
    row = found(call)
    return content(row["binary_content"], row["binary_type"] or "application/octet-stream")


def content(stored: str | bytes | None, content_type: str) -> Reply:
    if stored is None:
        raise not_found("the interaction has no such content")
    data = stored.encode() if isinstance(stored, str) else stored
    return Reply(content=data, content_type=content_type)


PATH = "/interactions/{interaction_id}"
ROUTES = (
    Route("GET", "/customers/{customer_id}/interactions", by_customer, Mode.PRODUCTION),
    Route("GET", "/services/{service_id}/interactions", by_service, Mode.PRODUCTION),
    Route("GET", PATH, by_id, Mode.PRODUCTION),
    Route("GET", PATH + "/plain_text", plain_text, Mode.PRODUCTION),
    Route("GET", PATH + "/structured_text", structured_text, Mode.PRODUCTION),
    Route("GET", PATH + "/binary_content", binary_content, Mode.PRODUCTION),
)
