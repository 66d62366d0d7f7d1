"""A client that sends what it is given, piece by piece, and keeps every byte that comes back.

Pieces arrive apart: each is a write of its own, and the event loop turns in between.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import cast

from gateway.settings import Address
from tests.support.strict_reading import Reply, read_reply

__all__ = ["ByteClient", "cut_anywhere", "singly"]

_PATIENCE_SECONDS = 20


class ByteClient(asyncio.Protocol):
    """One connection; `received` is what no reply was read from yet."""

    def __init__(self) -> None:
        self.received = b""
        self.ended = False
        self.lost = False
        self.transport = cast("asyncio.Transport", None)
        self._writable = asyncio.Event()
        self._writable.set()
        self._changed: asyncio.Future[None] | None = None

    @classmethod
    async def connect(cls, address: Address) -> "ByteClient":
        loop = asyncio.get_running_loop()
        _, client = await loop.create_connection(cls, address.host, address.port)
        return client

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.received += data
        self._wake()

    def eof_received(self) -> bool:
        self.ended = True
        self._wake()
        return True

    def connection_lost(self, _: Exception | None) -> None:
        self.ended = self.lost = True
        self._writable.set()
        self._wake()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    # --- what tests do ------------------------------------------------------------------------

    async def send(self, pieces: Iterable[bytes]) -> None:
        """Each piece in a turn of its own, until the other side has closed."""
        for piece in pieces:
            if self.lost or self.ended:
                return
            self.transport.write(piece)
            await asyncio.sleep(0)
            await self._writable.wait()

    def end(self) -> None:
        """Nothing more will be sent."""
        if not self.lost:
            self.transport.write_eof()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not condition():
                self._changed = asyncio.get_running_loop().create_future()
                await self._changed

    async def reply(self, method: str = "GET") -> Reply | None:
        """The next final reply; None where the connection ends first.

        Raises NotStrict when what comes is no reply.
        """
        while True:
            found = read_reply(self.received, method, ended=self.ended)
            if found is not None:
                reply, self.received = found
                if reply.status >= 200:
                    return reply
            elif self.ended:
                return None
            else:
                known = len(self.received)
                await self.until(lambda known=known: len(self.received) > known or self.ended)

    async def closed(self) -> bytes:
        """Wait for the other side's end; what came meanwhile."""
        await self.until(lambda: self.ended)
        return self.received

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()

    def abort(self) -> None:
        self.transport.abort()


def singly(raw: bytes, *, first: int = 20_000) -> list[bytes]:
    """Every byte its own piece, for as long as that makes sense; the rest in larger ones."""
    pieces = [raw[index : index + 1] for index in range(min(len(raw), first))]
    return pieces + [raw[index : index + 997] for index in range(first, len(raw), 997)]


def cut_anywhere(raw: bytes, chance: random.Random) -> list[bytes]:
    """A handful of cuts, more of them at line ends than chance would have it."""
    places = {chance.randrange(len(raw) + 1) for _ in range(chance.randint(1, 8))} if raw else set()
    ends = [index for index in range(len(raw)) if raw[index] in b"\r\n"]
    places |= set(chance.sample(ends, min(len(ends), chance.randint(0, 3))))
    edges = [0, *sorted(places - {0, len(raw)}), len(raw)]
    pieces = [raw[start:end] for start, end in pairwise(edges)]
    return [piece for piece in pieces if piece]
