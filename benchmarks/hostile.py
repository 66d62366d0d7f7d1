"""Clients that do every harm that a client can do with bytes and with the lack of them.

Each picks a harm at random, does it on a connection of its own, and begins anew. They come from
an address of their own, so that the audit tells them from honest clients.
"""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

from gateway.settings import Address

__all__ = ["FILLING", "HOSTILE_ADDRESS", "Hostile"]

HOSTILE_ADDRESS = "127.0.0.66"

FILLING = b"x"
"""What hostile bodies are made of."""

_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Harm = Callable[[_Streams], Awaitable[None]]


class Hostile:
    """The harms that one random generator brings over one address."""

    def __init__(self, address: Address, authorization: str, seed: int) -> None:
        common = f"Host: bench\r\nAuthorization: {authorization}\r\n"
        self._get = f"GET /profiles/hostile HTTP/1.1\r\n{common}\r\n".encode()
        post = f"POST /profiles/import HTTP/1.1\r\n{common}"
        self._upload = f"{post}Content-Length: 4000000\r\n\r\n".encode()
        self._chunked = f"{post}Transfer-Encoding: chunked\r\n\r\n".encode()
        self._address = address
        self._random = random.Random(seed)
        self._harms: list[_Harm] = [
            self._drips, self._raves, self._half_closes, self._goes_anywhere, self._never_reads,
            self._floods, self._lies_about_length,
        ]  # fmt: skip

    async def rage(self) -> None:
        """Until cancelled."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                await self._once()

    async def _once(self) -> None:
        streams = await asyncio.open_connection(
            self._address.host, self._address.port, local_addr=(HOSTILE_ADDRESS, 0)
        )
        try:
            async with asyncio.timeout(15):
                await self._random.choice(self._harms)(streams)
        finally:
            streams[1].transport.abort()

    async def _drips(self, streams: _Streams) -> None:
        """A byte now and then, of a head or of a body."""
        reader, writer = streams
        beginning = self._random.choice([b"GET /", self._get[:-2] + b"X-Slow: ", self._upload])
        writer.write(beginning)
        for _ in range(self._random.randrange(20)):
            writer.write(b"x")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await reader.readexactly(1)

    async def _raves(self, streams: _Streams) -> None:
        """Bytes without sense, or a request with some of them in it."""
        reader, writer = streams
        garbage = self._random.randbytes(self._random.randrange(1, 2000))
        at = self._random.randrange(len(self._get))
        writer.write(self._random.choice([garbage, self._get[:at] + garbage + self._get[at:]]))
        await reader.read()

    async def _half_closes(self, streams: _Streams) -> None:
        """Stops sending anywhere, and waits for what comes."""
        reader, writer = streams
        whole = self._random.choice([self._get, self._upload + FILLING * 100, self._chunked])
        writer.write(whole[: self._random.randrange(len(whole) + 1)])
        writer.write_eof()
        await reader.read()

    async def _goes_anywhere(self, streams: _Streams) -> None:
        """Leaves at a random moment of a request, of its body, or of its reply."""
        reader, writer = streams
        writer.write(self._random.choice([self._get, self._upload + FILLING * 300_000]))
        if self._random.random() < 0.5:
            await asyncio.sleep(self._random.random() / 50)
        elif self._random.random() < 0.5:
            await reader.readexactly(1)

    async def _never_reads(self, streams: _Streams) -> None:
        """Has 4 MB echoed and does not take them."""
        _, writer = streams
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(self._upload + FILLING * 4_000_000)
        await asyncio.sleep(self._random.random() * 5)

    async def _floods(self, streams: _Streams) -> None:
        """Hundreds of requests at once, and reads a part of the replies."""
        reader, writer = streams
        writer.write(self._get * self._random.randrange(1, 300))
        await reader.read(self._random.randrange(1, 20_000))

    async def _lies_about_length(self, streams: _Streams) -> None:
        """A body shorter or longer than it said, whole chunks or broken ones."""
        reader, writer = streams
        body = b"ffff\r\n" + FILLING * 100 + self._random.choice([b"", b"\r\n0\r\n\r\n", b"zz\r\n"])
        writer.write(self._chunked + body)
        await reader.read(100)
