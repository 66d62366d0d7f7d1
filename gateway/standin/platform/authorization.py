"""Authorization as data: divisions, roles, and what the caller has been granted.

It can be read and changed, and decides nothing: this stand-in lets every token do everything.
"""

from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.collection import HOME, Collection, matching
from gateway.standin.platform.errors import Fault, bad_request
from gateway.standin.platform.paging import listing
from gateway.standin.platform.store import Entity, guid

__all__ = ["DIVISIONS", "MASTER_ADMIN", "ROLES", "ROUTES"]

MASTER_ADMIN = guid("role Master Admin")

DIVISIONS = Collection(
    kind="division",
    path="/authorization/divisions",
    parameter="divisionId",
    divided=False,
    fields={"description": str},
    defaults={"homeDivision": False, "description": ""},
    shown=lambda _, entity: {name: entity[name] for name in entity if not name.startswith("date")},
)
ROLES = Collection(
    kind="role",
    path="/authorization/roles",
    parameter="roleId",
    divided=False,
    fields={"description": str, "permissions": list, "permissionPolicies": list},
    defaults={
        "permissions": [],
        "permissionPolicies": [],
        "userCount": 0,
        "default": False,
        "base": False,
    },
    shown=lambda _, entity: {name: entity[name] for name in entity if not name.startswith("date")},
)


def home(call: Call) -> Reply:
    return Reply(value=call.store.get("division", HOME))


def delete_division(call: Call) -> Reply:
    if DIVISIONS.one(call)["homeDivision"]:
        raise Fault(409, "general.conflict", "The home division cannot be deleted.")
    return DIVISIONS.delete(call)


def delete_role(call: Call) -> Reply:
    if ROLES.one(call)["default"]:
        raise Fault(409, "general.conflict", "A default role cannot be deleted.")
    return ROLES.delete(call)


def grant_of(call: Call, role: Entity, division: Entity) -> Entity:
    return {
        "subjectId": call.token.client.client_id,
        "division": division,
        "role": {
            "id": role["id"],
            "name": role["name"],
            "default": role["default"],
            "policies": [
                {
                    "domain": policy["domain"],
                    "entityName": policy["entityName"],
                    "actions": policy["actionSet"],
                }
                for policy in role["permissionPolicies"]
            ],
            "selfUri": role["selfUri"],
        },
        "grantMadeAt": "2026-01-01T00:00:00.000Z",
    }


def me(call: Call) -> Reply:
    """Master Admin in every division: what the gateway's own client would be given."""
    role = call.store.get("role", MASTER_ADMIN)
    everywhere = {"id": "*", "name": "*", "homeDivision": False}
    client = call.token.client
    return Reply(
        value={
            "id": client.client_id,
            "name": client.name,
            "grants": [grant_of(call, role, everywhere)],
            "version": 1,
            "selfUri": f"{API}/authorization/subjects/{client.client_id}",
        }
    )


def divisions_permitted(call: Call) -> Reply:
    if not call.asked("permission"):
        raise bad_request("`permission` is required.", "permission")
    found = matching(call, call.store.all("division"))
    return Reply(value=listing(call, found) | {"allDivsPermitted": True})


ROUTES = (
    Route("GET", "/authorization/divisions/home", home),
    *DIVISIONS.routes("list", "create", "get", "change"),
    Route("DELETE", "/authorization/divisions/{divisionId}", delete_division),
    *ROLES.routes("list", "create", "get", "change", "patch"),
    Route("DELETE", "/authorization/roles/{roleId}", delete_role),
    Route("GET", "/authorization/subjects/me", me),
    Route("GET", "/authorization/divisionspermitted/paged/me", divisions_permitted),
)
