"""What the events of a service, a state or a task carry, and how they look when read back.

An event's body is sorted three ways: fields of the thing itself (its type, its customer), fields
that say where the event came from (kept with the moment it happened), and everything else, which
in 8.5 is attached data: any key, any JSON, no schema. Attached data is shown when asked for by
name with `extensions=`.
"""

from typing import Any

from gateway.standin.call import Call
from gateway.standin.errors import bad_request

__all__ = [
    "Document",
    "attach",
    "complete",
    "flag",
    "merge_attached",
    "number_from",
    "shown",
    "start",
    "type_wanted",
]

# {"fields": …, "started": …, "completed": …, "attached": …}
Document = dict[str, Any]

ORIGIN_FIELDS = frozenset(
    {
        "session_id",
        "interaction_id",
        "application_type",
        "application_id",
        "resource_type",
        "resource_id",
        "media_type",
    }
)
START_FIELDS = {
    "service": frozenset({"customer_id", "contact_key", "service_type", "est_duration"}),
    "state": frozenset({"state_type", "previous_state_id", "est_duration"}),
    "task": frozenset({"task_type", "state_id", "est_duration"}),
}
END_FIELDS = frozenset({"disposition", "disposition_desc"})


def start(level: str, body: dict[str, Any], timestamp: str) -> Document:
    fields = START_FIELDS[level]
    return {
        "fields": {name: value for name, value in body.items() if name in fields},
        "started": {"timestamp": timestamp, **origin(body)},
        "attached": {
            name: value
            for name, value in body.items()
            if name not in fields and name not in ORIGIN_FIELDS
        },
    }


def complete(document: Document, body: dict[str, Any], timestamp: str) -> Document:
    ending = {name: value for name, value in body.items() if name in END_FIELDS}
    attached = {
        name: value
        for name, value in body.items()
        if name not in END_FIELDS and name not in ORIGIN_FIELDS
    }
    return {
        **document,
        "completed": {"timestamp": timestamp, **origin(body), **ending},
        "attached": {**document["attached"], **attached},
    }


def origin(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name in ORIGIN_FIELDS}


def attach(document: Document, name: str, value: Any) -> Document:
    """The former value is lost."""
    return {**document, "attached": {**document["attached"], name: value}}


def merge_attached(document: Document, name: str, value: Any) -> Document:
    """Objects are joined key by key, arrays are put together; anything else is replaced."""
    former = document["attached"].get(name)
    if isinstance(former, dict) and isinstance(value, dict):
        value = {**former, **value}
    elif isinstance(former, list):
        value = former + (value if isinstance(value, list) else [value])
    return attach(document, name, value)


def shown(call: Call, document: Document) -> dict[str, Any]:
    result = {**document["fields"], "started": document["started"]}
    if "completed" in document:
        result["completed"] = document["completed"]
    wanted = {name.casefold() for name in call.names_asked("extensions")}
    result.update(
        {name: value for name, value in document["attached"].items() if name.casefold() in wanted}
    )
    return result


def flag(call: Call, name: str) -> bool:
    """A filter such as `active_states=true`; false when absent."""
    values = call.asked(name)
    if not values:
        return False
    if values[-1].lower() not in {"true", "false"}:
        raise bad_request(f"`{name}` is neither `true` nor `false`")
    return values[-1].lower() == "true"


def type_wanted(call: Call, level: str, document: Document) -> bool:
    """The filters `service_types`, `state_types` and `task_types`: lists with commas."""
    wanted = call.names_asked(f"{level}_types")
    return not wanted or str(document["fields"].get(f"{level}_type")) in wanted


def number_from(text: str, bits: int) -> int:
    """An id out of a path; -1, which is nobody's, for what is none or would not fit a column."""
    plain = text.isascii() and text.isdigit() and len(text) <= len(str(2**bits))
    number = int(text) if plain else -1
    return number if number < 2 ** (bits - 1) else -1
