"""Connections to one node that wait for their next request.

The last one put back is the first one taken: it is the least likely to have been closed by the
server meanwhile, and the others may grow old and go.
"""

import asyncio
import os
import socket
import ssl
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
        tls: ssl.SSLContext | None = None,
        server_name: str | None = None,
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
        self._tls = tls
        self._server_name = server_name

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
        """A new connection, which counts until it is put back or discarded. Raises UpstreamFailed."""
        connection = await self.open()
        self.active += 1
        return connection

    async def open(self) -> UpstreamConnection:
        """A connection of the caller's own, who aborts it in the end. Raises UpstreamFailed."""
        loop = asyncio.get_running_loop()
        is_tls = self._tls is not None
        connection = UpstreamConnection(
            loop, self._watch, self._outbox, self.name, self._limits, is_tls=is_tls
        )
        is_made = False
        try:
            async with asyncio.timeout(self._connect_timeout_seconds):
                await loop.create_connection(
                    lambda: connection,
                    self._host,
                    self._port,
                    ssl=self._tls,
                    server_hostname=self._server_name if is_tls else None,
                )
            is_made = True
        except TimeoutError:
            raise UpstreamFailed("no connection within connect_timeout_seconds") from None
        except OSError as error:
            raise UpstreamFailed(_why(error)) from None
        finally:
            if not is_made:
                # Where we are cancelled in the turn in which it was made, uvloop closes it
                # without telling it so.
                self._watch.remove(connection)
        return connection

    def take_back(self, connection: UpstreamConnection | None, *, clean: bool) -> None:
        """After an exchange; only after a complete, clean one may the connection serve another.

        After anything else nobody may ever get it again. None is no connection at all.
        """
        if connection is None:
            return
        self.active -= 1
        if clean and len(self._idle) < self._max_idle:
            connection.idle = True
            connection.within(self._keep_seconds)
            self._idle.append(connection)
        else:
            connection.abort()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().abort()


def _why(error: OSError) -> str:
    """What went wrong, the same on every event loop."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return str(error.strerror or error).lower()
    return os.strerror(error.errno).lower()
