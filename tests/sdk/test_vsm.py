"""The VSM integration behind the gateway, with the official SDK: what its role opens, and no more.

It is set up by the commands for the steps of its manual, with the manual's own lines.
"""

import asyncio
from pathlib import Path

import pytest

from gateway.cli.output import Exit
from gateway.standin.platform.app import RunningPlatform
from tests.cli.process import PATIENCE_SECONDS
from tests.sdk.rows import VSM
from tests.sdk.verdicts import verdicts_of
from tests.support.cloud import UPSTREAM, WAYS, Cloud, Credentials, served
from tests.support.sdk import Refused, Sdk, SdkClient

ROLE = "VSM Role"
PERMISSIONS = (
    "Alerting > Alert > View",
    "Alerting >Rule >View",
    "Analytics > Conversation Detail > View",
    "Analytics > Data Export > View",
    "Analytics > Queue Observation > View",
    "Analytics > Speech and Text Analytics Aggregates > View",
    "Analytics > Tab Configurations > View",
    "Analytics > User Detail > View",
    "Analytics > User Observation > View",
    "Analytics > View Configurations > View",
    "Billing > Subscription > View",
    "Presence > Source > View",
    "Presence > userPrimarySource > View",
    "Routing > Queue > View",
    "Routing > Utilization > View",
    "Routing > Wrap-up Code > View",
    "Telephony > PCAP > View",
    "Telephony > Plugin > All",
    "Telephony > Station > All Permissions",
)
# As they stand in the manual, four of them misspelt, and how they are meant.
SCOPES = (
    "devices:readonly", "dialog:readonly", "employee-performance:readonly", "geolocation:readonly",
    "license:readonly", "locations:readonly", "process-authorization:readonly", "quaity:readonly",
    "routing:readonly", "telephony:readonly", "users:readonly", "alerting:readonly",
    "analytics:readonly", "architect:readonly", "assitstants:readonly", "conversation:readonly",
    "messaging-platform:readonly", "presence:readonly", "user-basic-info", "stations:readonly",
)  # fmt: skip
MEANT = {
    "process-authorization:readonly": "process-automation:readonly",
    "quaity:readonly": "quality:readonly",
    "assitstants:readonly": "assistants:readonly",
    "conversation:readonly": "conversations:readonly",
}
CORRECTED = tuple(MEANT.get(scope, scope) for scope in SCOPES)


def set_up(gateway: Cloud) -> Credentials:
    """Role, a user to choose it from, client, roles, scopes, approval, and the user without it."""
    gateway.create_role(ROLE, PERMISSIONS)
    gateway.does("user", "assign", "ada", ROLE)
    vsm = gateway.create_client("vsm", "--title", "Virsae Genesys", "--pending")
    gateway.does("client", "grant", "vsm", ROLE)
    gateway.does("client", "authorize", "vsm", *CORRECTED)
    gateway.does("client", "approve", "vsm")
    gateway.does("user", "remove", "ada", ROLE)
    return vsm


@pytest.mark.parametrize("way", WAYS)
async def test_the_sdk_is_let_through_where_the_role_allows_it_and_can_read_every_refusal(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform, way: str
) -> None:
    laid_out = Cloud(tmp_path, platform, way)
    vsm = set_up(laid_out)
    async with served(laid_out) as gateway:
        client = await gateway.log_in(sdk, vsm)
        found = await verdicts_of(client, VSM)
        assert found == {row.method: row.verdict() for row in VSM}
        arrived = gateway.arrived()
    allowed = [row.method for row in VSM if not row.both]
    of_the_gateway = {"get_tokens_me"}  # which it answers itself
    assert len(arrived) == len(set(allowed) - of_the_gateway), "of what was refused nothing arrived"
    assert {tuple(receipt.header("X-Gateway-Caller")) for receipt in arrived} == {("vsm",)}
    assert not any(client.token in str(receipt.headers) for receipt in arrived)


