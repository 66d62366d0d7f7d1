"""The load that other tests lean on: it must notice what it is there to notice."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.settings import Address
from tests.support.echo import EchoUpstream
from tests.support.load import Ask, Counts, Load, reading, writing
from tests.support.site import running_site, ucs
from tests.support.tokens import bearer

READ = "UCS.Customer.readCustomerProfile"
UPDATE = "UCS.Customer.updateCustomerProfile"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.mark.parametrize(
    "ask", [reading(bearer(roles=(READ,))), writing(bearer(roles=(UPDATE,)))], ids=["get", "put"]
)
async def test_every_request_gets_its_own_answer(tmp_path: Path, ask: Ask) -> None:
    async with (
        EchoUpstream() as upstream,
        running_site(tmp_path, [ucs(upstream.url)]) as site,
        Load(site.address, clients=8, ask=ask) as load,
    ):
        await load.reach(200)
        counts = await load.stop()
        assert counts.sent == counts.by_status[200] == upstream.requests >= 200
        assert all(times == 1 for times in upstream.bodies.values())
    assert (counts.wrong, counts.unanswered, counts.broken, counts.stuck) == (0, 0, 0, 0)
    assert (counts.connections, counts.not_connected) == (8, 0)


async def test_a_node_that_dies_and_returns_is_seen_as_failures_and_then_none(
    tmp_path: Path,
) -> None:
    async with (
        EchoUpstream() as upstream,
        running_site(tmp_path, [ucs(upstream.url)]) as site,
        Load(site.address, clients=4, ask=reading(bearer(roles=(READ,)))) as load,
    ):
        await load.reach(50)
        upstream.die()
        await load.advance(20)
        assert load.counts.by_status[502] > 0
        await upstream.start()
        before = load.counts.by_status[200]
        await load.advance(40)
        assert load.counts.by_status[200] > before
        counts = await load.stop()
    assert (counts.wrong, counts.stuck) == (0, 0)
    assert counts.sent == counts.answered


@asynccontextmanager
async def serving(reply: bytes) -> AsyncIterator[Address]:
    """A server that gives every connection these bytes for its request, and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield Address(*server.sockets[0].getsockname())
    finally:
        server.close()


@pytest.mark.parametrize(
    ("reply", "noticed"),
    [
        (b"", "unanswered_at_once"),
        (b"HTTP/1.1 200 OK\r\ncontent-le", "broken"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nm0", "broken"),
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 4\r\n\r\nm1-9", "wrong"),
    ],
)
async def test_whatever_goes_wrong_is_counted_in_its_place(reply: bytes, noticed: str) -> None:
    async with (
        serving(reply) as address,
        Load(address, clients=1, ask=reading(b"none")) as load,
    ):
        await load.until(lambda counts: getattr(counts, noticed) > 0)
        counts = await load.stop()
    assert counts.sent == counts.answered + counts.unanswered + counts.broken + counts.stuck
    silent = {"wrong", "unanswered", "broken", "stuck"} - {noticed.removesuffix("_at_once")}
    assert all(getattr(counts, name) == 0 for name in silent)


async def test_where_nobody_listens_nothing_is_sent() -> None:
    async with Load(Address("127.0.0.1", 9), clients=1, ask=reading(b"none")) as load:
        await load.until(lambda counts: counts.not_connected > 1)
        counts = await load.stop()
    assert counts == Counts(not_connected=counts.not_connected)
