"""A whole gateway that fetches its own token for the upstream, and what becomes of a refused one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.oauth_server import OAuthServer
from tests.support.raw import Reply
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.upstream import OK, Conversation, RecordingUpstream

PROFILE = "/profiles/0004Va58A92T0017"
READ = "UCS.Customer.readCustomerProfile"
UPDATE = "UCS.Customer.updateCustomerProfile"
DELETE = "UCS.Customer.deleteCustomerProfile"
CREATE = "UCS.Customer.createProfile"
BODY = b'{"FirstName": "Ada"}'


@pytest.fixture
async def login() -> AsyncIterator[OAuthServer]:
    async with OAuthServer() as running:
        yield running


def service(
    folder: Path, upstream: RecordingUpstream, login: OAuthServer, **changes: Any
) -> dict[str, Any]:
    (folder / "client-secret").write_text("s3cret")
    oauth = {
        "client_id": "gateway",
        "client_secret_file": "client-secret",
        "token_url": login.token_url,
    }
    return ucs("", upstream={"nodes": [upstream.url], "credential": {"oauth": oauth | changes}})


def outcome(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.header("x-gateway-refusal")


def sent_with(upstream: RecordingUpstream) -> list[str]:
    """The token of each request that came there, of which each has exactly one credential."""
    tokens = []
    for request in upstream.requests:
        head = request.partition(b"\r\n\r\n")[0].decode().lower()
        assert head.count("authorization:") == 1
        [line] = [each for each in request.decode().split("\r\n") if each.startswith("auth")]
        tokens.append(line.removeprefix("authorization: Bearer "))
    return tokens


def withdraws(upstream: RecordingUpstream, login: OAuthServer) -> Any:
    """Answers 401 to every token that the login server does not know any more."""

    async def script(conversation: Conversation) -> None:
        while request := await conversation.request():
            upstream.requests.append(request)
            if sent_with(upstream)[-1] in login.tokens:
                await conversation.answer(OK)
            else:
                await conversation.answer(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")

    return script


@pytest.fixture
async def site(
    tmp_path: Path, upstream: RecordingUpstream, login: OAuthServer
) -> AsyncIterator[Site]:
    upstream.script = withdraws(upstream, login)
    async with running_site(tmp_path, [service(tmp_path, upstream, login)]) as running:
        yield running


async def test_requests_go_with_the_gateways_token_and_never_with_the_clients(
    site: Site, upstream: RecordingUpstream, login: OAuthServer
) -> None:
    for _ in range(5):
        assert outcome(await site.ask("GET", PROFILE, roles=[READ])) == (200, None)
    [asked] = login.asked
    [token] = login.tokens
    assert asked.client == "gateway"
    assert sent_with(upstream) == [token] * 5


async def test_a_denied_request_fetches_nothing_and_sends_nothing(
    site: Site, upstream: RecordingUpstream
) -> None:
    assert outcome(await site.ask("GET", PROFILE, roles=[])) == (403, "permission-missing")
    assert upstream.conversations == []


@pytest.mark.parametrize(
    ("method", "role", "body"),
    [("GET", READ, None), ("DELETE", DELETE, None), ("PUT", UPDATE, BODY)],
)
async def test_a_withdrawn_token_is_renewed_and_the_client_notices_nothing(
    site: Site,
    upstream: RecordingUpstream,
    login: OAuthServer,
    method: str,
    role: str,
    body: bytes | None,
) -> None:
    assert outcome(await site.ask("GET", PROFILE, roles=[READ])) == (200, None)
    login.tokens.clear()
    reply = await site.ask(method, PROFILE, roles=[role], body=body)
    assert outcome(reply) == (200, None)
    first, refused, again = sent_with(upstream)
    assert first == refused != again
    assert upstream.requests[1].replace(refused.encode(), again.encode()) == upstream.requests[2]
    assert len(login.asked) == 2


async def test_a_write_that_does_something_anew_is_not_repeated_but_the_next_one_succeeds(
    site: Site, upstream: RecordingUpstream, login: OAuthServer
) -> None:
    assert outcome(await site.ask("GET", PROFILE, roles=[READ])) == (200, None)
    login.tokens.clear()
    reply = await site.ask("POST", "/profiles", roles=[CREATE], body=BODY)
    assert outcome(reply) == (502, "upstream-failed")
    assert len(upstream.requests) == 2
    token = site.gateway._upstreams[0].token
    assert token is not None
    await token.other_than(b"authorization: Bearer %b\r\n" % sent_with(upstream)[1].encode())
    reply = await site.ask("POST", "/profiles", roles=[CREATE], body=BODY)
    assert outcome(reply) == (200, None)


async def test_an_upstream_that_refuses_every_token_is_asked_twice_and_the_client_gets_no_401(
    site: Site, upstream: RecordingUpstream, login: OAuthServer
) -> None:
    upstream.script = upstream.answers(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")
    reply = await site.ask("GET", PROFILE, roles=[READ])
    assert outcome(reply) == (502, "upstream-failed")
    assert len(upstream.requests) == len(login.asked) == 2
    for _ in range(5):
        assert outcome(await site.ask("GET", PROFILE, roles=[READ])) == (502, "upstream-failed")
    assert len(login.asked) == 2, "no flood at the login server"
    assert site.gateway._upstreams[0].nodes[0].is_in


async def test_without_a_token_nothing_is_sent_and_the_gateway_is_not_ready(
    tmp_path: Path, upstream: RecordingUpstream, login: OAuthServer
) -> None:
    login.status = 503
    with capture_logs() as log:
        async with running_site(tmp_path, [service(tmp_path, upstream, login)]) as site:
            for _ in range(10):
                reply = await site.ask("GET", PROFILE, roles=[READ])
                assert outcome(reply) == (503, "upstream-token-missing")
                assert reply.header("retry-after") is None
            assert not site.gateway._upstreams[0].check()[0]
            metrics = site.metrics().decode()
    assert 'gateway_upstream_token_fetches_total{result="failed",service="ucs"} 1.0' in metrics
    assert 'gateway_upstream_token_expires_seconds{service="ucs"} 0.0' in metrics
    assert upstream.conversations == []
    lines = Audit(tmp_path).lines()
    assert {(line["status"], line["ending"]) for line in lines} == {(503, "refused")}
    told = [line for line in log if line["event"] == "upstream-token-missing"]
    assert [line["detail"] for line in told] == [
        f"ucs: {login.token_url}: the answer's status is 503, expected 200"
    ]


async def test_many_first_requests_wait_for_one_fetch(
    tmp_path: Path, upstream: RecordingUpstream, login: OAuthServer
) -> None:
    login.gate.clear()
    async with running_site(tmp_path, [service(tmp_path, upstream, login)]) as site:
        async with asyncio.TaskGroup() as group:
            asking = [group.create_task(site.ask("GET", PROFILE, roles=[READ])) for _ in range(10)]
            await login.arrived.wait()
            login.gate.set()
        assert [outcome(each.result()) for each in asking] == [(200, None)] * 10
    assert len(login.asked) == 1
    assert set(sent_with(upstream)) == set(login.tokens)


async def test_a_check_of_a_node_goes_with_the_token_and_never_without(
    tmp_path: Path, upstream: RecordingUpstream, login: OAuthServer
) -> None:
    settings = service(tmp_path, upstream, login)
    settings["upstream"]["health"] = {"path": "/health", "interval_seconds": 0.01}
    upstream.script = withdraws(upstream, login)
    async with running_site(tmp_path, [settings]) as site:
        async with asyncio.timeout(20):
            while not any(each.startswith(b"GET /health ") for each in upstream.requests):
                await site.ask("GET", PROFILE, roles=[])
        assert site.gateway._upstreams[0].nodes[0].is_healthy
    assert set(sent_with(upstream)) == set(login.tokens)


async def test_neither_the_token_nor_the_secret_is_told_to_anybody(
    tmp_path: Path, upstream: RecordingUpstream, login: OAuthServer
) -> None:
    with capture_logs() as log:
        async with running_site(tmp_path, [service(tmp_path, upstream, login)]) as site:
            upstream.script = upstream.answers(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")
            reply = await site.ask("GET", PROFILE, roles=[READ])
            checks = str(site.gateway.checks())
    told = [str(log), reply.body.decode(), checks, (tmp_path / "audit.jsonl").read_text()]
    assert login.tokens
    for secret in (*login.tokens, "s3cret"):
        assert not any(secret in text for text in told)
