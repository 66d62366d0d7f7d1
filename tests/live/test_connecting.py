"""A connection that nobody waits for any more when it is made is remembered by nobody."""

import asyncio
from collections.abc import Callable

import pytest

from gateway.tasks import Tasks
from gateway.upstream.pool import Pool
from gateway.wire.outbox import Outbox
from gateway.wire.upstream import UpstreamLimits
from gateway.wire.watch import Watch, Watched


class Hasty(Watch):
    """Does something in the very turn in which a connection is made."""

    then: Callable[[], object]

    def add(self, watched: Watched) -> None:
        super().add(watched)
        self.then()


def pool_at(port: int, watch: Watch) -> Pool:
    return Pool(
        name="node:1",
        host="127.0.0.1",
        port=port,
        watch=watch,
        outbox=Outbox(asyncio.get_running_loop()),
        limits=UpstreamLimits(first_byte_timeout_seconds=1, idle_timeout_seconds=1),
        max_idle=1,
        connect_timeout_seconds=20,
        keep_seconds=1,
    )


async def test_a_connection_that_is_made_when_nobody_waits_any_more_is_forgotten() -> None:
    """R-2: its client left, or its time was up, in that very turn."""
    watch = Hasty(asyncio.get_running_loop())
    gone = asyncio.Event()

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        await writer.wait_closed()
        gone.set()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        pool = pool_at(server.sockets[0].getsockname()[1], watch)
        connecting = Tasks("test").start(pool.connect(), name="connecting")
        watch.then = connecting.cancel
        with pytest.raises(asyncio.CancelledError):
            await connecting
        await gone.wait()
    assert len(watch) == 0
    assert pool.active == 0
