"""The same promises over real sockets and uvloop, so that the fakes are known to tell the truth."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
import uvloop

from gateway.errors import UpstreamFailed
from gateway.tasks import Tasks
from gateway.wire.client import ClientConnection, ClientLimits
from gateway.wire.outbox import Outbox
from gateway.wire.upstream import UpstreamConnection, UpstreamLimits
from gateway.wire.watch import Watch
from tests.support.wire import GET, a_reading, post, the_reply

T = TypeVar("T")

LIMITS = ClientLimits(
    max_head_bytes=16_384,
    max_requests_per_connection=1_000_000,
    header_timeout_seconds=10,
    body_idle_timeout_seconds=30,
    keep_alive_timeout_seconds=75,
    total_timeout_seconds=300,
    drain_body_bytes=4_000_000,
)


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    async def in_time() -> T:
        async with asyncio.timeout(20):
            return await coroutine

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(in_time())


@asynccontextmanager
async def a_server(
    converse: Callable[[ClientConnection], Coroutine[Any, Any, None]],
) -> AsyncIterator[int]:
    """A listening port whose clients are talked to by `converse`."""
    loop = asyncio.get_running_loop()

    async def conversation(client: ClientConnection) -> None:
        try:
            await converse(client)
        except asyncio.CancelledError:
            client.abort()

    watch, outbox, tasks = Watch(loop), Outbox(loop), Tasks("clients")
    server = await loop.create_server(
        lambda: ClientConnection(
            loop,
            watch,
            outbox,
            limits=LIMITS,
            reading=a_reading(),
            tasks=tasks,
            converse=conversation,
        ),
        "127.0.0.1",
        0,
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await tasks.close(grace_seconds=5)
        watch.close()


def test_a_flood_of_pipelined_requests_waits_in_a_bounded_buffer_and_is_answered_in_order() -> None:
    """R-3."""
    most = 0

    async def converse(client: ClientConnection) -> None:
        nonlocal most
        while (head := await client.next_head()) is not None:
            most = max(most, len(client.buffer))
            client.write(head.target + b"\n")
            await asyncio.sleep(0)
        await client.close()

    async def story() -> bytes:
        async with a_server(converse) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            flood = b"".join(GET.replace(b"/ ", b"/%d " % number) for number in range(20_000))
            writer.write(flood)
            writer.write_eof()
            answers = await reader.read(-1)
            writer.close()
            return answers

    assert run(story()).split() == [b"/%d" % number for number in range(20_000)]
    assert most <= 64 * 1024 + 256 * 1024  # the mark, and what uvloop reads in one go


def test_whoever_asks_without_reading_the_answers_is_kept_waiting() -> None:
    """R-3: what is written and not taken stays within one answer and the transport's own mark."""
    answer, most = b"x" * 100_000, 0
    deaf = asyncio.Event()

    async def converse(client: ClientConnection) -> None:
        nonlocal most
        while await client.next_head() is not None:
            client.write(answer)
            await asyncio.sleep(0)
            most = max(most, client.transport.get_write_buffer_size())
            if client.blocked:
                deaf.set()
        await client.close()

    async def story() -> int:
        loop = asyncio.get_running_loop()
        async with a_server(converse) as port:
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(GET * 500)
                client.shutdown(socket.SHUT_WR)
                client.setblocking(False)
                await deaf.wait()
                taken = 0
                while piece := await loop.sock_recv(client, 1_000_000):
                    taken += len(piece)
                return taken

    assert run(story()) == 500 * len(answer)
    assert 64 * 1024 < most <= 64 * 1024 + 2 * len(answer)


def test_an_answer_given_before_the_body_was_read_is_not_lost_to_a_reset() -> None:
    """F-6."""

    async def converse(client: ClientConnection) -> None:
        await client.next_head()
        client.write(b"HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n")
        await client.close()

    async def story() -> bytes:
        async with a_server(converse) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(post(2_000_000))
            writer.write(b"x" * 2_000_000)
            await writer.drain()
            answer = await reader.read(-1)
            writer.close()
            return answer

    assert run(story()).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("half_closes", [False, True], ids=["listening", "half-closed"])
def test_a_long_answer_arrives_whole_before_the_connection_ends(half_closes: bool) -> None:
    size = 8_000_000

    async def converse(client: ClientConnection) -> None:
        await client.next_head()
        if half_closes:
            while not client.ended:
                await client.wait()
        client.write(b"x" * size)
        await client.close()

    async def story() -> int:
        async with a_server(converse) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            if half_closes:
                writer.write_eof()
            received = len(await reader.read(-1))
            writer.close()
            return received

    assert run(story()) == size


def test_a_client_that_leaves_takes_its_request_with_it() -> None:
    async def story() -> bool:
        left = asyncio.Event()

        async def converse(client: ClientConnection) -> None:
            await client.next_head()
            client.busy = True
            client.write(b"HTTP/1.1 200 OK\r\n\r\n")
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                assert client.lost
                left.set()

        async with a_server(converse) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            await reader.readline()
            reset(writer)
            return await left.wait()

    assert run(story())


def reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the kernel sends a reset instead of an end."""
    writer.get_extra_info("socket").setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )
    writer.transport.abort()


async def exchange(answer: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> bytes:
    """The body of a reply from a server that writes with `answer`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await answer(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    loop = asyncio.get_running_loop()
    watch = Watch(loop)
    limits = UpstreamLimits(first_byte_timeout_seconds=10, idle_timeout_seconds=10)
    _, connection = await loop.create_connection(
        lambda: UpstreamConnection(loop, watch, Outbox(loop), "node", limits),
        *server.sockets[0].getsockname(),
    )
    try:
        connection.send_request(GET)
        await the_reply(connection)
        body = b""
        while piece := await connection.body_piece():
            body += piece
        return body
    finally:
        connection.abort()
        watch.close()
        server.close()


def test_a_close_delimited_body_ends_with_the_connection() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)
        writer.close()

    assert run(exchange(answer)) == b"x" * 300_000


def test_a_close_delimited_body_cut_off_by_a_reset_is_not_complete() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)
        await writer.drain()
        reset(writer)

    with pytest.raises(UpstreamFailed):
        run(exchange(answer))
