"""What the stand-in sends is what the SDK's models know: nothing is lost on the way into one.

The models are made from the published API description, so this is what holds the stand-in to it:
a field that it does not have, a value that its enumerations lack and a date that cannot be read
would all be gone, or something else, when the model is written out again.
"""

from datetime import datetime
from typing import Any

import pytest

from gateway.standin.platform import OAuthClient, seed
from gateway.standin.platform.app import ROUTES, RunningPlatform
from gateway.standin.platform.jobs import KINDS
from tests.sdk.calls import CALLS, INTERVAL
from tests.support.sdk import Refused, Sdk, SdkClient, by_host

CLIENT = OAuthClient()

# Operations that no single call shows; the tests below walk through them.
WALKED = {
    (method, f"/analytics/{kind}/jobs{rest}")
    for kind in KINDS
    for method, rest in (
        ("POST", ""),
        ("GET", "/{jobId}"),
        ("GET", "/{jobId}/results"),
        ("DELETE", "/{jobId}"),
    )
} | {
    (method, "/notifications/channels/{channelId}/subscriptions")
    for method in ("GET", "POST", "PUT", "DELETE")
} | {
    ("HEAD", "/notifications/channels/{channelId}"),
    ("GET", "/telephony/siptraces/download/{downloadId}"),
}  # fmt: skip
NOT_FOR_CLIENTS = {("GET", "/users/me"), ("DELETE", "/authorization/roles/{roleId}")}


async def logged_in(sdk: Sdk, platform: RunningPlatform) -> SdkClient:
    return await sdk.log_in(by_host(platform.url), CLIENT.client_id, CLIENT.secret)


def lost(raw: Any, parsed: Any, place: str = "$") -> list[str]:
    """Where `raw` has something that `parsed` has not."""
    match raw:
        case None | []:
            return []
        case dict():
            if not isinstance(parsed, dict):
                return [f"{place} is {parsed!r}"]
            return [
                fault
                for name, value in raw.items()
                for fault in lost(value, parsed.get(name), f"{place}.{name}")
            ]
        case list():
            if not isinstance(parsed, list) or len(parsed) != len(raw):
                return [f"{place} is {parsed!r}"]
            return [
                fault
                for number, value in enumerate(raw)
                for fault in lost(value, parsed[number], f"{place}[{number}]")
            ]
    return [] if same(raw, parsed) else [f"{place} was {raw!r} and is {parsed!r}"]


def same(raw: Any, parsed: Any) -> bool:
    if raw == parsed:
        return True
    try:
        return datetime.fromisoformat(raw) == datetime.fromisoformat(parsed)
    except (TypeError, ValueError):
        return False


async def test_every_operation_is_one_of_the_sdk_and_has_its_call(sdk: Sdk) -> None:
    called = {await sdk.operation(api, method) for api, method, _ in CALLS}
    there = {(route.method, f"/api/v2{route.path}") for route in ROUTES}
    walked = {(method, f"/api/v2{path}") for method, path in WALKED | NOT_FOR_CLIENTS}
    assert called | walked == there
    assert not called & walked


@pytest.mark.parametrize(
    ("api", "method", "arguments"), CALLS, ids=[method for _, method, _ in CALLS]
)
async def test_the_sdk_loses_nothing_of_an_answer(
    sdk: Sdk, platform: RunningPlatform, api: str, method: str, arguments: dict[str, Any]
) -> None:
    client = await logged_in(sdk, platform)
    answer = await client.call(api, method, **arguments)
    assert lost(answer.raw, answer.parsed) == []


