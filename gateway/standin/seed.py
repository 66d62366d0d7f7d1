"""A few customers to begin with, the same in every fresh database.

Anna has everything: two phones, a contract, a service under way, a chat and a letter. The others
have less. `00001b8BBKDX000H` is Anna once more, by mistake, for whoever wants to merge.
"""

from typing import Any

from gateway.standin.config import CORE_ATTRIBUTES, StandinConfig
from gateway.standin.gms_services import save_service
from gateway.standin.gms_stages import save_stage
from gateway.standin.interactions import save_interaction
from gateway.standin.keys import IdentificationKey, save_key
from gateway.standin.profiles import save_profile, sort_body
from gateway.standin.schemas import Attribute, ExtensionSchema, save_schema
from gateway.standin.store import Store

__all__ = ["ANNA", "CHAT", "LETTER", "MEI", "SAM", "SECOND_ANNA", "plant"]

ANNA = "0004Va58A92T0017"
SAM = "0004Va58A92T0018"
MEI = "0004Va58A92T0019"
SECOND_ANNA = "00001b8BBKDX000H"
CHAT = "00001a57JGQ00BW8"
LETTER = "00001a57JGQ00BW9"

SCHEMAS = (
    ExtensionSchema(
        "Phone",
        multi_valued=True,
        attributes=(
            Attribute("PhoneType", "integer"),
            Attribute("prefix"),
            Attribute("PhoneNumber"),
            Attribute("description"),
            Attribute("start_availability", "datetime"),
            Attribute("end_availability", "datetime"),
        ),
        unique=("PhoneNumber",),
    ),
    ExtensionSchema(
        "Contract",
        multi_valued=False,
        attributes=(
            Attribute("ContractNumber", mandatory=True),
            Attribute("plan"),
            Attribute("signed", "date"),
            Attribute("monthly_fee", "currency"),
            Attribute("renews", "boolean"),
        ),
    ),
)
KEYS = (
    IdentificationKey("EmailKey", ("EmailAddress",)),
    IdentificationKey("NameKey", ("LastName", "FirstName")),
    IdentificationKey("PhoneKey", ("PhoneNumber",), source="Phone"),
)
PROFILES: tuple[dict[str, Any], ...] = (
    {
        "customer_id": ANNA,
        "FirstName": "Anna",
        "LastName": "Rossi",
        "Title": "Dr",
        "DOB": "1984-05-10",
        "PhoneNumber": "555-1918",
        "EmailAddress": ["anna.rossi@example.com", "anna@example.org"],
        "Phone": [
            {"PhoneType": 0, "prefix": "+1", "PhoneNumber": "555-1918", "description": "home"},
            {"PhoneType": 2, "prefix": "+1", "PhoneNumber": "555-1919", "description": "work"},
        ],
        "Contract": {"ContractNumber": "C-1001", "plan": "gold", "renews": True},
    },
    {
        "customer_id": SAM,
        "FirstName": "Sam",
        "LastName": "Okafor",
        "EmailAddress": "sam.okafor@example.com",
        "Phone": [{"PhoneType": 1, "prefix": "+1", "PhoneNumber": "555-2020"}],
    },
    {
        "customer_id": MEI,
        "FirstName": "Mei",
        "LastName": "Lindqvist",
        "EmailAddress": "mei.lindqvist@example.com",
    },
    {
        "customer_id": SECOND_ANNA,
        "FirstName": "Anna",
        "LastName": "Rossi",
        "EmailAddress": "a.rossi@example.net",
        "Phone": [{"PhoneType": 1, "prefix": "+39", "PhoneNumber": "555-7777"}],
        "Contract": {"ContractNumber": "C-2002", "plan": "basic", "renews": False},
    },
)
STARTED = "2026-01-15T09:30:00.000Z"


def plant(store: Store, config: StandinConfig) -> None:
    """Fills a database that has never been filled; one with data stays as it is.

    These customers need the usual core attributes. A server configured with others begins empty.
    """
    if store.fact("seeded", "") or not set(CORE_ATTRIBUTES) <= set(config.core_attributes):
        return
    store.set_fact("seeded", "yes")
    for schema in SCHEMAS:
        save_schema(store, schema)
    for key in KEYS:
        save_key(store, key)
    for body in PROFILES:
        save_profile(store, sort_body(store, config, body))
    service = plant_services(store)
    plant_interactions(store, str(service))


def plant_services(store: Store) -> int:
    """Anna's, with a state and a task; and one whose caller is not known yet. Returns the first."""
    service = save_service(
        store,
        {
            "customer_id": ANNA,
            "service_type": 100,
            "media_type": "chat",
            "interaction_id": CHAT,
            "StoryService": {"topic": "a contract that renewed itself"},
        },
        STARTED,
    )
    state = save_stage(store, service, "state", {"state_type": 100}, STARTED)
    save_stage(store, service, "task", {"task_type": 100, "state_id": state}, STARTED)
    save_service(store, {"contact_key": "5550100", "service_type": 101}, STARTED)
    return service


def plant_interactions(store: Store, service: str) -> None:
    save_interaction(
        store,
        CHAT,
        customer_id=ANNA,
        service_id=service,
        document={
            "external_id": "00AF4A7951D60009",
            "established_date": STARTED,
            "media_type": "chat",
            "udata": {"ServiceType": "default", "CustomerSegment": "default"},
        },
        plain_text="Anna: my contract renewed itself\nAgent: let me look\n",
        structured_text="<chat><line who='Anna'>my contract renewed itself</line></chat>",
    )
    save_interaction(
        store,
        LETTER,
        customer_id=ANNA,
        document={"established_date": STARTED, "media_type": "email", "subject": "My contract"},
        plain_text="Please see the attached letter.\n",
        binary=("application/pdf", b"%PDF-1.4\n%stand-in letter\n%%EOF\n"),
    )
