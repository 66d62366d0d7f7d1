"""Connections to one node that wait for their next request.

The last one put back is the first one taken: it is the least likely to have been closed by the
server meanwhile, and the others may grow old and go.
"""

import asyncio
from collections import deque

from gateway.errors import UpstreamFailed
from gateway.wire.outbox import Outbox
from gateway.wire.upstream import UpstreamConnection, UpstreamLimits
from gateway.wire.watch import Watch

__all__ = ["Pool"]


class Pool:
    """The idle connections to `host:port`, at most `max_idle` of them."""

    def __init__(
        self,
        *,
        name: str,
        host: str,
        port: int,
        watch: Watch,
        outbox: Outbox,
        limits: UpstreamLimits,
        max_idle: int,
        connect_timeout_seconds: float,
        keep_seconds: float,
    ) -> None:
        self.name = name
        self.active = 0
        self._host = host
        self._port = port
        self._watch = watch
        self._outbox = outbox
        self._limits = limits
        self._idle: deque[UpstreamConnection] = deque()
        self._max_idle = max_idle
        self._connect_timeout_seconds = connect_timeout_seconds
        self._keep_seconds = keep_seconds

    def __repr__(self) -> str:
        return f"<Pool {self.name} {self.active} active, {len(self._idle)} idle>"

    @property
    def idle(self) -> int:
        return len(self._idle)

    def take_idle(self) -> UpstreamConnection | None:
        """An idle connection that may be used, or None."""
        while self._idle:
            connection = self._idle.pop()
            connection.idle = False
            if connection.usable:
                connection.is_fresh = False
                self.active += 1
                return connection
            connection.abort()
        return None

    async def connect(self) -> UpstreamConnection:
        """A new connection. Raises UpstreamFailed."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_timeout_seconds):
                _, connection = await loop.create_connection(
                    lambda: UpstreamConnection(
                        loop, self._watch, self._outbox, self.name, self._limits
                    ),
                    self._host,
                    self._port,
                )
        except TimeoutError:
            raise UpstreamFailed(f"{self.name}: no connection within the time limit") from None
        except OSError as error:
            raise UpstreamFailed(f"{self.name}: {error.strerror or error}") from None
        self.active += 1
        return connection

    def put_back(self, connection: UpstreamConnection) -> None:
        """After a complete, clean exchange: the connection may serve another."""
        self.active -= 1
        if len(self._idle) >= self._max_idle:
            connection.abort()
            return
        connection.idle = True
        connection.within(self._keep_seconds)
        self._idle.append(connection)

    def discard(self, connection: UpstreamConnection) -> None:
        """After anything else: nobody may ever get this connection again."""
        self.active -= 1
        connection.abort()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().abort()
