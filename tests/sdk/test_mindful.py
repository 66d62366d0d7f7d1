"""The Mindful Feedback integration behind the gateway, with the official SDK.

It was installed with Master Admin, and is to make do with a role of its own: first with the base
permissions, then with the optional one, then in some divisions only. The gateway serves all the
while, and the client keeps its token.
"""

from pathlib import Path

import pytest

from gateway.standin.platform import seed
from gateway.standin.platform.app import RunningPlatform
from tests.sdk.rows import ANY, MINDFUL
from tests.sdk.verdicts import THROUGH, verdict_of, verdicts_of
from tests.support.cloud import WAYS, Cloud, Credentials, served
from tests.support.sdk import Refused, Sdk

ROLE = "Mindful Feedback App"
BASE = ("Routing > Queue > View", "Routing > Wrap-up Code > View", "directory:user:view")
OPTIONAL = "outbound:contact:add"
ADD_CONTACTS = "post_outbound_contactlist_contacts"


def installed(gateway: Cloud) -> Credentials:
    """A client with the roles of whoever installed it."""
    mindful = gateway.create_client("mindful")
    gateway.does("client", "grant", "mindful", "Master Admin")
    gateway.does("client", "authorize", "mindful", "outbound", "routing", "users", "telephony")
    return mindful


@pytest.mark.parametrize("way", WAYS)
async def test_the_swap_from_master_admin_counts_at_once_and_the_optional_permission_too(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform, way: str
) -> None:
    laid_out = Cloud(tmp_path, platform, way)
    mindful = installed(laid_out)
    async with served(laid_out) as gateway:
        client = await gateway.log_in(sdk, mindful)
        before = await verdicts_of(client, MINDFUL)
        assert before == {row.method: THROUGH for row in MINDFUL}
        await gateway.changes(
            "role", "create", ROLE, *(word for line in BASE for word in ("--permission", line))
        )
        await gateway.changes("client", "grant", "mindful", ROLE)
        await gateway.changes("client", "revoke", "mindful", "Master Admin")
        wanted = {row.method: row.verdict() for row in MINDFUL}
        after = await verdicts_of(client, MINDFUL)
        assert after == wanted | {ADD_CONTACTS: (ANY, f"[{OPTIONAL}]")}
        await gateway.changes("role", "grant", ROLE, OPTIONAL)
        with_optional = await verdicts_of(client, MINDFUL)
        assert with_optional == wanted


async def test_a_role_that_is_given_in_a_division_counts_there_alone(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    laid_out = Cloud(tmp_path, platform)
    laid_out.create_role(ROLE, (*BASE, OPTIONAL))
    mindful = laid_out.create_client("mindful")
    laid_out.does("client", "grant", "mindful", ROLE, "--division", seed.SALES)
    laid_out.does("client", "authorize", "mindful", "outbound", "routing", "users")
    async with served(laid_out) as gateway:
        client = await gateway.log_in(sdk, mindful)
        sales = await client.call("RoutingApi", "get_routing_queues", division_id=[seed.SALES])
        assert {queue["division"]["id"] for queue in sales.parsed["entities"]} == {seed.SALES}
        for asked in ({"division_id": [seed.SALES, seed.HOME]}, {"division_id": ["*"]}, {}):
            with pytest.raises(Refused) as refused:
                await client.call("RoutingApi", "get_routing_queues", **asked)
            assert refused.value.code == "missing.any.division.permissions", asked
        code, listed = await verdict_of(client, "get_routing_wrapupcodes")
        assert (code, listed) == ("missing.division.permission", "routing:wrapupCode:view")
        assert [receipt.target for receipt in gateway.arrived()] == [
            f"/api/v2/routing/queues?divisionId={seed.SALES}"
        ]
        await gateway.changes("client", "grant", "mindful", ROLE, "--division", seed.HOME)
        both = {"division_id": [seed.SALES, seed.HOME]}
        found = await client.call("RoutingApi", "get_routing_queues", **both)
        assert found.parsed["total"] == 4
