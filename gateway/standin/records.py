"""Extension records: inserted, replaced, and addressed by the attributes that make them unique.

Update and delete differ only in the path (`/by/unique` and `/delete/by/unique`), not in method
or body. An extension may be named `delete`, so the two are told apart by the number of segments.
"""

from typing import Any

from gateway.standin.call import Call, Mode, Reply, Route
from gateway.standin.errors import bad_request, not_found
from gateway.standin.schemas import ExtensionSchema, find_schema
from gateway.standin.store import Store, packed, unpacked

__all__ = [
    "ROUTES",
    "Records",
    "checked_records",
    "insert_records",
    "records_of",
    "replace_records",
    "require_customer",
    "require_schema",
    "shown",
    "sort_extensions",
]

# What a body says of each extension it names.
Records = list[tuple[ExtensionSchema, list[dict[str, Any]]]]


def require_customer(store: Store, customer_id: str) -> None:
    if store.row("SELECT 1 FROM profiles WHERE customer_id = ?", customer_id) is None:
        raise not_found("there is no such customer")


def require_schema(store: Store, name: str) -> ExtensionSchema:
    schema = find_schema(store, name)
    if schema is None:
        raise not_found("there is no such extension; `/metadata/profiles/extensions` lists them")
    return schema


def sort_extensions(store: Store, body: dict[str, Any]) -> Records:
    """Body keys to extensions and their records; a key that is none is a 400."""
    sorted_: Records = []
    seen: set[str] = set()
    for key, value in body.items():
        schema = find_schema(store, key)
        if schema is None:
            raise bad_request(f"`{key}` is neither a core attribute nor an extension")
        if schema.name in seen:
            raise bad_request(f"extension `{schema.name}` is named twice, in different case")
        seen.add(schema.name)
        sorted_.append((schema, checked_records(schema, value)))
    return sorted_


def checked_records(schema: ExtensionSchema, value: Any) -> list[dict[str, Any]]:
    """One object for a single-valued extension, an array of them otherwise; `null` is none.

    What `null` means is not documented. Reading it as "no records" makes a `PUT` with it wipe the
    extension: the reading that is worse for a gateway which looks at values, not at presence.
    """
    if value is None:
        return []
    if schema.multi_valued:
        if not isinstance(value, list):
            raise bad_request(f"extension `{schema.name}` is multi-valued: write an array")
        records = [checked_record(schema, each) for each in value]
    else:
        records = [checked_record(schema, value)]
    marks = [mark(schema, record) for record in records]
    if schema.unique and len(set(marks)) != len(marks):
        raise bad_request(f"extension `{schema.name}` has two records with the same unique values")
    return records


