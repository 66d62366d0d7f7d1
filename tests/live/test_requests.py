"""What a client may ask, by what name, through whom, how often and for how long; what UCS sees."""

import asyncio
from pathlib import Path

import pytest

from tests.support.raw import RawClient, Reply, request
from tests.support.site import Audit, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import Conversation, RecordingUpstream

PROFILE = "/profiles/0004Va58A92T0017"
READ = "UCS.Customer.readCustomerProfile"


def asks(target: str = PROFILE, **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return request("GET", target, authorization=bearer(roles=(READ,)), headers=named)


async def exchange(client: RawClient, data: bytes, method: str = "GET") -> Reply:
    await client.send(data)
    return await client.reply(method)


# --- hosts ------------------------------------------------------------------------------------


async def test_a_request_for_another_host_is_misdirected(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """H-7: and the upstream is called by its own name in any case."""
    listen = {"hosts": ["gateway.test"]}
    async with running_site(tmp_path, [ucs(upstream.url)], listen=listen) as site:
        wrong = await site.connect()
        reply = await exchange(wrong, asks().replace(b"gateway.test", b"evil.test"))
        assert await wrong.rest() == b""
        right = await site.ask("GET", PROFILE, roles=[READ])
    assert (reply.status, reply.header("x-gateway-refusal")) == (421, "misdirected-request")
    assert right.status == 200
    [seen] = upstream.requests
    assert f"\r\nhost: 127.0.0.1:{upstream.port}\r\n".encode() in seen
    assert [line["reason"] for line in Audit(tmp_path).lines()] == [
        "misdirected-request", "permitted",
    ]  # fmt: skip


# --- proxies ----------------------------------------------------------------------------------


async def test_a_trusted_proxy_tells_whose_requests_it_brings(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """H-5: on one connection, of several clients."""
    listen = {"trusted_proxies": ["127.0.0.0/8"]}
    async with running_site(tmp_path, [ucs(upstream.url)], listen=listen) as site:
        proxy = await site.connect()
        replies = [
            await exchange(proxy, asks(X_Forwarded_For=said, X_Forwarded_Proto="https"))
            for said in ("1.1.1.1, 198.51.100.1", "198.51.100.2, 127.0.0.9")
        ]
        replies.append(await exchange(proxy, asks()))
        refused = await exchange(proxy, asks(X_Forwarded_For="198.51.100.3:4711"))
    assert [reply.status for reply in replies] == [200, 200, 200]
    assert (refused.status, refused.header("x-gateway-refusal")) == (400, "header-rejected")
    told = [
        {
            line.split(b": ")[0]: line.split(b": ")[1]
            for line in seen.split(b"\r\n")
            if line.startswith((b"x-forwarded", b"forwarded"))
        }
        for seen in upstream.requests
    ]
    assert told == [
        {b"x-forwarded-for": b"198.51.100.1, 127.0.0.1", b"x-forwarded-proto": b"https"},
        {b"x-forwarded-for": b"198.51.100.2, 127.0.0.9, 127.0.0.1", b"x-forwarded-proto": b"https"},
        {b"x-forwarded-for": b"127.0.0.1", b"x-forwarded-proto": b"http"},
    ]
    assert [line["peer"] for line in Audit(tmp_path).lines()] == [
        "198.51.100.1", "198.51.100.2", "127.0.0.1", "127.0.0.1",
    ]  # fmt: skip


async def test_nobody_else_tells_anything(tmp_path: Path, upstream: RecordingUpstream) -> None:
    """H-4, H-5."""
    listen = {"trusted_proxies": ["192.0.2.7", "unix"]}
    claims = {
        "X_Forwarded_For": "nonsense",
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "evil",
        "Forwarded": "for=198.51.100.1",
        "X_Real_IP": "198.51.100.1",
    }
    async with running_site(tmp_path, [ucs(upstream.url)], listen=listen) as site:
        client = await site.connect()
        assert (await exchange(client, asks(**claims))).status == 200
    [seen] = upstream.requests
    assert b"\r\nx-forwarded-for: 127.0.0.1\r\nx-forwarded-proto: http\r\n" in seen
    assert b"evil" not in seen
    assert b"198.51" not in seen
    assert Audit(tmp_path).lines()[0]["peer"] == "127.0.0.1"


# --- methods, versions, upgrades --------------------------------------------------------------


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
async def test_only_who_proved_who_they_are_learns_which_methods_are_served(
    tmp_path: Path, upstream: RecordingUpstream, method: str
) -> None:
    """M-2, M-5."""
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        stranger = await site.ask(method, "h:80", roles=None)
        caller = await site.ask(method, PROFILE, roles=[])
    assert (stranger.status, stranger.header("allow")) == (405, None)
    assert (caller.status, caller.header("allow")) == (
        405, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
    )  # fmt: skip
    assert stranger.header("connection") == caller.header("connection") == "close"
    assert upstream.requests == []
    assert [(line["method"], line["reason"]) for line in Audit(tmp_path).lines()] == [
        (method, "method-refused")
    ] * 2


async def test_a_refusal_keeps_a_connection_of_the_old_version_as_it_was_asked_to(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        data = b"GET /nowhere HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        kept = [await exchange(client, data) for _ in range(2)]
        last = await exchange(client, b"GET /nowhere HTTP/1.0\r\n\r\n")
    assert [reply.header("connection") for reply in (*kept, last)] == [
        "keep-alive", "keep-alive", "close",
    ]  # fmt: skip


async def test_javas_client_gets_its_answer_and_a_websockets_does_not(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """D0-14, F-9, H-17: and nothing of either offer reaches the upstream."""
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        java = await site.connect()
        offer = {
            "Connection": "Upgrade, HTTP2-Settings",
            "Upgrade": "h2c",
            "HTTP2_Settings": "AAMA",
        }
        assert (await exchange(java, asks(**offer))).status == 200
        browser = await site.connect()
        refused = await exchange(browser, asks(Connection="Upgrade", Upgrade="websocket") + b"\x81")
        assert await browser.rest() == b""
    assert (refused.status, refused.header("x-gateway-refusal")) == (400, "framing-rejected")
    [seen] = upstream.requests
    assert b"pgrade" not in seen
    assert b"http2" not in seen.lower()


# --- how often, and for how long --------------------------------------------------------------


async def test_the_last_of_so_many_requests_says_so(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    limits = {"max_requests_per_connection": 3}
    async with running_site(tmp_path, [ucs(upstream.url)], limits=limits) as site:
        client = await site.connect()
        replies = [await exchange(client, asks()) for _ in range(3)]
        assert await client.rest() == b""
    assert [reply.header("connection") for reply in replies] == [None, None, "close"]


async def test_a_request_that_takes_too_long_is_given_up_and_recorded(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    hung_up = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.reader.read()
        hung_up.set()

    upstream.script = script
    limits = {"total_timeout_seconds": 0.05}
    async with running_site(tmp_path, [ucs(upstream.url)], limits=limits) as site:
        reply = await site.ask("GET", PROFILE, roles=[READ])
        async with asyncio.timeout(10):
            await hung_up.wait()
    assert (reply.status, reply.header("x-gateway-refusal")) == (504, "upstream-timeout")
    [line] = Audit(tmp_path).lines()
    assert (line["reason"], line["status"], line["ending"]) == ("permitted", 504, "timed-out")


async def test_a_reply_that_never_ends_is_cut_off_and_recorded(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """F-10: it goes on for ever, and never pauses for as long as the idle limit."""

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await conversation.answer(b"x" * 1000)

    upstream.script = script
    limits = {"total_timeout_seconds": 0.05}
    async with running_site(tmp_path, [ucs(upstream.url)], limits=limits) as site:
        client = await site.connect()
        await client.send(asks())
        raw = await client.rest()
    assert not raw.endswith(b"\r\n0\r\n\r\n")
    [line] = Audit(tmp_path).lines()
    assert (line["status"], line["ending"]) == (200, "timed-out")


# --- overload ---------------------------------------------------------------------------------


async def test_beyond_what_it_can_carry_out_the_gateway_says_so_at_once(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def script(conversation: Conversation) -> None:
        while await conversation.request():
            asked.set()
            await answer.wait()
            await conversation.answer(b"HTTP/1.1 204 No Content\r\n\r\n")

    upstream.script = script
    async with running_site(tmp_path, [ucs(upstream.url)], limits={"max_in_flight": 1}) as site:
        first, second = await site.connect(), await site.connect()
        await first.send(asks())
        await asked.wait()
        shed = await exchange(second, asks())
        assert b"gateway_requests_in_flight 1.0" in site.metrics()
        answer.set()
        served = await first.reply()
        later = await exchange(second, asks())  # read once the second is over
    assert (shed.status, shed.header("x-gateway-refusal")) == (503, "overloaded")
    assert (shed.header("retry-after"), shed.header("connection")) == ("1", None)
    assert (served.status, later.status) == (204, 204)
    assert sorted(line["reason"] for line in Audit(tmp_path).lines()) == [
        "overloaded", "permitted", "permitted",
    ]  # fmt: skip


async def test_a_client_that_dribbles_its_body_takes_no_place_of_others(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """R-1: a body that has to be read before the decision is waited for outside."""
    create = bearer(roles=("UCS.Customer.createProfile",))
    whole = request("POST", "/profiles", authorization=create, body=b'{"FirstName": "Ada"}')
    head, _, body = whole.partition(b"\r\n\r\n")
    async with running_site(tmp_path, [ucs(upstream.url)], limits={"max_in_flight": 1}) as site:
        slow = await site.connect()
        await slow.send(head + b"\r\nExpect: 100-continue\r\n\r\n")
        assert await slow.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        other = await site.ask("GET", PROFILE, roles=[READ])
        served = await exchange(slow, body, "POST")
    assert (other.status, served.status) == (200, 200)


# --- the end ----------------------------------------------------------------------------------


async def test_who_has_no_answer_when_the_time_is_up_is_told_to_ask_again(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    asked = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        while await conversation.request():
            asked.set()

    upstream.script = script
    limits = {"shutdown_seconds": 0.1}
    async with running_site(tmp_path, [ucs(upstream.url)], limits=limits) as site:
        client = await site.connect()
        await client.send(asks())
        await asked.wait()
        await site.gateway.close()
        reply = await client.reply()
        assert await client.rest() == b""
    assert (reply.status, reply.header("x-gateway-refusal")) == (503, "shutting-down")
    assert (reply.header("retry-after"), reply.header("connection")) == ("1", "close")
    [line] = Audit(tmp_path).lines()
    assert (line["status"], line["ending"]) == (503, "cancelled")
