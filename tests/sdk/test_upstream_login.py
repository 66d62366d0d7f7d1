"""The gateway's own login at the platform, as the users of the SDK notice it: not at all."""

from pathlib import Path

import pytest

from gateway.standin.behaviour import Behaviour, Manner
from gateway.standin.platform.app import RunningPlatform
from tests.support.cloud import Cloud, Credentials, served
from tests.support.sdk import Refused, Sdk

QUEUES = ("RoutingApi", "get_routing_queues")


def set_up(gateway: Cloud) -> Credentials:
    someone = gateway.create_client("someone")
    gateway.create_role("Queues", ["routing:queue:view"])
    gateway.does("client", "grant", "someone", "Queues")
    gateway.does("client", "authorize", "someone", "routing:readonly")
    return someone


async def test_a_token_that_the_platform_ends_is_renewed_within_the_request(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    laid_out = Cloud(tmp_path, platform)
    someone = set_up(laid_out)
    async with served(laid_out) as gateway:
        client = await gateway.log_in(sdk, someone)
        assert (await client.call(*QUEUES)).parsed["total"] == 5
        assert platform.tokens.issued_count == 1
        platform.tokens.revoke_all()
        assert (await client.call(*QUEUES)).parsed["total"] == 5
        assert platform.tokens.issued_count == 2
    used = {value for receipt in gateway.arrived() for value in receipt.header("Authorization")}
    assert len(used) == 2
    assert not any(client.token in value for value in used)


async def test_without_a_token_of_its_own_the_gateway_says_that_the_service_is_away(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    laid_out = Cloud(tmp_path, platform)
    someone = set_up(laid_out)
    platform.behave(Behaviour(manner=Manner.UNAVAILABLE, path_prefix="/oauth/token"))
    async with served(laid_out) as gateway:
        client = await gateway.log_in(sdk, someone)
        with pytest.raises(Refused) as refused:
            await client.call(*QUEUES)
        assert (refused.value.status, refused.value.code) == (503, "service.unavailable")
        assert "retry-after" not in refused.value.headers, "the SDK would wait in silence"
        assert gateway.arrived() == []
        platform.behave(Behaviour())


async def test_all_clients_share_one_login(
    sdk: Sdk, tmp_path: Path, platform: RunningPlatform
) -> None:
    laid_out = Cloud(tmp_path, platform)
    someone = set_up(laid_out)
    async with served(laid_out) as gateway:
        for _ in range(3):
            client = await gateway.log_in(sdk, someone)
            assert (await client.call(*QUEUES)).parsed["total"] == 5
    assert platform.tokens.issued_count == 1
