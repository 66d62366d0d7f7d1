"""A client's stay: how it begins, how long it may last, and how it ends.

The whole conversation is one coroutine, started when the client connects. Two clocks run: one for
what is awaited next, and one for the request at hand as a whole, which nothing but the request's
end stops. When the second runs out, the coroutine is cancelled wherever it waits, as it is when
the client leaves and at shutdown; what it was cancelled for is asked in one place, `ran_out`.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from gateway.http.forwarded import Peer, Proxies
from gateway.settings import Limits
from gateway.tasks import Tasks
from gateway.wire.connection import Connection
from gateway.wire.outbox import Outbox
from gateway.wire.watch import NEVER, Watch

__all__ = ["ClientLimits", "Session"]


class ClientLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one client may take of us; see the settings for the precedents."""

    max_head_bytes: int
    max_requests_per_connection: int
    header_timeout_seconds: float
    body_idle_timeout_seconds: float
    keep_alive_timeout_seconds: float
    total_timeout_seconds: float
    drain_body_bytes: int
    linger_seconds: float = 2.0

    @classmethod
    def of(cls, limits: Limits) -> "ClientLimits":
        """Those of the settings that concern one connection."""
        names = (name for name in cls.__struct_fields__ if name in Limits.model_fields)
        return cls(**{name: getattr(limits, name) for name in names})


class Session(Connection):
    """One client from its connection to its farewell; what it says is its subclass's business.

    `busy` says that a request is under way, `overdue` that its total time is up.
    """

    __slots__ = (
        "_converse",
        "_limits",
        "_task",
        "_tasks",
        "_until",
        "busy",
        "overdue",
        "peer",
        "reusable",
    )

    peer: Peer

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        watch: Watch,
        outbox: Outbox,
        *,
        limits: ClientLimits,
        tasks: Tasks,
        converse: Callable[[Any], Coroutine[Any, Any, None]],
    ) -> None:
        super().__init__(loop, watch, outbox)
        self.busy = False
        self.reusable = True
        self._limits = limits
        self._high_water_bytes = max(self._high_water_bytes, limits.max_head_bytes)
        self._tasks = tasks
        self._converse = converse
        self._task: asyncio.Task[None] | None = None
        self._until = NEVER
        self.overdue = False

    def _begin(self, transport: asyncio.BaseTransport, proxies: Proxies, scheme: bytes) -> None:
        super().connection_made(transport)
        address = self.transport.get_extra_info("peername")
        # A Unix socket's peer has a path, mostly an empty one, where others have a pair.
        host = str(address[0]) if isinstance(address, tuple) else None
        self.peer = proxies.peer(host, scheme)
        self._task = self._tasks.start(self._converse(self), name=self.peer.origin.peer)

    # --- leaving ----------------------------------------------------------------------------

    def eof_received(self) -> bool:
        # A client that stops sending while its answer is under way has left: a half-closed one
        # cannot be told from one that is gone, and nginx (499) and Go read it the same way.
        stays_open = super().eof_received()
        self._leave_if_answered(complete=self.body_taken)
        return stays_open

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._leave_if_answered(complete=True)

    def _leave_if_answered(self, *, complete: bool) -> None:
        """Whoever asked is gone and the answer of no use: the exchange ends, and says so."""
        if complete and self.busy and self._task is not None:
            self._task.cancel()

    # --- time -------------------------------------------------------------------------------

    def begin_request(self) -> None:
        """A request is being carried out: from now on its total time runs."""
        self.busy = True
        self.overdue = False
        self.deadline = self._until = self.loop.time() + self._limits.total_timeout_seconds
        self.expired = False

    def end_request(self) -> None:
        """The request has ended, whatever became of it."""
        self.busy = False
        self.deadline = self._until = NEVER
        self.expired = False

    def within(self, seconds: float) -> None:
        self.deadline = min(self.loop.time() + seconds, self._until)
        self.expired = False

    def at_leisure(self) -> None:
        self.deadline = self._until
        self.expired = False

    def expire(self) -> None:
        if self.busy and self.loop.time() >= self._until:
            self._until = NEVER
            self.overdue = True
            if self._task is not None:
                self._task.cancel()
        else:
            super().expire()
            self.deadline = self._until

    def ran_out(self) -> bool:
        """Asked by whoever caught a cancellation: was it for the total time, and nothing else?

        If so it is taken back, and the coroutine may go on to say what happened. A client that
        left, or a shutdown, in the same turn is a second cancellation, and counts for more.
        """
        task = self._task
        if not self.overdue or task is None or task.cancelling() > 1:
            return False
        task.uncancel()
        return True

    async def rest(self, seconds: float) -> None:
        """Neither read from the client nor answer it for a while; what it sends waits outside."""
        if self.ended:
            return
        if not self._reading_paused:
            self._reading_paused = True
            self.transport.pause_reading()
        self.at_leisure()
        # Not the watch's business: a tick of its is as long as a rest.
        alarm = self.loop.call_later(seconds, super().expire)
        while not (self.ended or self.expired):
            await self.wait()
        alarm.cancel()
        self.at_leisure()
        self.keep(self.buffer)

    async def until_read(self) -> bool:
        """Wait until the client has taken most of what was written; whether it has.

        Whoever asks without reading the answers would have them pile up here (threat R-3).
        """
        limits = self._limits
        self._until = self.loop.time() + limits.total_timeout_seconds
        self.within(limits.body_idle_timeout_seconds)
        unread = self.transport.get_write_buffer_size()
        while self.blocked and not self.lost:
            if self.expired:
                left = self.transport.get_write_buffer_size()
                if left >= unread or self.loop.time() >= self._until:
                    break
                unread = left
                self.within(limits.body_idle_timeout_seconds)
            await self.wait()
        self._until = NEVER
        self.at_leisure()
        return not self.blocked

    # --- the end ----------------------------------------------------------------------------

    def end_if_idle(self) -> None:
        """At shutdown: a client between two requests has had its last answer."""
        if not self.busy and not self.buffer:
            self.ended = True
            self.wake()

    async def close(self) -> None:
        """Close so that the client can still read what was written.

        Closing a socket with unread input makes the kernel reset the connection, and the client
        loses the reply that told it why. So: half-close, read on a little, then close.
        """
        self._outbox.flush()
        if not self.lost:
            await self._read_on()
        if not self.lost:
            await self._write_out()

    def part(self) -> None:
        """Wait for nothing any more; what is written still leaves, before an orderly close."""
        self._outbox.flush()
        if not self.lost:
            self.transport.close()

    async def _read_on(self) -> None:
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.within(self._limits.linger_seconds)
        discarded = 0
        while not (self.ended or self.expired) and discarded <= self._limits.drain_body_bytes:
            discarded += len(self.buffer)
            self.keep(b"")
            await self.wait()

    async def _write_out(self) -> None:
        """What the client has yet to read gets more time than what it has yet to send."""
        self.transport.close()
        self.within(self._limits.body_idle_timeout_seconds)
        while self.transport.get_write_buffer_size() and not (self.lost or self.expired):
            await self.wait()
        if self.expired:
            self.abort()
