"""Licences and what is billed: who uses which, and how much of it."""

from collections.abc import Mapping
from typing import Any

from gateway.standin.moment import stamp
from gateway.standin.platform.call import API, Call, Reply, Route, read_moment
from gateway.standin.platform.collection import matching
from gateway.standin.platform.errors import not_found
from gateway.standin.platform.paging import listing
from gateway.standin.platform.users import USERS

__all__ = ["ROUTES"]

# Each with what it is, and with the permissions that it brings.
LICENSES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "cx1": ("Voice", ("routing:queue:view", "conversation:call:accept")),
    "cx3": ("Digital and workforce engagement", ("quality:evaluation:view",)),
    "collaborate": ("Company chat and directory", ("directory:user:view",)),
}
EVERYBODYS = ("cx3",)


def definition(id_: str) -> dict[str, Any]:
    description, permissions = LICENSES[id_]
    return {
        "id": id_,
        "description": description,
        "permissions": {"ids": list(permissions)},
        "prerequisites": [],
        "comprises": [],
        "selfUri": f"{API}/license/definitions/{id_}",
    }


def list_definitions(_: Call) -> Reply:
    """An array, not a listing."""
    return Reply(value=[definition(id_) for id_ in LICENSES])


def get_definition(call: Call) -> Reply:
    id_ = call.parameters["licenseId"]
    if id_ not in LICENSES:
        raise not_found("license", id_)
    return Reply(value=definition(id_))


def list_users(call: Call) -> Reply:
    users = matching(call, call.store.all("user"))
    page = listing(call, [{"id": user["id"], "licenses": list(EVERYBODYS)} for user in users])
    kept = ("entities", "pageSize", "pageNumber", "total", "pageCount")
    return Reply(value={name: page[name] for name in kept})


def get_user(call: Call) -> Reply:
    user = USERS.one(call)
    found = {"id": user["id"], "licenses": [definition(id_) for id_ in EVERYBODYS]}
    return Reply(value=found | {"selfUri": f"{API}/license/users/{user['id']}"})


def billable_usage(call: Call) -> Reply:
    start = read_moment(call.asked("startDate"), "startDate")
    end = read_moment(call.asked("endDate"), "endDate")
    people = len(call.store.all("user"))
    return Reply(
        value={
            "startDate": stamp(start),
            "endDate": stamp(end),
            "status": "Complete",
            "usages": [{"name": "Genesys Cloud CX 3", "totalUsage": str(people), "resources": []}],
            "selfUri": call.path,
        }
    )


ROUTES = (
    Route("GET", "/license/definitions", list_definitions),
    Route("GET", "/license/definitions/{licenseId}", get_definition),
    Route("GET", "/license/users", list_users),
    Route("GET", "/license/users/{userId}", get_user),
    Route("GET", "/billing/reports/billableusage", billable_usage),
)