def checked_record(schema: ExtensionSchema, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise bad_request(f"a record of extension `{schema.name}` is an object")
    record = {name: each for name, each in value.items() if name != "customer_id"}
    for name, each in record.items():
        attribute = schema.attribute(name)
        if attribute is None:
            raise bad_request(f"extension `{schema.name}` has no attribute `{name}`")
        if not attribute.accepts(each):
            raise bad_request(f"`{schema.name}.{name}` is not a valid {attribute.type}")
    for attribute in schema.attributes:
        if attribute.mandatory and attribute.name not in record:
            raise bad_request(f"`{schema.name}.{attribute.name}` is missing")
    return record


def mark(schema: ExtensionSchema, record: dict[str, Any]) -> str:
    """What tells a record from its siblings."""
    return packed([record.get(name) for name in schema.unique])


def records_of(
    store: Store, customer_id: str, schema: ExtensionSchema
) -> list[tuple[int, dict[str, Any]]]:
    rows = store.rows(
        "SELECT record_id, body FROM records WHERE customer_id = ? AND extension = ? "
        "ORDER BY record_id",
        customer_id,
        schema.name,
    )
    return [(row["record_id"], unpacked(row["body"])) for row in rows]


def shown(store: Store, customer_id: str, schemas: list[ExtensionSchema]) -> dict[str, Any]:
    """Extensions as a profile carries them: an object or an array, beside the attributes."""
    result: dict[str, Any] = {}
    for schema in schemas:
        records = [record for _, record in records_of(store, customer_id, schema)]
        if schema.multi_valued:
            result[schema.name] = records
        elif records:
            result[schema.name] = records[0]
    return result


def replace_records(store: Store, customer_id: str, records: Records) -> None:
    """Each named extension becomes what was sent; what was not sent is lost."""
    for schema, wanted in records:
        store.change(
            "DELETE FROM records WHERE customer_id = ? AND extension = ?", customer_id, schema.name
        )
        for record in wanted:
            add_record(store, customer_id, schema, record)


def insert_records(store: Store, customer_id: str, records: Records) -> None:
    """Added; a former record with the same unique values is overwritten where it stands."""
    for schema, wanted in records:
        former = {
            mark(schema, record): number
            for number, record in overwritable(store, customer_id, schema)
        }
        for record in wanted:
            number = former.get(mark(schema, record))
            if number is None:
                add_record(store, customer_id, schema, record)
            else:
                store.change(
                    "UPDATE records SET body = ? WHERE record_id = ?", packed(record), number
                )


def overwritable(
    store: Store, customer_id: str, schema: ExtensionSchema
) -> list[tuple[int, dict[str, Any]]]:
    """The records that an insert may overwrite: none where nothing tells records apart."""
    if schema.multi_valued and not schema.unique:
        return []
    return records_of(store, customer_id, schema)


def add_record(
    store: Store, customer_id: str, schema: ExtensionSchema, record: dict[str, Any]
) -> None:
    store.change(
        "INSERT INTO records (customer_id, extension, body) VALUES (?, ?, ?)",
        customer_id,
        schema.name,
        packed(record),
    )


def insert(call: Call) -> Reply:
    customer_id = call.parameters["customer_id"]
    require_customer(call.store, customer_id)
    body = call.json_object()
    body.pop("customer_id", None)  # the 8.1 sample carries it; the path decides
    insert_records(call.store, customer_id, sort_extensions(call.store, body))
    return Reply(200)


def selected(call: Call) -> tuple[ExtensionSchema, dict[str, Any], int, dict[str, Any]]:
    """The one record that the body's unique attributes select: schema, body, number, record."""
    customer_id = call.parameters["customer_id"]
    require_customer(call.store, customer_id)
    schema = require_schema(call.store, call.parameters["extension"])
    body = call.json_object()
    body.pop("customer_id", None)
    if not schema.unique:
        raise bad_request(f"extension `{schema.name}` has no unique attributes")
    for name in schema.unique:
        if name not in body:
            raise bad_request(f"unique attribute `{name}` is missing")
    for number, record in records_of(call.store, customer_id, schema):
        if mark(schema, record) == mark(schema, body):
            return schema, body, number, record
    raise not_found(f"no record of extension `{schema.name}` has these unique values")


def update_by_unique(call: Call) -> Reply:
    """The unique attributes select; the others are written, and those left out stay."""
    schema, body, number, record = selected(call)
    updated = checked_record(schema, {**record, **body})
    call.store.change("UPDATE records SET body = ? WHERE record_id = ?", packed(updated), number)
    return Reply(204)


def delete_by_unique(call: Call) -> Reply:
    """Fields beside the unique ones are ignored: the manual's sample sends a whole record."""
    _, _, number, _ = selected(call)
    call.store.change("DELETE FROM records WHERE record_id = ?", number)
    return Reply(204)


PATH = "/profiles/{customer_id}/extensions"
ROUTES = (
    Route("POST", PATH, insert, Mode.PRODUCTION),
    Route("PUT", PATH + "/{extension}/by/unique", update_by_unique, Mode.PRODUCTION),
    Route("PUT", PATH + "/{extension}/delete/by/unique", delete_by_unique, Mode.PRODUCTION),
)
