"""Merging two customers into one. Not reversible: the source profile is gone afterwards.

The destination keeps its own value where only one can stay (single-valued extensions, records
with the same unique values), unless `keep_uniq_from_src` says otherwise; the 9.1 spelling of that
wish is `force_merge`. Core attributes of both are kept, values that are the same (compared with
case) once. Services are not moved: since 8.5 they live in GMS.
"""

from typing import Any

from gateway.standin.call import Call, Mode, Reply, Route, truth
from gateway.standin.errors import bad_request
from gateway.standin.profiles import read_attributes
from gateway.standin.records import insert_records, records_of, require_customer
from gateway.standin.schemas import all_schemas
from gateway.standin.store import Store, packed

__all__ = ["ROUTES"]


def merge(call: Call) -> Reply:
    store = call.store
    kept, source = call.parameters["customer_id"], call.parameters["source_id"]
    require_customer(store, kept)
    require_customer(store, source)
    if kept == source:
        raise bad_request("a customer cannot be merged with itself")
    body = call.optional_object()
    from_source = truth(body.get("keep_uniq_from_src", False), "keep_uniq_from_src")
    from_source |= truth(body.get("force_merge", False), "force_merge")
    truth(body.get("keep_active_service_only", False), "keep_active_service_only")
    store.change(
        "UPDATE profiles SET attributes = ? WHERE customer_id = ?",
        packed(joined(read_attributes(store, kept), read_attributes(store, source))),
        kept,
    )
    move_records(store, kept, source, from_source=from_source)
    store.change("UPDATE interactions SET customer_id = ? WHERE customer_id = ?", kept, source)
    store.change("DELETE FROM profiles WHERE customer_id = ?", source)
    return Reply(204)


def joined(kept: dict[str, Any], source: dict[str, Any]) -> dict[str, Any]:
    result = dict(kept)
    for name, value in source.items():
        values = list(dict.fromkeys(as_list(result.get(name, [])) + as_list(value)))
        result[name] = values[0] if len(values) == 1 else values
    return result


def as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def move_records(store: Store, kept: str, source: str, *, from_source: bool) -> None:
    for schema in all_schemas(store):
        own = [record for _, record in records_of(store, kept, schema)]
        moved = [record for _, record in records_of(store, source, schema)]
        insert_records(store, kept, [(schema, moved)])
        if not from_source and (schema.unique or not schema.multi_valued):
            # Put back what the source's records have just overwritten.
            insert_records(store, kept, [(schema, own)])


ROUTES = (Route("PUT", "/profiles/{customer_id}/merge/{source_id}", merge, Mode.PRODUCTION),)
