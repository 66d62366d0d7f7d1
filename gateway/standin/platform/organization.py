"""The organization itself, its clients, and what the caller's own token is."""

from datetime import timedelta

from gateway.standin.moment import stamp
from gateway.standin.platform.authorization import MASTER_ADMIN
from gateway.standin.platform.call import API, Call, Reply, Route
from gateway.standin.platform.paging import listing
from gateway.standin.platform.store import Entity, guid

__all__ = ["ROUTES"]

NAMED = {"id": guid("organization"), "name": "Stand-in"}


def get_organization(_: Call) -> Reply:
    return Reply(
        value=NAMED
        | {
            "defaultLanguage": "en-US",
            "defaultCountryCode": "US",
            "thirdPartyOrgName": "stand-in",
            "domain": "stand-in.example",
            "version": 1,
            "state": "active",
            "productPlatform": "GenesysCloud",
            "selfUri": f"{API}/organizations/me",
        }
    )


def get_token(call: Call) -> Reply:
    client = call.token.client
    return Reply(
        value={
            "organization": NAMED,
            "homeOrganization": NAMED,
            "authorizedScope": [],
            "dateTokenIdles": stamp(min(call.token.expires, call.now + timedelta(hours=8))),
            "OAuthClient": {
                "id": client.client_id,
                "name": client.name,
                "authorizedGrantType": "CLIENT-CREDENTIALS",
                "scope": [],
                "roleDivisions": [{"roleId": MASTER_ADMIN, "divisionId": "*"}],
                "state": "active",
                "organization": NAMED,
            },
        }
    )


def check_token(_: Call) -> Reply:
    return Reply()


def delete_token(call: Call) -> Reply:
    call.tokens.revoke(call.authorization)
    return Reply()


def list_clients(call: Call) -> Reply:
    client = call.token.client
    shown: Entity = {
        "id": client.client_id,
        "name": client.name,
        "authorizedGrantType": "CLIENT-CREDENTIALS",
        "scope": [],
        "state": "active",
        "selfUri": f"{API}/oauth/clients/{client.client_id}",
    }
    return Reply(value=listing(call, [shown]))


def get_conversation(call: Call) -> Reply:
    """The conversation as it is handled, which is less than analytics tells of it."""
    found = call.store.get("conversation", call.parameters["conversationId"])
    return Reply(
        value={
            "id": found["conversationId"],
            "startTime": found["conversationStart"],
            "endTime": found["conversationEnd"],
            "participants": [],
            "recordingState": "NONE",
            "divisions": [
                {"division": {"id": id_}, "entities": []} for id_ in found["divisionIds"]
            ],
            "selfUri": call.path,
        }
    )


ROUTES = (
    Route("GET", "/organizations/me", get_organization),
    Route("GET", "/tokens/me", get_token),
    Route("HEAD", "/tokens/me", check_token),
    Route("DELETE", "/tokens/me", delete_token),
    Route("GET", "/oauth/clients", list_clients),
    Route("GET", "/conversations/{conversationId}", get_conversation),
)
