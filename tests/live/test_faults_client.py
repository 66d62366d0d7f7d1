"""Whatever a client does wrong, at each stage of a request: what UCS sees, what is recorded.

A client that is gone gets no answer, so each row says what becomes of its request instead. Three
ways to go: it closes both directions, it only stops sending (a half-close), or its connection is
reset. A fourth is to stay and do nothing more.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.faults import (
    CHUNKED_UPLOAD,
    GET,
    INSPECTED_HEAD,
    aftermath,
    connections,
    faulty_site,
    reset,
    upload,
)
from tests.support.raw import RawClient
from tests.support.site import Audit, Site
from tests.support.upstream import Conversation, RecordingUpstream

NOT_A_REQUEST = None
"""Nothing is recorded of what never became a request."""


async def leave(client: RawClient, how: str) -> None:
    match how:
        case "closes":
            await client.close()
        case "resets":
            reset(client.writer)
        case "half-closes":
            client.writer.write_eof()


@dataclass(frozen=True)
class Stage:
    """How far the client gets, and what is recorded when it goes there."""

    name: str
    sends: bytes
    closes: tuple[str, int | None] | None
    resets: tuple[str, int | None] | None
    stays: tuple[str, int | None] | None
    """Ending and status of the audit line; None where there is none."""
    asks: bool = False
    """Whether UCS has been asked by then."""


LEFT = ("client-left", None)
MALFORMED = ("refused", 400)
LATE = ("refused", 408)

STAGES = [
    Stage("before its first byte", b"", NOT_A_REQUEST, NOT_A_REQUEST, NOT_A_REQUEST),
    Stage("in the request line", GET[:9], NOT_A_REQUEST, NOT_A_REQUEST, LATE),
    Stage("after the request line", GET[: GET.index(b"\n") + 1],
          NOT_A_REQUEST, NOT_A_REQUEST, LATE),
    Stage("in the head", GET[:-3], NOT_A_REQUEST, NOT_A_REQUEST, LATE),
    Stage("before a body that is inspected", INSPECTED_HEAD, MALFORMED, LEFT, LATE),
    Stage("in a body that is inspected", INSPECTED_HEAD + b'{"First', MALFORMED, LEFT, LATE),
    Stage("before an upload", upload(9), MALFORMED, LEFT, LATE, asks=True),
    Stage("in an upload", upload(9) + b"four", MALFORMED, LEFT, LATE, asks=True),
    Stage("in a chunked upload", CHUNKED_UPLOAD + b"4\r\nfour\r\n", MALFORMED, LEFT, LATE,
          asks=True),
    Stage("in a chunk", CHUNKED_UPLOAD + b"9\r\nfour", MALFORMED, LEFT, LATE, asks=True),
    Stage("before the last chunk", CHUNKED_UPLOAD + b"4\r\nfour\r\n0\r\n", MALFORMED, LEFT, LATE,
          asks=True),
]  # fmt: skip


@pytest.mark.parametrize("how", ["closes", "half-closes", "resets", "stays"])
@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
async def test_a_request_that_never_gets_whole_is_never_carried_out(
    tmp_path: Path, upstream: RecordingUpstream, stage: Stage, how: str
) -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.reader.readuntil(b"\r\n\r\n")
        asked.set()
        conversation.received = await conversation.reader.read()
        over.set()

    upstream.script = script
    expected = getattr(stage, "closes" if how == "half-closes" else how)
    async with faulty_site(tmp_path, upstream) as site:
        client = await site.connect()
        await client.send(stage.sends)
        await taken(site, asked if stage.asks else None)
        await leave(client, how)
        if expected and how in {"half-closes", "stays"}:
            reply = await client.reply()
            assert (reply.status, reply.header("connection")) == (expected[1], "close")
            assert await client.rest() == b""
        if stage.asks:
            await over.wait()
        assert all(is_partial(each.received) for each in upstream.conversations)
        assert len(upstream.conversations) == stage.asks
        await aftermath(site, upstream)
    lines = [(line["ending"], line["status"]) for line in Audit(tmp_path).lines()]
    assert lines == [*([expected] if expected else []), ("complete", 200)]


def is_partial(body: bytes) -> bool:
    return len(body) < 9 if b"\r\n" not in body else not body.endswith(b"0\r\n\r\n")


async def taken(site: Site, asked: asyncio.Event | None) -> None:
    """Until the gateway has what was sent: UCS was asked, or a later reader was answered."""
    if asked is not None:
        await asked.wait()
        return
    async with asyncio.timeout(10):
        while (await connections(site))["client"] == 0:
            pass


@pytest.mark.parametrize("how", ["closes", "half-closes", "resets"])
async def test_a_client_that_goes_while_ucs_works_lets_ucs_go_too(
    tmp_path: Path, upstream: RecordingUpstream, how: str
) -> None:
    asked, hung_up = asyncio.Event(), asyncio.Event()

    async def script(conversation: Conversation) -> None:
        await conversation.request()
        asked.set()
        await conversation.reader.read()
        hung_up.set()

    upstream.script = script
    async with faulty_site(tmp_path, upstream) as site:
        client = await site.connect()
        await client.send(GET)
        await asked.wait()
        await leave(client, how)
        await hung_up.wait()
        if how == "half-closes":
            assert await client.rest() == b""
        await aftermath(site, upstream)
    lines = [(line["ending"], line["status"]) for line in Audit(tmp_path).lines()]
    assert lines == [LEFT, ("complete", 200)]


LONG = b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize("how", ["closes", "half-closes", "resets", "stays"])
@pytest.mark.parametrize(
    ("head", "piece"),
    [(LONG, b"x" * 65536), (CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n")],
    ids=["length", "chunked"],
)
async def test_a_client_that_stops_reading_its_reply_ends_it(
    tmp_path: Path, upstream: RecordingUpstream, head: bytes, piece: bytes, how: str
) -> None:
    """Gone or not: a reply that nobody takes holds neither memory nor a connection."""
    hung_up = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        try:
            await conversation.request()
            await conversation.answer(head)
            while True:
                await conversation.answer(piece)
        finally:
            hung_up.set()

    upstream.script = script
    async with faulty_site(tmp_path, upstream) as site:
        client = await site.connect()
        await client.send(GET)
        await client.reader.readuntil(b"xxxx")
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await leave(client, how)
        await hung_up.wait()
        await aftermath(site, upstream)
    lines = [(line["ending"], line["status"]) for line in Audit(tmp_path).lines()]
    assert lines == [("client-left", 200), ("complete", 200)]


async def test_a_client_that_goes_between_two_requests_is_no_fault(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    async with faulty_site(tmp_path, upstream) as site:
        for how in ("closes", "half-closes", "resets"):
            client = await site.connect()
            await client.send(GET)
            assert (await client.reply()).status == 200
            await leave(client, how)
            if how == "half-closes":
                assert await client.rest() == b""
        await aftermath(site, upstream, reuses=True)
        assert len(upstream.conversations) == 1
    lines = [(line["ending"], line["status"]) for line in Audit(tmp_path).lines()]
    assert lines == [("complete", 200)] * 4
