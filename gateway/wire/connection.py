"""What both sides of the proxy have in common: a socket that collects, and a reader that pulls.

One rule keeps this simple: *whatever happens wakes whoever waits, and who wakes looks again*.
Bytes, end of stream, loss, a drained write buffer and an expired deadline all end in `wake`; the
coroutine then reads the attributes and decides. Two connections can be waited for together, which
is how an upload notices that the upstream has answered early.
"""

import asyncio
from typing import cast

from gateway.http.framing import BodyKind, ChunkDecoder
from gateway.wire.outbox import Outbox
from gateway.wire.watch import NEVER, Watch

__all__ = ["Connection"]

# How much may lie unread before the peer is made to wait. uvloop reads up to 256 KiB at once.
_HIGH_WATER_BYTES = 64 * 1024


# Reading a member off its enum costs as much as the comparison that follows.
_NONE, _LENGTH = BodyKind.NONE, BodyKind.LENGTH
_CHUNKED, _CLOSE = BodyKind.CHUNKED, BodyKind.CLOSE


class Connection(asyncio.Protocol):
    """One TCP connection.

    `buffer` holds bytes that arrived and nobody took yet; `ended` says the peer has finished
    sending, `lost` that the connection is gone, `expired` that the deadline passed; `blocked`
    that writing should wait; `body_taken` that the message at hand has nothing more to give.
    """

    __slots__ = (
        "_body",
        "_decoder",
        "_high_water_bytes",
        "_outbox",
        "_reading_paused",
        "_remaining",
        "_waiter",
        "_watch",
        "blocked",
        "body_taken",
        "buffer",
        "bytes_in",
        "bytes_out",
        "deadline",
        "ended",
        "expired",
        "loop",
        "lost",
        "torn",
        "transport",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, watch: Watch, outbox: Outbox) -> None:
        self.loop = loop
        self._outbox = outbox
        self.transport: asyncio.Transport = cast("asyncio.Transport", None)
        self.buffer = b""
        self.bytes_in = 0
        self.bytes_out = 0
        self.deadline = NEVER
        self.ended = False
        self.expired = False
        self.lost = False
        self.torn = False
        self.blocked = False
        self._watch = watch
        self._high_water_bytes = _HIGH_WATER_BYTES
        self._waiter: asyncio.Future[None] | None = None
        self._reading_paused = False
        self.body_taken = True
        self._body = BodyKind.NONE
        self._remaining = 0
        self._decoder: ChunkDecoder | None = None

    # --- what the event loop tells us -------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._watch.add(self)

    def data_received(self, data: bytes) -> None:
        self.bytes_in += len(data)
        self.buffer = self.buffer + data if self.buffer else data
        if len(self.buffer) > self._high_water_bytes and not self._reading_paused:
            self._reading_paused = True
            self.transport.pause_reading()
        self.wake()

    def eof_received(self) -> bool:
        self.ended = True
        self.wake()
        return True  # the other direction stays open until we close it ourselves

    def connection_lost(self, error: Exception | None) -> None:
        self.lost = True
        self.torn = error is not None and not self.ended
        self.ended = True
        self._watch.remove(self)
        self.wake()

    def pause_writing(self) -> None:
        self.blocked = True

    def resume_writing(self) -> None:
        self.blocked = False
        self.wake()

    def expire(self) -> None:
        self.expired = True
        self.wake()

    # --- what the coroutine does ------------------------------------------------------------

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)

    def wait(self, also: "Connection | None" = None) -> asyncio.Future[None]:
        """To be awaited: until anything happens on this connection, or on `also`.

        A plain function, since a coroutine around one future costs as much as the future. Where
        two connections share it, the second to wake finds it done and leaves it.
        """
        waiter = self._waiter = self.loop.create_future()
        if also is not None:
            also._waiter = waiter  # noqa: SLF001 - the same class
        return waiter

    @property
    def bytes_taken(self) -> int:
        """How many of the bytes that came in were taken out of the buffer."""
        return self.bytes_in - len(self.buffer)

    def take(self, count: int) -> bytes:
        """Up to `count` bytes from the front of the buffer."""
        buffer = self.buffer
        if len(buffer) <= count:
            self.buffer = b""
            if self._reading_paused:
                self.keep(b"")
            return buffer
        self.keep(buffer[count:])
        return buffer[:count]

    def keep(self, rest: bytes) -> None:
        """The buffer is now `rest`; the peer is read from again when that is little."""
        self.buffer = rest
        if self._reading_paused and len(rest) <= self._high_water_bytes:
            self._reading_paused = False
            if not self.lost:
                self.transport.resume_reading()

    # --- the body of the message at hand ----------------------------------------------------

    def begin_body(self, kind: BodyKind, length: int | None) -> None:
        """The bytes that follow are a body of this kind; `length` counts for LENGTH only."""
        self._body = kind
        self.body_taken = kind is _NONE
        self._remaining = length or 0
        self._decoder = ChunkDecoder() if kind is _CHUNKED else None

    def take_body(self) -> bytes | None:
        """The bytes of the body that are here: b"" after the last one, None when to wait.

        Raises FramingRejected for a malformed chunk.
        """
        if self.body_taken:
            return b""
        data = b""
        if self.buffer:
            if self._body is _LENGTH:
                data = self.take(self._remaining)
                self._remaining -= len(data)
                self.body_taken = not self._remaining
            elif self._decoder is not None:
                data, rest = self._decoder.decode(self.buffer)
                self.keep(rest)
                self.body_taken = self._decoder.done
            else:
                data = self.take(len(self.buffer))
        if not data and self._body is _CLOSE and self.ended and not self.torn:
            self.body_taken = True
        return data or (b"" if self.body_taken else None)

    # --- writing ----------------------------------------------------------------------------

    def write(self, data: bytes) -> None:
        self.bytes_out += len(data)
        self._outbox.put(self.transport, data)

    def within(self, seconds: float) -> None:
        """Something has to happen within `seconds` from now."""
        self.deadline = self.loop.time() + seconds
        self.expired = False

    def at_leisure(self) -> None:
        self.deadline = NEVER
        self.expired = False

    def abort(self) -> None:
        """Drop the connection at once; whatever was not yet sent is lost."""
        if not self.lost and self.transport is not None:
            self.transport.abort()
