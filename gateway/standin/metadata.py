"""Everything else that describes the data: the profile schema, business attributes, the cache.

Business attributes belong to Configuration Server and are constants here. The pages for
`/metadata` and `/metadata/cache` were not to be found, so what these answer is our guess.
"""

from typing import Any

from gateway.standin.call import Call, Mode, Reply, Route
from gateway.standin.config import StandinConfig
from gateway.standin.errors import bad_request, not_found
from gateway.standin.keys import all_keys
from gateway.standin.schemas import all_schemas
from gateway.standin.store import Store

__all__ = ["ROUTES"]


def business_attribute(name: str, title: str, uses: list[str], *values: str) -> dict[str, Any]:
    """`uses` are the full names of the attributes that take their values from it."""
    return {
        "name": name,
        "display_name": title,
        "cv_attributes": uses,
        "values": [
            {"id": 100 + number, "name": value, "default": number == 0}
            for number, value in enumerate(values)
        ],
    }


BUSINESS_ATTRIBUTES = (
    business_attribute("ServiceType", "Service type", ["Service.type"], "support", "sales"),
    business_attribute("StateType", "State type", ["State.type"], "identify", "resolve"),
    business_attribute("TaskType", "Task type", ["Task.type"], "collect", "confirm"),
    business_attribute(
        "MediaType",
        "Media type",
        ["Service.media_type", "State.media_type", "Task.media_type"],
        "voice",
        "email",
        "chat",
    ),
    business_attribute(
        "DispositionCode",
        "Disposition code",
        ["Service.disposition", "State.disposition", "Task.disposition"],
        "done",
        "abandoned",
    ),
)


def profile_schema(config: StandinConfig) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": "datetime" if name == "DOB" else "string", "mandatory": "false"}
        for name in config.core_attributes
    ]


def read_profile_schema(call: Call) -> Reply:
    return Reply(value=profile_schema(call.config))


def read_metadata(call: Call) -> Reply:
    return Reply(
        value={
            "profiles": profile_schema(call.config),
            "extensions": [schema.as_json() for schema in all_schemas(call.store)],
            "identification-keys": [key.as_json() for key in all_keys(call.store)],
            "business-attributes": list(BUSINESS_ATTRIBUTES),
        }
    )


def read_business_attributes(call: Call) -> Reply:
    """All of them, or with `cv-attribute` the one that a full name such as `Service.type` uses."""
    wanted = call.asked("cv-attribute")
    if not wanted:
        return Reply(value=list(BUSINESS_ATTRIBUTES))
    for each in BUSINESS_ATTRIBUTES:
        if wanted[-1] in each["cv_attributes"]:
            return Reply(value=each)
    raise not_found("no business attribute is mapped to this `cv-attribute`")


def read_business_attribute(call: Call) -> Reply:
    for each in BUSINESS_ATTRIBUTES:
        if each["name"] == call.parameters["name"]:
            return Reply(value=each)
    raise not_found("there is no such business attribute")


def read_cache(call: Call) -> Reply:
    return Reply(value=cache_shown(call.store))


def change_cache(call: Call) -> Reply:
    """A `PUT` reloads the cache; `{"enabled": …}` also switches it."""
    enabled = call.optional_object().get("enabled")
    if enabled is not None:
        if not isinstance(enabled, bool):
            raise bad_request("`enabled` is neither `true` nor `false`")
        call.store.set_fact("cache-enabled", str(enabled).lower())
    call.store.set_fact("cache-loaded", call.timestamp)
    return Reply(value=cache_shown(call.store))


def cache_shown(store: Store) -> dict[str, Any]:
    return {
        "enabled": store.fact("cache-enabled", "true") == "true",
        "loaded": store.fact("cache-loaded", "") or None,
        "entries": len(all_schemas(store)) + len(all_keys(store)) + len(BUSINESS_ATTRIBUTES),
    }


ROUTES = (
    Route("GET", "/metadata", read_metadata),
    Route("GET", "/metadata/profiles", read_profile_schema),
    Route("GET", "/metadata/business-attributes", read_business_attributes),
    Route("GET", "/metadata/business-attributes/{name}", read_business_attribute),
    Route("GET", "/metadata/cache", read_cache),
    Route("PUT", "/metadata/cache", change_cache, Mode.MAINTENANCE),
)
