"""The organization as it begins, the same in every run: two offices, their queues, people, calls.

Three divisions, so that a role can be granted in some of them: Home, Sales and Claims. Names say
which is which; ids are made of names, and the constants below are for whoever needs one.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.standin.moment import stamp
from gateway.standin.platform.alerting import RULES
from gateway.standin.platform.authorization import MASTER_ADMIN
from gateway.standin.platform.call import API
from gateway.standin.platform.campaigns import CAMPAIGNS
from gateway.standin.platform.collection import HOME, Collection
from gateway.standin.platform.contact_lists import CONTACT_LISTS, contact_entity
from gateway.standin.platform.presence import SOURCES
from gateway.standin.platform.queues import QUEUES, member_reference
from gateway.standin.platform.store import Entity, Store, guid
from gateway.standin.platform.telephony import EDGES, PHONES, SITES, STATIONS, TRUNKS
from gateway.standin.platform.users import user_entity
from gateway.standin.platform.wrap_up_codes import SKILLS, WRAP_UP_CODES

__all__ = [
    "ALERT",
    "CAMPAIGN",
    "CLAIMS",
    "CONTACT",
    "CONVERSATION",
    "EDGE",
    "HOME",
    "RULE",
    "SALES",
    "SALES_QUEUE",
    "SOURCE",
    "STATION",
    "SUPPORT_QUEUE",
    "SURVEY_LIST",
    "USER",
    "WRAP_UP_CODE",
    "plant",
]

SALES = guid("division Sales")
CLAIMS = guid("division Claims")
DIVISIONS = {"Home": HOME, "Sales": SALES, "Claims": CLAIMS}

SUPPORT_QUEUE = guid("queue Support")
SALES_QUEUE = guid("queue Sales Germany")
WRAP_UP_CODE = guid("wrap-up code Resolved")
USER = guid("user Anna Rossi")
SURVEY_LIST = guid("contact list Survey mapping")
CONTACT = guid("contact 1")
CAMPAIGN = guid("campaign Survey calls")
CONVERSATION = guid("conversation 0")
ALERT = guid("alert 0")
RULE = guid("rule Long waits")
SOURCE = guid("presence source Genesys Cloud")
STATION = guid("station Anna's desk")
EDGE = guid("edge Edge 1")

# Name and division of everything that has no more to it.
PLAIN: tuple[tuple[Collection, tuple[tuple[str, str], ...]], ...] = (
    (
        QUEUES,
        (
            ("Support", "Home"),
            ("Support VIP", "Home"),
            ("Sales Germany", "Sales"),
            ("Sales Italy", "Sales"),
            ("Claims intake", "Claims"),
        ),
    ),
    (
        WRAP_UP_CODES,
        (
            ("Resolved", "Home"),
            ("Call back", "Home"),
            ("Sold", "Sales"),
            ("Not interested", "Sales"),
            ("Claim opened", "Claims"),
        ),
    ),
    (SKILLS, (("German", "Home"), ("Italian", "Home"))),
    (CONTACT_LISTS, (("Survey mapping", "Home"), ("Sales leads", "Sales"))),
    (CAMPAIGNS, (("Survey calls", "Home"), ("Spring sale", "Sales"))),
    (RULES, (("Long waits", "Home"), ("Nobody on queue", "Home"))),
    (SOURCES, (("Genesys Cloud", "Home"), ("Microsoft Teams", "Home"))),
    (SITES, (("Berlin", "Home"), ("Milan", "Home"))),
    (EDGES, (("Edge 1", "Home"), ("Edge 2", "Home"))),
    (TRUNKS, (("Carrier", "Home"),)),
    (PHONES, (("Anna's desk", "Home"),)),
    (STATIONS, (("Anna's desk", "Home"), ("Front desk", "Home"))),
)
PEOPLE = (
    ("Anna Rossi", "Home"),
    ("Sam Okafor", "Home"),
    ("Mei Lindqvist", "Sales"),
    ("Jonas Weber", "Sales"),
    ("Ines Duarte", "Claims"),
)
MEMBERS = {
    "Support": ("Anna Rossi", "Sam Okafor"),
    "Sales Germany": ("Jonas Weber",),
    "Claims intake": ("Ines Duarte", "Sam Okafor"),
}
COLUMNS = ("id", "phone", "name", "survey")
CONVERSATIONS = 24
FOUNDED = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
FOUNDED_AT = stamp(FOUNDED)


def plant(store: Store) -> None:
    """Fills an organization that is empty."""
    plant_authorization(store)
    for collection, names in PLAIN:
        for name, division in names:
            store.put(collection.kind, plain(store, collection, name, division))
    for name, division in PEOPLE:
        id_, email = guid(f"user {name}"), f"{name.split()[0].lower()}@stand-in.example"
        store.put("user", user_entity(id_, name, email, reference(store, division)))
    for queue, people in MEMBERS.items():
        for name in people:
            queue_id, user = guid(f"queue {queue}"), store.get("user", guid(f"user {name}"))
            member = member_reference(queue_id, user, joined=True)
            store.put("queue member", member, f"{queue_id}/{user['id']}")
    complete(store)
    plant_contacts(store)
    plant_alerts(store)
    for number in range(CONVERSATIONS):
        conversation = conversation_entity(number)
        store.put("conversation", conversation, conversation["conversationId"])
    plant_sip_records(store)


def plant_authorization(store: Store) -> None:
    for name, id_ in DIVISIONS.items():
        division = {"id": id_, "name": name, "description": "", "homeDivision": name == "Home"}
        store.put("division", division | {"selfUri": f"{API}/authorization/divisions/{id_}"})
    everything = {"domain": "*", "entityName": "*", "actionSet": ["*"]}
    role = {
        "id": MASTER_ADMIN,
        "name": "Master Admin",
        "description": "Everything",
        "permissions": [],
        "permissionPolicies": [everything],
        "userCount": 1,
        "default": True,
        "base": False,
        "selfUri": f"{API}/authorization/roles/{MASTER_ADMIN}",
    }
    store.put("role", role)


def plain(store: Store, collection: Collection, name: str, division: str) -> Entity:
    id_ = guid(f"{collection.kind} {name}")
    found: Entity = {"id": id_, "name": name, **collection.defaults}
    if collection.divided:
        found["division"] = reference(store, division)
    if collection is not STATIONS:
        found |= {"dateCreated": FOUNDED_AT, "dateModified": FOUNDED_AT}
    if collection is RULES:
        found["dateLastModified"] = found.pop("dateModified")
    if collection is SKILLS:
        found.pop("dateCreated")
    return found | {"selfUri": f"{API}{collection.path}/{id_}"}


def reference(store: Store, division: str) -> Entity:
    found = store.get("division", DIVISIONS[division])
    return {name: found[name] for name in ("id", "name", "selfUri")}


def complete(store: Store) -> None:
    """What some have beyond a name and a division."""

    def change(kind: str, name: str, **more: Any) -> None:
        store.put(kind, store.get(kind, guid(f"{kind} {name}")) | more)

    for name in ("Survey mapping", "Sales leads"):
        phones = [{"columnName": "phone", "type": "cell"}]
        change("contact list", name, columnNames=list(COLUMNS), phoneColumns=phones)
    named = {"id": SURVEY_LIST, "name": "Survey mapping"}
    change(
        "campaign",
        "Survey calls",
        contactList=named,
        queue={"id": SUPPORT_QUEUE, "name": "Support"},
    )
    for name in ("Edge 1", "Edge 2"):
        change(
            "edge", name, statusCode="ACTIVE", onlineStatus="ONLINE", softwareVersion="1.0.0.13480"
        )
    change("trunk", "Carrier", trunkType="EXTERNAL", state="active", inService=True, enabled=True)
    change("phone", "Anna's desk", state="active", version=1)
    change("presence source", "Genesys Cloud", type="System")
    change("station", "Anna's desk", status="ASSOCIATED", type="inin_webrtc_softphone", userId=USER)
    change("station", "Front desk", status="AVAILABLE", type="inin_managed_generic")


def plant_contacts(store: Store) -> None:
    for number in range(1, 4):
        id_ = guid(f"contact {number}")
        data = {
            "id": str(number),
            "phone": f"+1555010{number}",
            "name": f"Caller {number}",
            "survey": "mobile",
        }
        contact = contact_entity(id_, SURVEY_LIST, data, FOUNDED_AT)
        store.put("contact", contact, f"{SURVEY_LIST}/{id_}")


def plant_alerts(store: Store) -> None:
    for number, active in enumerate((True, False)):
        id_ = guid(f"alert {number}")
        alert = {
            "id": id_,
            "name": "Long waits",
            "rule": {"id": RULE, "name": "Long waits", "type": "ConversationMetrics"},
            "notifications": [],
            "dateStart": stamp(FOUNDED + timedelta(days=number)),
            "active": active,
            "unread": active,
            "muted": False,
            "snoozed": False,
            "ruleUri": f"{API}/alerting/rules/{RULE}",
            "selfUri": f"{API}/alerting/alerts/{id_}",
        }
        store.put("alert", alert)


def conversation_entity(number: int) -> Entity:
    """One call an hour, of three minutes, in turn for each of the queues that have members."""
    queue, people = list(MEMBERS.items())[number % len(MEMBERS)]
    division = dict(PLAIN[0][1])[queue]
    start = FOUNDED + timedelta(hours=number)
    end = start + timedelta(minutes=3)
    session: Entity = {
        "mediaType": "voice",
        "direction": "inbound",
        "sessionId": guid(f"session {number}"),
        "ani": f"tel:+1555020{number:02d}",
        "segments": [
            {
                "segmentStart": stamp(start),
                "segmentEnd": stamp(end),
                "segmentType": "interact",
                "queueId": guid(f"queue {queue}"),
                "wrapUpCode": WRAP_UP_CODE,
                "disconnectType": "client",
            }
        ],
        "metrics": [{"name": "tTalk", "value": 180_000, "emitDate": stamp(end)}],
    }
    return {
        "conversationId": guid(f"conversation {number}"),
        "conversationStart": stamp(start),
        "conversationEnd": stamp(end),
        "originatingDirection": "inbound",
        "divisionIds": [DIVISIONS[division]],
        "participants": [
            {
                "participantId": guid(f"participant {number}"),
                "participantName": people[0],
                "purpose": "agent",
                "userId": guid(f"user {people[0]}"),
                "sessions": [session],
            }
        ],
    }


def plant_sip_records(store: Store) -> None:
    for number, method in enumerate(("INVITE", "ACK", "BYE")):
        record = {
            "id": guid(f"sip {number}"),
            "date": stamp(FOUNDED + timedelta(seconds=number)),
            "method": method,
            "callid": "call-0@stand-in.example",
            "conversationId": CONVERSATION,
            "fromUser": "+155502000",
            "toUser": "support",
        }
        store.put("sip record", record)
