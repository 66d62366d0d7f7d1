"""HTTPS on the public port: what is shown, who is cut off, and that the rest stays as it was."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.errors import SettingsInvalid
from tests.support.certificates import HOST, PAST, client_context, key_pem, server
from tests.support.raw import RawClient, request
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import OK, Conversation, RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"
UPDATE = "UCS.Customer.updateCustomerProfile"
IMPORT = "UCS.Customer.executeBulkImport"
PROFILE = "/profiles/0004Va58A92T0017"


def files(folder: Path) -> dict[str, str]:
    """`listen.tls` with a good certificate."""
    certificate, private = server().write(folder, "server")
    return {"certificate_file": str(certificate), "key_file": str(private)}


@asynccontextmanager
async def serving(
    folder: Path,
    upstream: RecordingUpstream,
    *,
    tls: Mapping[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Site]:
    tls = files(folder) if tls is None else tls
    async with running_site(folder, [ucs(upstream.url)], tls=tls, **options) as site:
        yield site


async def connect(site: Site, context: ssl.SSLContext | None = None) -> RawClient:
    context = context or client_context(site.folder)
    return await RawClient.connect(site.address, context, server_name=HOST)


async def connect_plainly(site: Site) -> RawClient:
    return await RawClient.connect(site.address)


def read_request(**headers: str) -> bytes:
    return request("GET", PROFILE, authorization=bearer(roles=(READ,)), headers=headers)


def tls_of(client: RawClient) -> ssl.SSLObject:
    found: ssl.SSLObject = client.writer.get_extra_info("ssl_object")
    return found


def serial_of(client: RawClient) -> str:
    certificate = tls_of(client).getpeercert()
    assert certificate is not None
    return str(certificate["serialNumber"])


async def no_handshake_is_left(site: Site) -> None:
    """Sockets are closed a few turns of the loop after the bytes that lead to it."""
    tls = site.gateway._tls
    assert tls is not None
    await until(lambda: not tls.handshakes)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - nobody but the loop could tell
            await asyncio.sleep(0)


# --- carried over TLS --------------------------------------------------------------------------


async def test_a_request_over_tls_is_answered_and_the_upstream_is_told(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream) as site:
        client = await connect(site)
        await client.send(read_request(**{"X-Forwarded-Proto": "http"}))
        reply = await client.reply()
        await client.close()
    assert (reply.status, reply.body) == (200, b"{}")
    [sent] = upstream.requests
    assert sent.count(b"x-forwarded-proto") == 1
    assert b"\r\nx-forwarded-proto: https\r\n" in sent


async def test_pipelined_requests_are_answered_in_order(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    replies = [OK.replace(b"{}", b"%02d" % number) for number in range(20)]
    upstream.script = upstream.answers(*replies)
    async with serving(tmp_path, upstream) as site:
        client = await connect(site)
        await client.send(read_request() * 20)
        bodies = [(await client.reply()).body for _ in range(20)]
        await client.close()
    assert bodies == [b"%02d" % number for number in range(20)]


async def test_large_bodies_pass_whole_in_both_directions(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    body = b"\x16\x03\x01 not a record, though it looks like one\r\n" * 200_000
    head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)
    upstream.script = upstream.answers(head + body)
    async with serving(tmp_path, upstream) as site:
        client = await connect(site)
        credentials = bearer(roles=(IMPORT, "UCS.Customer.createProfile",
                                    "UCS.Customer.createProfileExtension"))  # fmt: skip
        await client.send(request("POST", "/profiles/import", authorization=credentials, body=body))
        reply = await client.reply()
        await client.close()
    assert reply.status == 200
    assert reply.body == body
    [sent] = upstream.requests
    assert sent.endswith(b"\r\n\r\n" + body)


async def test_a_reply_that_ends_with_its_connection_ends_with_close_notify(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    """Otherwise nobody could tell it from one that was cut off."""

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\nall of it")
        conversation.writer.close()

    upstream.script = script
    async with serving(tmp_path, upstream) as site:
        client = await connect(site)
        await client.send(read_request().replace(b"HTTP/1.1", b"HTTP/1.0"))
        reply = await client.rest()
        await client.close()
    assert reply.endswith(b"\r\n\r\nall of it")


async def test_a_client_that_is_refused_while_it_sends_still_reads_why(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream) as site:
        client = await connect(site)
        await client.send(
            b"POST /profiles HTTP/1.1\r\nHost: gateway.test\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100000000\r\n\r\n" + b"x" * 40_000
        )
        reply = await client.reply()
        await client.send(b"y" * 20_000)  # what was on its way resets nothing
        rest = await client.rest()
        await client.close()
    assert (reply.status, reply.header("connection")) == (401, "close")
    assert rest == b""
    assert upstream.conversations == []


async def test_a_client_that_leaves_without_close_notify_has_left(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    arrived, left = asyncio.Event(), asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        arrived.set()
        assert await conversation.reader.read() == b""
        left.set()

    upstream.script = script
    async with serving(tmp_path, upstream) as site:
        client = await connect(site)
        await client.send(read_request())
        await arrived.wait()
        client.writer.transport.abort()
        async with asyncio.timeout(20):
            await left.wait()
    [line] = Audit(tmp_path).lines()
    assert line["ending"] == "client-left"


# --- what is spoken ----------------------------------------------------------------------------


async def test_tls_1_3_and_http_1_1_are_agreed_upon(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    context = client_context(tmp_path)
    context.set_alpn_protocols(["h2", "http/1.1"])
    async with serving(tmp_path, upstream) as site:
        client = await connect(site, context)
        agreed = tls_of(client).version(), tls_of(client).selected_alpn_protocol()
        await client.close()
    assert agreed == ("TLSv1.3", "http/1.1")


async def test_tls_1_2_has_forward_secrecy_and_no_compression(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    context = client_context(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    async with serving(tmp_path, upstream) as site:
        client = await connect(site, context)
        version, cipher = tls_of(client).version(), tls_of(client).cipher()
        compression = tls_of(client).compression()
        await client.close()
    assert cipher is not None
    assert (version, compression) == ("TLSv1.2", None)
    assert cipher[0].startswith("ECDHE-")
    assert "GCM" in cipher[0] or "POLY1305" in cipher[0]


@pytest.mark.parametrize("ciphers", ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"])
async def test_a_client_with_older_ciphers_only_is_told_so(
    tmp_path: Path, upstream: RecordingUpstream, ciphers: str
) -> None:
    context = client_context(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(ciphers)
    async with serving(tmp_path, upstream) as site:
        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            await connect(site, context)
        await no_handshake_is_left(site)


async def test_tls_1_1_is_refused(tmp_path: Path, upstream: RecordingUpstream) -> None:
    context = client_context(tmp_path)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with serving(tmp_path, upstream) as site:
        with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
            await connect(site, context)
        await no_handshake_is_left(site)


# --- who is cut off ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        read_request(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x00\x02\xff\xff",
        b"\0" * 99,
    ],
    ids=["http", "http2", "broken", "zeros"],
)
async def test_what_is_not_tls_gets_no_http(
    tmp_path: Path, upstream: RecordingUpstream, sent: bytes
) -> None:
    with capture_logs() as entries:
        async with serving(tmp_path, upstream) as site:
            client = await connect_plainly(site)
            await client.send(sent)
            answer = await client.rest()
            await client.close()
            await no_handshake_is_left(site)
    assert b"HTTP" not in answer
    assert len(answer) <= 7  # an alert at most
    assert upstream.conversations == []
    assert Audit(tmp_path).lines() == []
    assert [entry for entry in entries if entry["log_level"] in {"warning", "error"}] == []


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"], ids=["silent", "dribbling"])
async def test_a_handshake_that_takes_too_long_is_cut_off(
    tmp_path: Path, upstream: RecordingUpstream, sent: bytes
) -> None:
    limits = {"header_timeout_seconds": 0.05}
    async with serving(tmp_path, upstream, limits=limits) as site:
        client = await connect_plainly(site)
        await client.send(sent)
        assert await client.rest() == b""
        await client.close()
        await no_handshake_is_left(site)


async def test_a_client_that_vanishes_in_its_handshake_leaves_nothing_behind(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream) as site:
        for end in (lambda one: one.writer.transport.abort(), lambda one: one.writer.close()):
            client = await connect_plainly(site)
            await client.send(b"\x16\x03\x01\x02\x00\x01")
            end(client)
        await no_handshake_is_left(site)
        assert site.gateway._listener is not None
        assert site.gateway._listener.connections == 0


async def test_connections_in_their_handshake_count_as_connections(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    # Nobody is cut off for being slow before this test gives up.
    limits = {"max_connections": 2, "header_timeout_seconds": 60}
    async with serving(tmp_path, upstream, limits=limits) as site:
        silent = [await connect_plainly(site) for _ in range(2)]
        for each in silent:
            await each.send(b"\x16\x03\x01")
        one_more = await connect_plainly(site)
        assert await one_more.rest() == b""
        for each in (*silent, one_more):
            await each.close()
        await no_handshake_is_left(site)
        client = await connect(site)
        await client.send(read_request())
        assert (await client.reply()).status == 200
        await client.close()


async def test_a_handshake_does_not_hold_up_the_shutdown(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream, limits={"shutdown_seconds": 60}) as site:
        client = await connect_plainly(site)
        await client.send(b"\x16\x03\x01")
        tls = site.gateway._tls
        assert tls is not None
        await until(lambda: tls.handshakes == 1)
    assert await client.rest() == b""
    await client.close()


# --- renewal -----------------------------------------------------------------------------------


def renew(site: Site) -> None:
    assert site.gateway._listener is not None
    site.gateway._listener.renew_tls()


async def test_a_renewed_certificate_is_for_new_connections_and_old_ones_go_on(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream) as site:
        early = await connect(site)
        await early.send(read_request())
        assert (await early.reply()).status == 200
        server(key_name="renewed").write(tmp_path, "server")
        renew(site)
        late = await connect(site)
        for client in (early, late):
            await client.send(read_request())
            assert (await client.reply()).status == 200
        shown = serial_of(early), serial_of(late)
        for client in (early, late):
            await client.close()
    assert shown[0] != shown[1]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (("server.pem", b""), "certificate_file`: this file holds no certificate in PEM"),
        (("server.key", key_pem("another")), "key_file`: this file is not the key of the first"),
    ],
    ids=["empty", "another key"],
)
async def test_files_that_cannot_be_used_leave_the_former_certificate_in_place(
    tmp_path: Path, upstream: RecordingUpstream, broken: tuple[str, bytes], said: str
) -> None:
    async with serving(tmp_path, upstream) as site:
        early = await connect(site)
        (tmp_path / broken[0]).write_bytes(broken[1])
        with capture_logs() as entries, pytest.raises(SettingsInvalid, match=said):
            renew(site)
        late = await connect(site)
        await late.send(read_request())
        assert (await late.reply()).status == 200
        assert serial_of(late) == serial_of(early)
        for client in (early, late):
            await client.close()
    [entry] = entries
    assert entry["log_level"] == "error"
    assert said in entry["findings"][0]


async def test_a_gateway_without_tls_has_nothing_to_renew(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with serving(tmp_path, upstream, tls={}) as site:
        renew(site)
        assert (await site.ask("GET", PROFILE, roles=[READ])).status == 200


async def test_an_expired_certificate_is_said_loudly_at_start(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    tls = files(tmp_path)
    server(until=PAST).write(tmp_path, "server")
    with capture_logs() as entries:
        async with serving(tmp_path, upstream, tls=tls) as site:
            metrics = site.metrics()
    [said] = [entry for entry in entries if entry["event"] == "the certificate has EXPIRED"]
    assert (said["log_level"], said["until"]) == ("error", PAST.isoformat())
    (line,) = re.findall(rb"^gateway_certificate_expires_seconds (.*)$", metrics, re.MULTILINE)
    assert float(line) == PAST.timestamp()
