"""Whatever an upstream does wrong: what the client gets, what is recorded, and that it is over.

More of what an upstream may answer stands in `test_forwarding.py`; here is how it may fail.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.faults import (
    CHUNKED_UPLOAD,
    GET,
    INSPECTED_HEAD,
    PROFILE,
    READ,
    a_moment,
    aftermath,
    faulty_site,
    reset,
    upload,
)
from tests.support.raw import RawClient, request
from tests.support.site import Audit
from tests.support.tokens import bearer
from tests.support.upstream import OK, Conversation, RecordingUpstream

POST = INSPECTED_HEAD + b'{"FirstName": "Ann"}'
HEAD = request("HEAD", PROFILE, authorization=bearer(roles=(READ,)))

Fails = Callable[[Conversation], Awaitable[None]]


def says(*pieces: bytes, resets: bool = False) -> Fails:
    """Takes the request, says this, and closes or resets the connection."""

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        for piece in pieces:
            await conversation.answer(piece)
        if resets:
            reset(conversation.writer)

    return script


def stalls(beginning: bytes = b"") -> Fails:
    """Takes the request, says this, and then nothing for as long as it is let."""

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(beginning)
        await conversation.reader.read()

    return script


def floods(beginning: bytes, more: bytes) -> Fails:
    """Takes the request and says more and more until the gateway hangs up."""

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(beginning)
        while True:
            await conversation.answer(more)

    return script


def dribbles(reply: bytes, *, for_ever: bytes = b"") -> Fails:
    """Answers one byte at a time."""

    async def script(conversation: Conversation) -> None:
        while await conversation.request():
            for position in range(len(reply)):
                await conversation.answer(reply[position : position + 1])
                await asyncio.sleep(0)
            while for_ever and not await a_moment(conversation):
                await conversation.answer(for_ever)

    return script


async def hangs_up(_: Conversation) -> None:
    """Accepts, and closes before it has read anything."""


async def resets(conversation: Conversation) -> None:
    reset(conversation.writer)


@dataclass(frozen=True)
class Fault:
    """What an upstream does, and what the client gets for it and the audit says of it."""

    name: str
    fails: Fails
    status: int
    refusal: str | None
    ending: str
    asks: bytes = GET
    body: bytes | None = None
    is_clean: bool = False


BAD = {"status": 502, "refusal": "upstream-failed", "ending": "upstream-failed"}
LATE = {"status": 504, "refusal": "upstream-timeout", "ending": "upstream-failed"}
FINE = {"status": 200, "refusal": None, "ending": "complete"}
LENGTH = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"

ANSWERED = [
    Fault("closes at once", hangs_up, **BAD),
    Fault("resets at once", resets, **BAD),
    Fault("closes instead of a reply to a write", says(), **BAD, asks=POST),
    Fault("resets instead of a reply", says(resets=True), **BAD),
    Fault("dies in the status line", says(b"HTTP/1.1 20"), **BAD),
    Fault("dies in the head", says(OK[:30]), **BAD),
    Fault("dies in the head by a reset", says(OK[:30], resets=True), **BAD),
    Fault("dies after an interim reply", says(b"HTTP/1.1 100 Continue\r\n\r\n"), **BAD),
    Fault("never answers a write", stalls(), **LATE, asks=POST),
    Fault("never answers an upload", stalls(), **LATE, asks=upload(3) + b"abc"),
    Fault("stalls in the head", stalls(OK[:30]), **LATE),
    Fault("stalls after an interim reply", stalls(b"HTTP/1.1 103 Early Hints\r\n\r\n"), **LATE),
    Fault("dribbles a head without end", dribbles(OK[:-6], for_ever=b"x"), **LATE),
    Fault("dribbles a whole reply", dribbles(OK), **FINE, body=b"{}", is_clean=True),
    Fault("floods with one header", floods(OK[:20], b"x" * 10_000), **BAD),
    Fault("floods with headers", floods(OK[:17], b"x: y\r\n" * 1000), **BAD),
    Fault("has too many headers", says(OK[:17] + b"x: y\r\n" * 201 + b"\r\n"), **BAD),
    Fault("floods with interim replies", floods(b"", b"HTTP/1.1 102 P\r\n\r\n" * 9), **BAD),
    Fault("floods before it is asked", floods(OK, OK * 1000), **FINE, body=b"{}"),
    Fault("floods beyond its length", floods(OK, b"x" * 10_000), **FINE, body=b"{}"),
    Fault("floods after a reply without body", floods(LENGTH % 9, b"x" * 100), **FINE, asks=HEAD),
]  # fmt: skip


@pytest.mark.parametrize("fault", ANSWERED, ids=lambda fault: fault.name)
async def test_an_upstream_that_fails_gets_an_answer_out_of_the_gateway(
    tmp_path: Path, upstream: RecordingUpstream, fault: Fault
) -> None:
    upstream.script = fault.fails
    async with faulty_site(tmp_path, upstream) as site:
        client = await site.connect()
        await client.send(fault.asks)
        reply = await client.reply(fault.asks.split()[0].decode())
        assert (reply.status, reply.header("x-gateway-refusal")) == (fault.status, fault.refusal)
        assert fault.body is None or reply.body == fault.body
        assert len(upstream.conversations) == 1
        await aftermath(site, upstream, reuses=fault.is_clean)
    first, after = Audit(tmp_path).lines()
    assert (first["effect"], first["status"], first["ending"]) == (
        "allow", fault.status, fault.ending,
    )  # fmt: skip
    assert (after["status"], after["ending"]) == (200, "complete")


CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

CUT = [
    ("in a body of known length", LENGTH % 10 + b"abc"),
    ("in a chunk", CHUNKED + b"a\r\nabc"),
    ("in a chunk's size", CHUNKED + b"3\r\nabc\r\n1"),
    ("between two chunks", CHUNKED + b"3\r\nabc\r\n"),
    ("before the last empty line", CHUNKED + b"3\r\nabc\r\n0\r\n"),
]


@pytest.mark.parametrize("how", ["closes", "resets", "stalls"])
@pytest.mark.parametrize("reply", [cut[1] for cut in CUT], ids=[cut[0] for cut in CUT])
async def test_a_reply_that_breaks_off_is_never_made_to_look_whole(
    tmp_path: Path, upstream: RecordingUpstream, reply: bytes, how: str
) -> None:
    arrived = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(reply)
        if how == "stalls":
            await conversation.reader.read()
        await arrived.wait()
        if how == "resets":
            reset(conversation.writer)

    upstream.script = script
    async with faulty_site(tmp_path, upstream) as site:
        client = await site.connect()
        await client.send(GET)
        got = await client.reader.readuntil(b"abc")
        arrived.set()
        got += await client.rest()
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        if b"content-length: 10" in head:
            assert len(body) < 10
        else:
            assert b"transfer-encoding: chunked" in head
            assert not body.endswith(b"0\r\n\r\n")
        await aftermath(site, upstream)
    first, after = Audit(tmp_path).lines()
    assert (first["status"], first["ending"]) == (200, "upstream-failed")
    assert after["ending"] == "complete"


EARLY = b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 5\r\n\r\nlarge"


@pytest.mark.parametrize("head", [upload(1000), CHUNKED_UPLOAD], ids=["length", "chunked"])
@pytest.mark.parametrize("closes", [True, False], ids=["closes", "keeps reading"])
async def test_an_early_answer_reaches_the_client_and_ends_both_connections(
    tmp_path: Path, upstream: RecordingUpstream, head: bytes, closes: bool
) -> None:
    seen: list[bytes] = []

    async def script(conversation: Conversation) -> None:
        await conversation.reader.readuntil(b"\r\n\r\n")
        await conversation.answer(EARLY)
        if not closes:
            seen.append(await conversation.reader.read())

    upstream.script = script
    async with faulty_site(tmp_path, upstream) as site:
        client = await site.connect()
        await client.send(head + b"5\r\nhello\r\n")
        reply = await client.reply()
        assert (reply.status, reply.body) == (413, b"large")
        assert reply.header("connection") == "close"
        await client.send(b"5\r\nhello\r\n")
        assert await client.rest() == b""
        await aftermath(site, upstream)
    assert all(not body.endswith(b"0\r\n\r\n") for body in seen)
    first, _ = Audit(tmp_path).lines()
    assert (first["effect"], first["status"], first["ending"]) == ("allow", 413, "complete")


async def _endless(client: RawClient) -> None:
    while True:
        await client.send(b"x" * 65536)


@pytest.mark.parametrize(
    ("dies", "status", "refusal"),
    [(True, 502, "upstream-failed"), (False, 504, "upstream-timeout")],
    ids=["dies", "stops reading"],
)
async def test_an_upload_that_the_upstream_does_not_take_is_answered_at_once(
    tmp_path: Path, upstream: RecordingUpstream, dies: bool, status: int, refusal: str
) -> None:
    released = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.reader.readuntil(b"\r\n\r\n")
        if dies:
            await conversation.reader.readexactly(100_000)
            reset(conversation.writer)
        await released.wait()

    upstream.script = script
    async with faulty_site(tmp_path, upstream) as site:
        client = await site.connect()
        await client.send(upload(1 << 30))
        uploading = asyncio.gather(_endless(client), return_exceptions=True)
        reply = await client.reply()
        uploading.cancel()
        released.set()
        assert (reply.status, reply.header("x-gateway-refusal")) == (status, refusal)
        assert reply.header("connection") == "close"
        await aftermath(site, upstream)
    first, _ = Audit(tmp_path).lines()
    assert (first["effect"], first["status"], first["ending"]) == (
        "allow", status, "upstream-failed",
    )  # fmt: skip
