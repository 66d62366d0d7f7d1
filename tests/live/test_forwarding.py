"""What reaches the upstream, byte for byte, and what comes back."""

import asyncio
from pathlib import Path

import pytest

from tests.support.raw import RawClient, request
from tests.support.site import Audit, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import OK, Conversation, RecordingUpstream, Script

READ = "UCS.Customer.readCustomerProfile"
CREATE = "UCS.Customer.createProfile"
CREATE_EXTENSION = "UCS.Customer.createProfileExtension"
IMPORT = "UCS.Customer.executeBulkImport"
UPDATE = "UCS.Customer.updateCustomerProfile"
PROFILE = "/profiles/0004Va58A92T0017"


def head_lines(raw: bytes) -> list[str]:
    return raw.split(b"\r\n\r\n")[0].decode("ascii").split("\r\n")


async def test_the_upstream_gets_the_canonical_request_and_nothing_else(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    service = ucs(
        upstream.url,
        upstream={"nodes": [upstream.url], "base_path": "/cv"},
        set_headers={"X-Genesys-TenantId": "1"},
    )
    async with running_site(tmp_path, [service]) as site:
        reply = await site.ask(
            "GET",
            f"{PROFILE}/?include_profile=yes&na%6De=a+b",
            roles=[READ],
            headers={
                "Accept": "application/json",
                "Cookie": "session=1",
                "X-Forwarded-For": "8.8.8.8",
                "X-Gateway-Caller": "root",
                "X-Genesys-TenantId": "2",
                "X-Genesys-Segment": "9",
                "X-Original-URL": "/metadata",
                "Connection": "x-unknown",
            },
        )
    assert reply.status == 200
    [sent] = upstream.requests
    request_id = reply.header("x-request-id")
    assert head_lines(sent) == [
        f"GET /cv{PROFILE}?include_profile=yes&name=a%20b HTTP/1.1",
        f"host: 127.0.0.1:{upstream.port}",
        "X-Genesys-TenantId: 1",
        "accept: application/json",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        "X-Gateway-Caller: anna",
        f"x-request-id: {request_id}",
    ]


async def test_the_gateways_own_credential_replaces_the_callers(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    (tmp_path / "password").write_text("s3cret\n")
    credential = {"basic": {"username": "gateway", "password_file": str(tmp_path / "password")}}
    service = ucs(upstream.url, upstream={"nodes": [upstream.url], "credential": credential})
    async with running_site(tmp_path, [service]) as site:
        await site.ask("GET", PROFILE, roles=[READ])
    [sent] = upstream.requests
    authorizations = [line for line in head_lines(sent) if "uthorization" in line]
    assert authorizations == ["authorization: Basic Z2F0ZXdheTpzM2NyZXQ="]


async def test_a_denied_request_opens_no_connection(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        denied = await site.ask("GET", PROFILE, roles=[])
        unknown = await site.ask("POST", "/server/mode", roles=[READ], body=b"{}")
        anonymous = await site.ask("GET", PROFILE, roles=None)
        stranger = await site.ask("POST", "/nowhere", roles=None)
        malformed = await site.ask("GET", "/profiles/../metadata", roles=[READ])
    refusals = [
        (reply.status, reply.header("x-gateway-refusal"))
        for reply in (denied, unknown, anonymous, stranger, malformed)
    ]
    assert refusals == [
        (403, "permission-missing"),
        (403, "no-route"),
        (401, "not-authenticated"),
        (401, "not-authenticated"),
        (400, "malformed-target"),
    ]
    assert upstream.conversations == []


async def test_a_refusal_speaks_the_services_dialect(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        reply = await site.ask("GET", PROFILE, roles=[])
    assert reply.header("content-type") == "application/json"
    assert reply.body == (
        b'{"http_status":403,"error_code":"permission-missing",'
        b'"description":"the caller\'s roles do not allow this operation",'
        b'"missing":{"all_of":["UCS.Customer.readCustomerProfile"]},'
        b'"request_id":"%b"}' % (reply.header("x-request-id") or "").encode()
    )


async def test_missing_permissions_are_kept_back_where_the_service_says_so(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url, reveal_missing=False)]) as site:
        reply = await site.ask("GET", PROFILE, roles=[])
    assert b"UCS.Customer" not in reply.body
    [line] = Audit(tmp_path).lines()
    assert line["missing"]["all_of"] == [READ]


async def test_every_request_leaves_one_audit_line(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        replies = [
            await site.ask("GET", PROFILE, roles=[READ]),
            await site.ask("GET", PROFILE, roles=[]),
            await site.ask("GET", "/a//b", roles=[READ]),
            await site.ask("GET", PROFILE, roles=None),
        ]
    lines = Audit(tmp_path).lines()
    assert [line["id"] for line in lines] == [reply.header("x-request-id") for reply in replies]
    told = [
        (line["effect"], line["reason"], line["status"], line["ending"], line["route"])
        for line in lines
    ]
    assert told == [
        ("allow", "permitted", 200, "complete", "query-customer-profile"),
        ("deny", "permission-missing", 403, "refused", "query-customer-profile"),
        ("deny", "malformed-target", 400, "refused", None),
        ("deny", "not-authenticated", 401, "refused", "query-customer-profile"),
    ]
    assert all(line["subject"] in {"anna", ""} and line["policy"] is not None for line in lines)
    assert PROFILE not in str(lines)


@pytest.mark.parametrize(
    ("method", "reply", "framing", "body"),
    [
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "content-length", b"abc"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", None, b""),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", None, b""),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n", "content-length", b""),
        (
            "GET",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            "transfer-encoding",
            b"abcde",
        ),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "content-length", b""),
        (
            "GET",
            b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            "content-length",
            b"x",
        ),
    ],
)
async def test_a_reply_of_every_kind_is_passed_on_with_its_framing(
    tmp_path: Path,
    upstream: RecordingUpstream,
    method: str,
    reply: bytes,
    framing: str | None,
    body: bytes,
) -> None:
    upstream.script = upstream.answers(reply)
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        for _ in range(2):
            await client.send(request(method, PROFILE, authorization=bearer(roles=(READ,))))
            got = await client.reply(method)
            assert got.body == body
            framings = {"content-length", "transfer-encoding", "connection"} & got.headers.keys()
            assert framings == ({framing} if framing else set())
    assert len(upstream.conversations) == 1


async def test_a_reply_that_ends_with_its_connection_is_chunked_for_the_client(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async def script(conversation: Conversation) -> None:
        upstream.requests.append(await conversation.request())
        await conversation.answer(b"HTTP/1.1 200 OK\r\n\r\nuntil the end")

    upstream.script = script
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        reply = await site.ask("GET", PROFILE, roles=[READ])
        assert reply.header("transfer-encoding") == "chunked"
        assert reply.body == b"until the end"
        old = await site.connect()
        line = f"GET {PROFILE} HTTP/1.0\r\n".encode()
        await old.send(line + b"Authorization: " + bearer(roles=(READ,)) + b"\r\n\r\n")
        raw = await old.rest()
        assert b"\r\nconnection: close\r\n" in raw
        assert raw.endswith(b"\r\n\r\nuntil the end")


async def test_pipelined_requests_are_answered_in_order(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.script = upstream.answers(
        *(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number for number in range(3))
    )
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        allowed = request("GET", PROFILE, authorization=bearer(roles=(READ,)))
        denied = request("DELETE", PROFILE, authorization=bearer(roles=(READ,)))
        await client.send(allowed + denied + allowed + allowed)
        replies = [await client.reply() for _ in range(4)]
    assert [(reply.status, reply.body[:1]) for reply in replies] == [
        (200, b"0"),
        (403, b"{"),
        (200, b"1"),
        (200, b"2"),
    ]


async def test_an_upload_is_streamed_with_its_framing(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    roles = (IMPORT, CREATE, CREATE_EXTENSION)
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        head = b"POST /profiles/import HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data\r\n"
        head += b"Authorization: " + bearer(roles=roles) + b"\r\n"
        await client.send(head + b"Content-Length: 5\r\n\r\nab")
        await client.send(b"cde")
        assert (await client.reply()).status == 200
        await client.send(
            head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-T: 1\r\n\r\n"
        )
        assert (await client.reply()).status == 200
    length, chunked = upstream.requests
    assert length.endswith(b"\r\ncontent-length: 5\r\n\r\nabcde")
    assert chunked.endswith(b"\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")


async def test_an_inspected_body_is_sent_exactly_as_it_was_read(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        body = b'{ "firstname" : "Anna" }'
        chunks = b"".join(b"%x\r\n%b\r\n" % (1, body[i : i + 1]) for i in range(len(body)))
        await client.send(
            b"POST /profiles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\nAuthorization: "
            + bearer(roles=(CREATE,))
            + b"\r\n\r\n"
            + chunks
            + b"0\r\n\r\n"
        )
        assert (await client.reply()).status == 200
    [sent] = upstream.requests
    assert sent.endswith(b"\r\ncontent-length: 24\r\n\r\n" + body)
    assert b"transfer-encoding" not in sent


async def test_a_client_that_waits_for_continue_is_told_after_the_decision(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        head = (
            b"POST /profiles HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 2\r\nExpect: 100-continue\r\nAuthorization: "
        )
        allowed: RawClient = await site.connect()
        await allowed.send(head + bearer(roles=(CREATE,)) + b"\r\n\r\n")
        assert await allowed.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await allowed.send(b"{}")
        assert (await allowed.reply()).status == 200
        denied = await site.connect()
        await denied.send(head + bearer(roles=(READ,)) + b"\r\n\r\n")
        raw = await denied.rest()
    assert raw.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"\r\nconnection: close\r\n" in raw
    assert len(upstream.requests) == 1


def hangs_up_on_the_second(upstream: RecordingUpstream) -> Script:
    """Answers once; takes the second request on the same connection and hangs up."""

    async def script(conversation: Conversation) -> None:
        upstream.requests.append(await conversation.request())
        await conversation.answer(OK)
        upstream.requests.append(await conversation.request())

    return script


async def test_a_stale_connection_is_replaced_for_a_read(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.script = hangs_up_on_the_second(upstream)
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        for _ in range(2):
            await client.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
            assert (await client.reply()).status == 200
    assert len(upstream.conversations) == 2
    assert len([sent for sent in upstream.requests if sent]) == 3


async def test_a_write_is_never_sent_twice(tmp_path: Path, upstream: RecordingUpstream) -> None:
    upstream.script = hangs_up_on_the_second(upstream)
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        await client.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
        assert (await client.reply()).status == 200
        write = request("PUT", PROFILE, authorization=bearer(roles=(UPDATE,)), body=b"{}")
        await client.send(write)
        assert (await client.reply()).status == 502
    assert len(upstream.conversations) == 1
    line = Audit(tmp_path).lines()[-1]
    assert (line["effect"], line["ending"], line["status"]) == ("allow", "upstream-failed", 502)


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 10,
    ],
)
async def test_a_bad_reply_is_a_502_and_its_connection_is_not_kept(
    tmp_path: Path, upstream: RecordingUpstream, reply: bytes
) -> None:
    upstream.script = upstream.answers(reply)
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        for _ in range(2):
            got = await site.ask("GET", PROFILE, roles=[READ])
            assert (got.status, got.header("x-gateway-refusal")) == (502, "upstream-failed")
    assert len(upstream.conversations) == 2


async def test_bytes_after_a_complete_reply_never_reach_the_next_caller(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    poison = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison"
    upstream.script = upstream.answers(OK + poison, OK)
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        for _ in range(3):
            await client.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
            assert (await client.reply()).body == b"{}"
    assert len(upstream.conversations) == 2


async def test_an_upstream_that_is_not_there_is_a_502(tmp_path: Path) -> None:
    async with running_site(tmp_path, [ucs("http://127.0.0.1:9")]) as site:
        reply = await site.ask("GET", PROFILE, roles=[READ])
    assert (reply.status, reply.header("x-gateway-refusal")) == (502, "upstream-failed")


async def test_an_upstream_that_never_answers_is_a_504(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.request()

    upstream.script = script
    patience = {"nodes": [upstream.url], "first_byte_timeout_seconds": 0.05}
    async with running_site(tmp_path, [ucs(upstream.url, upstream=patience)]) as site:
        reply = await site.ask("GET", PROFILE, roles=[READ])
    assert (reply.status, reply.header("x-gateway-refusal")) == (504, "upstream-timeout")


async def test_a_reply_cut_short_is_cut_short_for_the_client(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")

    upstream.script = script
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        await client.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
        raw = await client.rest()
    assert raw.count(b"HTTP/1.1") <= 1
    [line] = Audit(tmp_path).lines()
    assert (line["status"], line["ending"]) == (200, "upstream-failed")


async def test_a_client_that_leaves_ends_the_exchange_and_is_recorded(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        asked.set()
        await conversation.reader.read()
        hung_up.set()

    upstream.script = script
    async with running_site(tmp_path, [ucs(upstream.url)]) as site:
        client = await site.connect()
        await client.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
        await asked.wait()
        client.writer.transport.abort()
        async with asyncio.timeout(10):
            await hung_up.wait()
    [line] = Audit(tmp_path).lines()
    assert (line["status"], line["ending"]) == (None, "client-left")


async def test_an_upload_may_last_longer_than_the_time_to_the_first_byte(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """The upstream's time runs from the request's last byte, and then it does run."""
    loop = asyncio.get_running_loop()

    async def script(conversation: Conversation) -> None:
        upstream.requests.append(await conversation.request())
        await conversation.request()

    upstream.script = script
    patience = {"nodes": [upstream.url], "first_byte_timeout_seconds": 0.3}
    async with running_site(tmp_path, [ucs(upstream.url, upstream=patience)]) as site:
        client = await site.connect()
        authorization = bearer(roles=(IMPORT, CREATE, CREATE_EXTENSION))
        await client.send(
            b"POST /profiles/import HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nAuthorization: "
            + authorization
            + b"\r\n\r\n"
        )
        begun = loop.time()
        while loop.time() - begun < 1:  # four ticks of the watch, none of which may end this
            await site.ask("GET", PROFILE, roles=[])
        await client.send(b"12345678")
        reply = await client.reply()
    assert (reply.status, reply.header("x-gateway-refusal")) == (504, "upstream-timeout")
    assert upstream.requests[0].endswith(b"12345678")
