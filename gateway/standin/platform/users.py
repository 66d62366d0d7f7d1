"""People of the organization: listed, searched, changed."""

from collections.abc import Callable, Mapping
from typing import Any

from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.collection import Collection, division_of, matching
from gateway.standin.platform.errors import Fault, bad_request, not_found
from gateway.standin.platform.paging import listing, page_of
from gateway.standin.platform.store import Entity

__all__ = ["ROUTES", "USERS"]

USERS = Collection(
    kind="user",
    path="/users",
    parameter="userId",
    fields={"department": str, "title": str, "email": str, "state": str, "acdAutoAnswer": bool},
)

# How a term of a search is compared with a field, by the type that the term names.
COMPARISONS: Mapping[str, Callable[[str, str], bool]] = {
    "EXACT": lambda wanted, found: found == wanted,
    "TERM": lambda wanted, found: wanted in found.split(),
    "TERMS": lambda wanted, found: wanted in found.split(),
    "STARTS_WITH": lambda wanted, found: found.startswith(wanted),
    "CONTAINS": lambda wanted, found: wanted in found,
    "QUERY_STRING": lambda wanted, found: wanted in found,
}


def list_users(call: Call) -> Reply:
    """Those that are active, unless another state is asked for."""
    state = call.asked("state") or "active"
    users = [user for user in call.store.all("user") if state in {"any", user["state"]}]
    return Reply(value=listing(call, matching(call, users)))


def create(call: Call) -> Reply:
    body = call.json_object()
    email, password = body.get("email"), body.get("password")
    if not isinstance(email, str) or "@" not in email:
        raise bad_request("`email` is required.", "email")
    if password is not None and not isinstance(password, str):
        raise bad_request("`password` is of the wrong type.", "password")
    if any(user["email"] == email for user in call.store.all("user")):
        raise Fault(409, "general.conflict", "A user with this email exists.", {"email": email})
    if not isinstance(body.get("name"), str) or not body["name"].strip():
        raise bad_request("`name` is required.", "name")
    id_ = call.store.new_id("user")
    # UpdateUser and CreateUser name the division by its id alone.
    division = division_of(
        call, {"division": {"id": body["divisionId"]}} if "divisionId" in body else {}
    )
    user = user_entity(id_, body["name"], email, division) | USERS.given(body)
    return Reply(value=call.store.put("user", user))


def user_entity(id_: str, name: str, email: str, division: Entity) -> Entity:
    return {
        "id": id_,
        "name": name,
        "division": division,
        "chat": {"jabberId": f"{id_.replace('-', '')}@stand-in.orgspan.com"},
        "email": email,
        "primaryContactInfo": [{"address": email, "mediaType": "EMAIL", "type": "PRIMARY"}],
        "addresses": [],
        "state": "active",
        "username": email,
        "version": 1,
        "acdAutoAnswer": False,
        "selfUri": f"{API}/users/{id_}",
    }


def change(call: Call) -> Reply:
    """A change names the version it is made to; another one in between is a conflict."""
    given = call.json_object().get("version")
    if given is not None and given != USERS.one(call)["version"]:
        raise Fault(409, "general.conflict", "The version is not the current one.")
    return USERS.change(call)


def delete(call: Call) -> Reply:
    """Deleted users remain, as deleted."""
    user = USERS.one(call)
    call.store.put("user", user | {"state": "deleted", "version": user["version"] + 1})
    return Reply(value={})


def me(_: Call) -> Reply:
    """A token of client credentials has no user."""
    raise not_found("user")


def search(call: Call) -> Reply:
    """Every clause of `query` has to hold; a value may fit any of the fields it names."""
    body = call.json_object()
    clauses = body.get("query")
    if not isinstance(clauses, list) or not all(isinstance(each, dict) for each in clauses):
        raise bad_request("`query` is not an array of objects.", "query")
    page = page_of(body)
    users = call.store.all("user")
    for clause in clauses:
        users = [user for user in users if satisfies(user, clause)]
    found: dict[str, Any] = {
        "total": len(users),
        "pageCount": page.count(len(users)),
        "pageSize": page.size,
        "pageNumber": page.number,
        "types": ["users"],
        "results": list(page.of(users)),
    }
    return Reply(value=found)


def satisfies(user: Entity, clause: Mapping[str, Any]) -> bool:
    compare = COMPARISONS.get(str(clause.get("type", "EXACT")))
    if compare is None:
        raise bad_request("`type` is no type of search.", "type")
    values = clause.get("values") or [clause.get("value")]
    fields = clause.get("fields")
    if not isinstance(values, list) or not all(isinstance(each, str) for each in values):
        raise bad_request("`value` is required.", "value")
    if not isinstance(fields, list) or not all(isinstance(each, str) for each in fields):
        raise bad_request("`fields` is required.", "fields")
    texts = [str(value_at(user, name)).casefold() for name in fields]
    return any(compare(wanted.casefold(), text) for wanted in values for text in texts)


def value_at(user: Entity, name: str) -> Any:
    """A field of a user, also one inside another: `division.id`. Also known as `divisionId`."""
    found: Any = user
    for part in {"divisionId": "division.id"}.get(name, name).split("."):
        found = found.get(part, "") if isinstance(found, dict) else ""
    return found


def get_station(call: Call) -> Reply:
    """Which phone somebody has: the effective one is the associated one."""
    user = USERS.one(call)
    stations = [each for each in call.store.all("station") if each.get("userId") == user["id"]]
    shown = [
        {
            "id": each["id"],
            "name": each["name"],
            "type": each["type"],
            "associatedUser": {"id": user["id"]},
        }
        for each in stations
    ]
    return Reply(
        value={"associatedStation": shown[0], "effectiveStation": shown[0]} if shown else {}
    )


ROUTES = (
    Route("GET", "/users", list_users),
    Route("POST", "/users", create),
    Route("GET", "/users/me", me),
    Route("POST", "/users/search", search),
    Route("GET", "/users/{userId}", USERS.get),
    Route("PATCH", "/users/{userId}", change),
    Route("DELETE", "/users/{userId}", delete),
    Route("GET", "/users/{userId}/station", get_station),
)