@pytest.mark.parametrize("kind", KINDS)
async def test_a_job_is_queued_then_pending_then_fulfilled_and_can_be_cancelled(
    sdk: Sdk, platform: RunningPlatform, kind: str
) -> None:
    client = await logged_in(sdk, platform)
    api = "ConversationsApi" if kind.startswith("conversations") else "AnalyticsApi"
    name = f"analytics_{kind.replace('/', '_')}_job"
    body = {"interval": INTERVAL} | ({"metrics": ["nOffered"]} if "aggregates" in kind else {})
    job = {"job_id": (await client.call(api, f"post_{name}s", body=body)).parsed["jobId"]}
    with pytest.raises(Refused) as refused:
        await client.call(api, f"get_{name}_results", **job)
    assert refused.value.code == "job.not.fulfilled"
    states = [(await client.call(api, f"get_{name}", **job)).parsed["state"] for _ in range(3)]
    assert states == ["PENDING", "FULFILLED", "FULFILLED"]
    results = await client.call(api, f"get_{name}_results", **job)
    assert lost(results.raw, results.parsed) == []
    assert any(results.parsed.get(field) for field in ("conversations", "userDetails", "results"))
    await client.call(api, f"delete_{name}", **job)
    with pytest.raises(Refused) as refused:
        await client.call(api, f"get_{name}", **job)
    assert (refused.value.status, refused.value.code) == (404, "not.found")


async def test_results_of_a_job_come_by_cursor(sdk: Sdk, platform: RunningPlatform) -> None:
    client = await logged_in(sdk, platform)
    name, api = "analytics_conversations_details_job", "ConversationsApi"
    left = await client.call(api, f"post_{name}s", body={"interval": INTERVAL})
    job = {"job_id": left.parsed["jobId"]}
    for _ in range(2):
        await client.call(api, f"get_{name}", **job)
    found: list[str] = []
    more: dict[str, Any] = {}
    while True:
        page = (await client.call(api, f"get_{name}_results", **job, **more, page_size=10)).parsed
        found += [each["conversationId"] for each in page["conversations"]]
        if page.get("cursor") is None:
            break
        more = {"cursor": page["cursor"]}
    assert len(found) == len(set(found)) == seed.CONVERSATIONS


async def test_a_channel_knows_its_topics(sdk: Sdk, platform: RunningPlatform) -> None:
    client = await logged_in(sdk, platform)
    api = "NotificationsApi"
    channel = (await client.call(api, "post_notifications_channels")).parsed
    one = {"channel_id": channel["id"]}
    await client.call(api, "head_notifications_channel", **one)

    async def topics(verb: str, **more: Any) -> list[str]:
        answer = await client.call(
            api, f"{verb}_notifications_channel_subscriptions", **one, **more
        )
        return [topic["id"] for topic in answer.parsed["entities"]]

    assert await topics("post", body=[{"id": "v2.a"}, {"id": "v2.b"}]) == ["v2.a", "v2.b"]
    assert await topics("put", body=[{"id": "v2.c"}]) == ["v2.c"]
    assert await topics("get") == ["v2.c"]
    await client.call(api, "delete_notifications_channel_subscriptions", **one)
    assert await topics("get") == []


async def test_a_download_that_was_asked_for_has_an_address(
    sdk: Sdk, platform: RunningPlatform
) -> None:
    client = await logged_in(sdk, platform)
    asked = {"dateStart": "2026-01-01T00:00:00Z", "dateEnd": "2026-01-02T00:00:00Z"}
    api, name = "TelephonyApi", "telephony_siptraces_download"
    left = await client.call(api, f"post_{name}", sip_search_public_request=asked)
    one = {"download_id": left.parsed["downloadId"]}
    answer = await client.call(api, f"get_{name}_download_id", **one)
    assert answer.parsed["url"].endswith(".pcap")
    assert lost(answer.raw, answer.parsed) == []


async def test_a_token_of_client_credentials_has_no_user(
    sdk: Sdk, platform: RunningPlatform
) -> None:
    client = await logged_in(sdk, platform)
    with pytest.raises(Refused) as refused:
        await client.call("UsersApi", "get_users_me")
    assert (refused.value.status, refused.value.code) == (404, "not.found")


async def test_a_default_role_stays(sdk: Sdk, platform: RunningPlatform) -> None:
    client = await logged_in(sdk, platform)
    roles = (await client.call("AuthorizationApi", "get_authorization_roles")).parsed["entities"]
    with pytest.raises(Refused) as refused:
        await client.call("AuthorizationApi", "delete_authorization_role", role_id=roles[0]["id"])
    assert (refused.value.status, refused.value.code) == (409, "general.conflict")
    named = {"name": "Mine"}
    mine = (await client.call("AuthorizationApi", "post_authorization_roles", body=named)).parsed
    await client.call("AuthorizationApi", "delete_authorization_role", role_id=mine["id"])
