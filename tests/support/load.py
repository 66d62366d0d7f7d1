"""Closed-loop load: clients that each send a request, wait for its reply, and send the next.

For what only shows under load: SIGTERM, a killed worker, a takeover, a failing node. Every
request carries a marker that its reply has to repeat (`tests.support.echo` is an upstream that
does), and whatever becomes of a request is counted in exactly one place of `Counts`:

    async with Load(address, clients=32, ask=reading(bearer(roles=(READ,)))) as load:
        await load.reach(1000)
        gateway.send_signal(signal.SIGTERM)
        counts = await load.stop()
    assert (counts.wrong, counts.unanswered, counts.broken) == (0, 0, 0)
    assert counts.sent == counts.answered

A client honours `connection: close`, connects anew after every lost connection, and tries again
where nobody listens. Raw protocols, since a reset must not hide a reply that came before it.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Self, cast

from gateway.settings import Address
from gateway.tasks import Tasks
from tests.support.echo import answer_to
from tests.support.raw import request

Ask = Callable[[str], tuple[bytes, bytes]]
"""From a marker, `[A-Za-z0-9-]{1,64}`, to a request and the body of its 200 reply."""

_AGAIN_AFTER_SECONDS = 0.01
_PATIENCE_SECONDS = 30


def reading(authorization: bytes) -> Ask:
    """GETs of a profile whose id is the marker."""
    return lambda marker: (
        request("GET", f"/profiles/{marker}", authorization=authorization),
        answer_to(marker.encode()),
    )


def writing(authorization: bytes) -> Ask:
    """PUTs of a profile whose id and first name are the marker."""

    def ask(marker: str) -> tuple[bytes, bytes]:
        body = b'{"FirstName":"%b"}' % marker.encode()
        return (
            request("PUT", f"/profiles/{marker}", authorization=authorization, body=body),
            answer_to(marker.encode(), body),
        )

    return ask


@dataclass
class Counts:
    """Whole requests sent, and what became of each.

    `sent` is the sum of `answered`, `unanswered`, `broken` and `stuck`.
    """

    sent: int = 0
    by_status: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    """Among those answered with 200: another body than the request's own."""
    unanswered: int = 0
    """The connection ended before any byte of the reply."""
    unanswered_at_once: int = 0
    """Those of the unanswered whose connection had never carried a reply: no race to explain it."""
    broken: int = 0
    """The connection ended in mid-reply."""
    stuck: int = 0
    """No reply within the patience of `stop`."""
    connections: int = 0
    not_connected: int = 0
    """Attempts to connect that failed; nothing was sent then."""

    @property
    def answered(self) -> int:
        return sum(self.by_status.values())


class Load:
    """`clients` keep-alive connections to `address`; begins with `async with`."""

    def __init__(
        self, address: Address, *, clients: int, ask: Ask, tls: SSLContext | None = None
    ) -> None:
        self.counts = Counts()
        self.address = address
        self._clients = clients
        self._ask = ask
        self._tls = tls
        self._stopping = asyncio.Event()
        self._progress = asyncio.Condition()
        self._tasks = Tasks("load")

    async def __aenter__(self) -> Self:
        for number in range(self._clients):
            self._tasks.start(self._client(number), name=f"client-{number}")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await self._tasks.close()

    async def until(self, reached: Callable[[Counts], bool]) -> None:
        """Wait until the counts are as wished; they are looked at after each of their changes."""
        async with self._progress, asyncio.timeout(_PATIENCE_SECONDS):
            await self._progress.wait_for(lambda: reached(self.counts))

    async def reach(self, answered: int) -> None:
        """Wait until so many requests have been answered, counted from the beginning."""
        await self.until(lambda counts: counts.answered >= answered)

    async def advance(self, answers: int) -> None:
        """Wait for so many more answers than there are now."""
        await self.reach(self.counts.answered + answers)

    async def stop(self) -> Counts:
        """Let every client have the reply it waits for; what was counted until then."""
        self._stopping.set()
        await self._tasks.close(grace_seconds=_PATIENCE_SECONDS)
        return self.counts

    async def _client(self, number: int) -> None:
        counts = self.counts
        connection: _Connection | None = None
        turn = 0
        try:
            while not self._stopping.is_set():
                async with self._progress:
                    self._progress.notify_all()
                if connection is None or connection.lost:
                    connection = await self._connect()
                    continue
                turn += 1
                question, expected = self._ask(f"m{number}-{turn}")
                counts.sent += 1
                if await self._exchange(connection, question, expected):
                    continue
                connection.transport.abort()
                connection = None
        finally:
            if connection is not None:
                connection.transport.abort()

    async def _connect(self) -> "_Connection | None":
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                _Connection, self.address.host, self.address.port, ssl=self._tls
            )
        except OSError:
            self.counts.not_connected += 1
            try:
                async with asyncio.timeout(_AGAIN_AFTER_SECONDS):
                    await self._stopping.wait()
            except TimeoutError:
                pass
            return None
        self.counts.connections += 1
        return connection

    async def _exchange(self, connection: "_Connection", question: bytes, expected: bytes) -> bool:
        """Ask, count what comes of it; whether the connection may be used again."""
        counts = self.counts
        try:
            reply = await connection.ask(question)
        except asyncio.CancelledError:
            counts.stuck += 1
            raise
        if reply is None:
            if connection.buffer:
                counts.broken += 1
            else:
                counts.unanswered += 1
                counts.unanswered_at_once += connection.replies == 0
            return False
        connection.replies += 1
        counts.by_status[reply.status] += 1
        counts.wrong += reply.status == 200 and reply.body != expected
        return not reply.closes


@dataclass(frozen=True)
class _Reply:
    status: int
    body: bytes
    closes: bool


class _Connection(asyncio.Protocol):
    """Keeps what came before the end, however the end came."""

    def __init__(self) -> None:
        self.transport = cast("asyncio.Transport", None)
        self.buffer = b""
        self.replies = 0
        self.lost = False
        self._waiting: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        self._wake()

    def connection_lost(self, _: Exception | None) -> None:
        self.lost = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def ask(self, question: bytes) -> _Reply | None:
        """The reply, or None when the connection ends before it is whole."""
        self.transport.write(question)
        while (reply := self._take()) is None and not self.lost:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return reply

    def _take(self) -> _Reply | None:
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return None
        lines = head.lower().split(b"\r\n")
        fields = dict(line.split(b": ", 1) for line in lines[1:])
        length = int(fields[b"content-length"])
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return _Reply(
            int(lines[0].split(b" ")[1]),
            rest[:length],
            closes=fields.get(b"connection") == b"close",
        )
