"""Outbound: the lists of contacts that campaigns dial, the contacts in them, the campaigns.

A contact is whatever columns its list has; what is not a column of the list is refused.
"""

from typing import Any

from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.collection import Collection, matching
from gateway.standin.platform.errors import bad_request, not_found
from gateway.standin.platform.paging import listing, page_of
from gateway.standin.platform.store import Entity

__all__ = ["CONTACT_LISTS", "ROUTES", "contact_entity"]

MOST_CONTACTS_AT_ONCE = 1000


def with_size(call: Call, contact_list: Entity) -> Entity:
    """The count of contacts is worked out only for who asks."""
    if not call.asked_flag("includeSize"):
        return contact_list
    return contact_list | {"size": len(contacts_of(call, contact_list["id"]))}


CONTACT_LISTS = Collection(
    kind="contact list",
    path="/outbound/contactlists",
    parameter="contactListId",
    fields={
        "columnNames": list,
        "phoneColumns": list,
        "emailColumns": list,
        "previewModeColumnName": str,
        "zipCodeColumnName": str,
        "automaticTimeZoneMapping": bool,
        "trimWhitespace": bool,
    },
    defaults={
        "version": 1,
        "columnNames": [],
        "phoneColumns": [],
        "automaticTimeZoneMapping": False,
    },
    shown=with_size,
)


def contacts_of(call: Call, list_id: str) -> list[Entity]:
    return [each for each in call.store.all("contact") if each["contactListId"] == list_id]


def contact_entity(id_: str, list_id: str, data: dict[str, str], at: str) -> Entity:
    return {
        "id": id_,
        "contactListId": list_id,
        "data": data,
        "callable": True,
        "phoneNumberStatus": {},
        "contactableStatus": {},
        "dateCreated": at,
        "selfUri": f"{API}/outbound/contactlists/{list_id}/contacts/{id_}",
    }


def read_data(contact_list: Entity, contact: Any) -> dict[str, str]:
    data = contact.get("data") if isinstance(contact, dict) else None
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise bad_request("A contact has no `data`, or other values than texts in it.", "data")
    unknown = sorted(set(data) - set(contact_list["columnNames"]))
    if unknown:
        raise bad_request(f"The contact list has no column `{unknown[0]}`.", "data")
    return data


def add_contacts(call: Call) -> Reply:
    """One that names an id replaces the contact of that id, as the platform does."""
    contact_list = CONTACT_LISTS.one(call)
    contacts = call.json_list()
    if not 1 <= len(contacts) <= MOST_CONTACTS_AT_ONCE:
        raise bad_request(f"Between 1 and {MOST_CONTACTS_AT_ONCE} contacts can be added at once.")
    read = [(contact, read_data(contact_list, contact)) for contact in contacts]
    added = []
    for contact, data in read:
        id_ = contact.get("id")
        key = id_ if isinstance(id_, str) and id_ else call.store.new_id("contact")
        entity = contact_entity(key, contact_list["id"], data, call.timestamp)
        added.append(call.store.put("contact", entity, f"{contact_list['id']}/{key}"))
    return Reply(value=added)


def key_of(call: Call) -> str:
    list_id = CONTACT_LISTS.one(call)["id"]
    return f"{list_id}/{call.parameters['contactId']}"


def one_contact(call: Call) -> Entity:
    key = key_of(call)
    if ("contact", key) not in call.store:
        raise not_found("contact", call.parameters["contactId"])
    return call.store.get("contact", key)


def get_contact(call: Call) -> Reply:
    return Reply(value=one_contact(call))


def change_contact(call: Call) -> Reply:
    contact, body = one_contact(call), call.json_object()
    changed = contact | {"data": read_data(CONTACT_LISTS.one(call), body)}
    if isinstance(body.get("callable"), bool):
        changed["callable"] = body["callable"]
    return Reply(value=call.store.put("contact", changed, key_of(call)))


def delete_contact(call: Call) -> Reply:
    one_contact(call)
    call.store.drop("contact", key_of(call))
    return Reply(204)


def delete_contacts(call: Call) -> Reply:
    """Those that the query names, and no complaint about those that do not exist."""
    list_id = CONTACT_LISTS.one(call)["id"]
    ids = call.asked_list("contactIds")
    if not ids:
        raise bad_request("`contactIds` is required.", "contactIds")
    drop_contacts(call, [each for each in contacts_of(call, list_id) if each["id"] in ids])
    return Reply(204)


def drop_contacts(call: Call, contacts: list[Entity]) -> None:
    for each in contacts:
        call.store.drop("contact", f"{each['contactListId']}/{each['id']}")


def get_contacts(call: Call) -> Reply:
    """A read by POST: the body lists ids."""
    list_id, ids = CONTACT_LISTS.one(call)["id"], call.json_strings()
    return Reply(value=[each for each in contacts_of(call, list_id) if each["id"] in ids])


def search_contacts(call: Call) -> Reply:
    found = contacts_of(call, CONTACT_LISTS.one(call)["id"])
    page = listing(call, found, page_of(call.optional_object()))
    return Reply(value=page | {"contactsCount": len(found)})


def clear(call: Call) -> Reply:
    drop_contacts(call, contacts_of(call, CONTACT_LISTS.one(call)["id"]))
    return Reply(204)


def delete_list(call: Call) -> Reply:
    drop_contacts(call, contacts_of(call, CONTACT_LISTS.one(call)["id"]))
    return CONTACT_LISTS.delete(call)


def delete_lists(call: Call) -> Reply:
    for id_ in call.asked_list("id"):
        call.store.get("contact list", id_)
    for id_ in call.asked_list("id"):
        drop_contacts(call, contacts_of(call, id_))
        call.store.drop("contact list", id_)
    return Reply(204)


def list_division_views(call: Call) -> Reply:
    page = listing(call, matching(call, call.store.all("contact list")))
    shown = ("id", "name", "division", "columnNames", "phoneColumns", "selfUri")
    page["entities"] = [{name: entity[name] for name in shown} for entity in page["entities"]]
    return Reply(value=page)


ONE = "/outbound/contactlists/{contactListId}"
CONTACTS = f"{ONE}/contacts"
CONTACT = f"{CONTACTS}/{{contactId}}"

ROUTES = (
    Route("GET", "/outbound/contactlists/divisionviews", list_division_views),
    *CONTACT_LISTS.routes("list", "create", "get", "change"),
    Route("DELETE", "/outbound/contactlists", delete_lists),
    Route("DELETE", ONE, delete_list),
    Route("POST", f"{ONE}/clear", clear),
    Route("POST", CONTACTS, add_contacts),
    Route("DELETE", CONTACTS, delete_contacts),
    Route("POST", f"{CONTACTS}/bulk", get_contacts),
    Route("POST", f"{CONTACTS}/search", search_contacts),
    Route("GET", CONTACT, get_contact),
    Route("PUT", CONTACT, change_contact),
    Route("DELETE", CONTACT, delete_contact),
)
