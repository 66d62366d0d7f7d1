"""The public port: accepts clients, and at the end lets them finish."""

import asyncio
from typing import cast

from gateway.pipeline import Pipeline
from gateway.settings import Limits
from gateway.settings.values import Address
from gateway.tasks import Tasks
from gateway.wire.client import ClientConnection, ClientLimits
from gateway.wire.outbox import Outbox
from gateway.wire.watch import Watch

__all__ = ["Listener"]

_BACKLOG = 1024


class Listener:
    """One listening socket and the conversations that came of it."""

    def __init__(
        self, address: Address, pipeline: Pipeline, *, limits: Limits, passable: frozenset[bytes],
        watch: Watch,
        outbox: Outbox,
    ) -> None:  # fmt: skip
        self._address = address
        self._pipeline = pipeline
        self._passable = passable
        self._watch = watch
        self._outbox = outbox
        self._max_connections = limits.max_connections
        self._client_limits = ClientLimits(
            max_head_bytes=limits.max_head_bytes,
            max_headers=limits.max_headers,
            header_timeout_seconds=limits.header_timeout_seconds,
            body_idle_timeout_seconds=limits.body_idle_timeout_seconds,
            keep_alive_timeout_seconds=limits.keep_alive_timeout_seconds,
            drain_body_bytes=limits.drain_body_bytes,
        )
        self._clients: set[ClientConnection] = set()
        self._tasks = Tasks("clients")
        self._server: asyncio.Server | None = None

    def __repr__(self) -> str:
        return f"<Listener {self._address} {len(self._clients)} connections>"

    @property
    def connections(self) -> int:
        return len(self._clients)

    @property
    def address(self) -> Address:
        """Where it listens, with the port that the system chose if 0 was asked for."""
        assert self._server is not None  # noqa: S101 - asked after start
        host, port = self._server.sockets[0].getsockname()[:2]
        return Address(host, port)

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: self._accept(loop), self._address.host, self._address.port, backlog=_BACKLOG
        )

    def _accept(self, loop: asyncio.AbstractEventLoop) -> asyncio.Protocol:
        if len(self._clients) >= self._max_connections:
            return _Refuser()
        return ClientConnection(
            loop,
            self._watch,
            self._outbox,
            limits=self._client_limits,
            passable=self._passable,
            tasks=self._tasks,
            converse=self._converse,
        )

    async def _converse(self, client: ClientConnection) -> None:
        self._clients.add(client)
        try:
            await self._pipeline.converse(client)
        except asyncio.CancelledError:
            # The client left, or time was up at shutdown: either way the record is written.
            client.abort()
        finally:
            self._clients.discard(client)

    async def close(self, grace_seconds: float) -> None:
        """Stop accepting, let requests in flight end, then end what is left."""
        if self._server is not None:
            self._server.close()
        self._pipeline.draining = True
        for client in list(self._clients):
            client.end_if_idle()
        await self._tasks.close(grace_seconds=grace_seconds)


class _Refuser(asyncio.Protocol):
    """A connection beyond max_connections: closed at once, at no cost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()
