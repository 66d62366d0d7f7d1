"""The three ways of pointing the SDK somewhere else than Genesys Cloud, at the stand-in itself.

What arrives is what a gateway in that place has to understand.
"""

import pytest

from gateway.standin.platform import OAuthClient, PlatformConfig, running_platform
from gateway.standin.platform.app import RunningPlatform
from tests.support.sdk import Refused, Sdk, by_gateway, by_host, by_proxy

CLIENT = OAuthClient()


def targets(platform: RunningPlatform) -> list[tuple[str, str]]:
    return [(receipt.method, receipt.target) for receipt in platform.received.requests]


async def test_by_host_everything_goes_to_one_root(sdk: Sdk, platform: RunningPlatform) -> None:
    client = await sdk.log_in(by_host(platform.url), CLIENT.client_id, CLIENT.secret)
    answer = await client.call("RoutingApi", "get_routing_queues", page_size=2)
    assert answer.type == "QueueEntityListing"
    assert [queue["name"] for queue in answer.parsed["entities"]] == [
        "Claims intake",
        "Sales Germany",
    ]
    assert targets(platform) == [
        ("POST", "/oauth/token"),
        ("GET", "/api/v2/routing/queues?pageSize=2"),
    ]


async def test_by_gateway_login_and_api_have_prefixes_of_their_own(sdk: Sdk) -> None:
    config = PlatformConfig(login_prefix="/login", api_prefix="/genesys/cloud")
    async with running_platform(config) as platform:
        point = by_gateway(platform.url, login="login", api="/genesys/cloud/")
        client = await sdk.log_in(point, CLIENT.client_id, CLIENT.secret)
        answer = await client.call("RoutingApi", "get_routing_queues")
        assert answer.parsed["total"] == 5
        assert targets(platform) == [
            ("POST", "/login/oauth/token"),
            ("GET", "/genesys/cloud/api/v2/routing/queues"),
        ]


async def test_by_proxy_targets_come_in_absolute_form_for_two_hosts(
    sdk: Sdk, platform: RunningPlatform
) -> None:
    point = by_proxy(platform.url, "http://api.cloud.example")
    client = await sdk.log_in(point, CLIENT.client_id, CLIENT.secret)
    await client.call("RoutingApi", "get_routing_queues")
    assert targets(platform) == [
        ("POST", "http://login.cloud.example/oauth/token"),
        ("GET", "http://api.cloud.example/api/v2/routing/queues"),
    ]
    hosts = [receipt.header("Host") for receipt in platform.received.requests]
    assert hosts == [["login.cloud.example"], ["api.cloud.example"]]


async def test_what_the_sdk_puts_on_the_wire(sdk: Sdk, platform: RunningPlatform) -> None:
    client = await sdk.log_in(by_host(platform.url), CLIENT.client_id, CLIENT.secret)
    await client.call("RoutingApi", "get_routing_queues", id=["x", "y"])
    await client.call("NotificationsApi", "post_notifications_channels")
    login, listing, channel = platform.received.requests
    assert login.header("Content-Type") == ["application/x-www-form-urlencoded"]
    assert listing.target == "/api/v2/routing/queues?id=x%2Cy"
    assert listing.header("Authorization") == [f"Bearer {client.token}"]
    assert listing.header("Content-Type") == ["application/json"]
    assert channel.body_bytes == len("null"), "a body that is left out is sent as null"


@pytest.mark.parametrize(
    ("client_id", "secret", "says"),
    [
        (CLIENT.client_id, "wrong", "authentication failed"),
        ("0f6e6b0e-0000-4000-8000-000000000000", CLIENT.secret, "client not found"),
    ],
)
async def test_a_login_that_fails_says_so_in_the_words_of_oauth(
    sdk: Sdk, platform: RunningPlatform, client_id: str, secret: str, says: str
) -> None:
    with pytest.raises(Refused) as refused:
        await sdk.log_in(by_host(platform.url), client_id, secret)
    assert refused.value.status == 401
    assert refused.value.error == {
        "error": "invalid_client",
        "description": says,
        "error_description": says,
    }


async def test_a_token_that_is_none_is_bad_credentials(sdk: Sdk, platform: RunningPlatform) -> None:
    client = await sdk.with_token(by_host(platform.url), "not-a-token")
    with pytest.raises(Refused) as refused:
        await client.call("RoutingApi", "get_routing_queues")
    assert (refused.value.status, refused.value.code) == (401, "bad.credentials")
    context = refused.value.error["contextId"]
    assert refused.value.headers["inin-correlation-id"] == context


async def test_a_token_that_was_given_back_is_none_any_more(
    sdk: Sdk, platform: RunningPlatform
) -> None:
    client = await sdk.log_in(by_host(platform.url), CLIENT.client_id, CLIENT.secret)
    await client.call("TokensApi", "head_tokens_me")
    await client.call("TokensApi", "delete_tokens_me")
    with pytest.raises(Refused) as refused:
        await client.call("TokensApi", "get_tokens_me")
    assert (refused.value.status, refused.value.code) == (401, "bad.credentials")