async def test_without_the_gate_of_scopes_the_role_decides_alone(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    laid_out = Cloud(tmp_path, platform, use_scopes=False)
    vsm = set_up(laid_out)
    async with served(laid_out) as gateway:
        found = await verdicts_of(await gateway.log_in(sdk, vsm), VSM)
    assert found == {row.method: row.verdict(scopes=False) for row in VSM}


def test_a_misspelt_scope_is_not_written_and_the_right_one_is_named(
    tmp_path: Path, platform: RunningPlatform
) -> None:
    gateway = Cloud(tmp_path, platform)
    gateway.create_client("vsm")
    code, said = gateway.tries("client", "authorize", "vsm", *SCOPES)
    assert code != 0
    for misspelt, meant in MEANT.items():
        assert f"`{misspelt}`" in said
        assert f"did you mean `{meant}`" in said


def test_check_names_the_scopes_that_are_misspelt_in_a_file_and_no_other(
    tmp_path: Path, platform: RunningPlatform
) -> None:
    gateway = Cloud(tmp_path, platform)
    set_up(gateway)
    (file,) = (tmp_path / "policy").iterdir()
    text = file.read_text()
    for misspelt, meant in MEANT.items():
        text = text.replace(f"- {meant}\n", f"- {misspelt}\n")
    file.write_text(text)
    code, said = gateway.tries("check")
    assert code == Exit.INVALID
    for misspelt, meant in MEANT.items():
        assert f"`{misspelt}`\n  help: did you mean `{meant}`?" in said
    assert said.count("error: ") == said.count("unknown-scope") == len(MEANT)


async def test_a_client_that_waits_for_approval_gets_no_token(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    laid_out = Cloud(tmp_path, platform)
    laid_out.create_role(ROLE, PERMISSIONS)
    vsm = laid_out.create_client("vsm", "--pending")
    laid_out.does("client", "grant", "vsm", ROLE)
    async with served(laid_out) as gateway:
        with pytest.raises(Refused) as refused:
            await gateway.log_in(sdk, vsm)
        assert (refused.value.status, refused.value.error["error"]) == (400, "unauthorized_client")


@pytest.mark.parametrize("way", WAYS)
async def test_unknown_client_and_wrong_secret_are_told_the_same(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform, way: str
) -> None:
    laid_out = Cloud(tmp_path, platform, way)
    vsm = laid_out.create_client("vsm")
    said = []
    async with served(laid_out) as gateway:
        # The gateway's own client of the platform is nobody here.
        for wrong in (
            Credentials(vsm.client_id, "wrong"),
            Credentials(UPSTREAM.client_id, "wrong"),
        ):
            with pytest.raises(Refused) as refused:
                await gateway.log_in(sdk, wrong)
            said.append((refused.value.status, refused.value.error))
    assert said[0] == said[1]
    assert (said[0][0], said[0][1]["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("way", WAYS)
async def test_a_token_is_asked_about_and_ended_by_whoever_has_it(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform, way: str
) -> None:
    laid_out = Cloud(tmp_path, platform, way)
    vsm = set_up(laid_out)
    async with served(laid_out) as gateway:
        client, other = await gateway.log_in(sdk, vsm), await gateway.log_in(sdk, vsm)
        told = (await client.call("TokensApi", "get_tokens_me")).parsed
        assert told["OAuthClient"]["id"] == vsm.client_id
        assert set(told["authorizedScope"]) == set(CORRECTED)
        await client.call("TokensApi", "delete_tokens_me")
        refused = await ended(client)
        assert (refused.status, refused.code) == (401, "bad.credentials")
        await other.call("RoutingApi", "get_routing_queues")
        assert not any("tokens" in receipt.target for receipt in gateway.arrived())


async def test_whoever_is_disabled_is_out_with_the_tokens_he_has(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    laid_out = Cloud(tmp_path, platform)
    vsm = set_up(laid_out)
    async with served(laid_out) as gateway:
        client = await gateway.log_in(sdk, vsm)
        await client.call("RoutingApi", "get_routing_queues")
        gateway.does("client", "disable", "vsm")
        refused = await ended(client)
        assert (refused.status, refused.code) == (401, "bad.credentials")
        with pytest.raises(Refused) as login:
            await gateway.log_in(sdk, vsm)
        assert login.value.error["error"] in {"invalid_client", "unauthorized_client"}


async def ended(client: SdkClient) -> Refused:
    """The first refusal of a token that ends: a connection may go on for a second."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                await client.call("RoutingApi", "get_routing_queues", page_size=1)
            except Refused as refused:
                return refused


async def test_what_is_on_the_wire_is_what_is_decided_on(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    """The SDK leaves `/` and `..` in an id, and its HTTP library folds them."""
    laid_out = Cloud(tmp_path, platform)
    vsm = set_up(laid_out)
    async with served(laid_out) as gateway:
        client = await gateway.log_in(sdk, vsm)
        with pytest.raises(Refused) as refused:
            await client.call("RoutingApi", "get_routing_queue", queue_id="x/../divisionviews")
        assert refused.value.code == "missing.permissions"
        assert refused.value.error["messageParams"]["permissions"] == "[routing:queue:search]"
        assert gateway.arrived() == []
