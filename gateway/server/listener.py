"""The public port: accepts clients, and at the end lets them finish."""

import asyncio
import contextlib
import socket
from collections.abc import Sequence
from typing import cast

from gateway.exchange import PeerCertificate
from gateway.pipeline import Pipeline
from gateway.server.doors import BACKLOG, where
from gateway.server.tls import PublicTls
from gateway.settings import Limits
from gateway.tasks import Tasks
from gateway.wire.client import ClientConnection, ClientLimits
from gateway.wire.outbox import Outbox
from gateway.wire.reading import Reading
from gateway.wire.watch import Watch

__all__ = ["Listener"]

# At shutdown a client between two requests may be about to send the next one; under load it
# surely is. It gets this share of the grace to do so and is told `connection: close` with the
# answer, which spares it a failed request.
_LAST_REQUEST_SHARE = 0.25
_LAST_REQUEST_SECONDS = 2.0


class Listener:
    """The listening sockets of one event loop and the conversations that came of them."""

    def __init__(
        self, sockets: Sequence[socket.socket], pipeline: Pipeline, *, limits: Limits,
        reading: Reading,
        watch: Watch,
        outbox: Outbox,
        tls: PublicTls | None = None,
    ) -> None:  # fmt: skip
        self._sockets = list(sockets)
        self._pipeline = pipeline
        self._reading = reading
        self._watch = watch
        self._outbox = outbox
        self._tls = tls
        self._max_connections = limits.max_connections
        self._client_limits = ClientLimits.of(limits)
        self._clients: set[ClientConnection] = set()
        self._tasks = Tasks("clients")
        self._servers: list[asyncio.Server] = []

    def __repr__(self) -> str:
        return f"<Listener {[where(each) for each in self._sockets]} {len(self._clients)} clients>"

    @property
    def connections(self) -> int:
        return len(self._clients)

    async def start(self) -> None:
        """Accept clients."""
        loop = asyncio.get_running_loop()
        for each in self._sockets:
            server = await loop.create_server(
                lambda: self._accept(loop), sock=each.dup(), backlog=BACKLOG
            )
            self._servers.append(server)

    def renew_tls(self) -> None:
        """Show new connections what the files of `listen.tls` hold now.

        SettingsInvalid, which has been logged, leaves everything as it was.
        """
        if self._tls is not None:
            self._tls.renew()

    def _accept(self, loop: asyncio.AbstractEventLoop) -> asyncio.Protocol:
        tls = self._tls
        shaking = 0 if tls is None else tls.handshakes
        if len(self._clients) + shaking >= self._max_connections:
            return _Refuser()
        if tls is None:
            return self._client(loop)
        return tls.accept(
            loop, self._watch, lambda shown: self._client(loop, b"https", certificate=shown)
        )

    def _client(
        self,
        loop: asyncio.AbstractEventLoop,
        scheme: bytes = b"http",
        *,
        certificate: PeerCertificate | None = None,
    ) -> ClientConnection:
        return ClientConnection(
            loop,
            self._watch,
            self._outbox,
            limits=self._client_limits,
            reading=self._reading,
            tasks=self._tasks,
            converse=self._converse,
            scheme=scheme,
            certificate=certificate,
        )

    async def _converse(self, client: ClientConnection) -> None:
        self._clients.add(client)
        try:
            await self._pipeline.converse(client)
        except asyncio.CancelledError:
            # The client left, or time was up at shutdown: either way the record is written.
            client.part()
        finally:
            self._clients.discard(client)

    async def stop_accepting(self) -> None:
        """From now on a new connection is refused, and each answer is its connection's last.

        Whoever has connected already, as far as it can tell, is still let in.
        """
        self._pipeline.draining = True
        loop = asyncio.get_running_loop()
        for server in self._servers:
            server.close()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                for _ in range(BACKLOG):
                    accepted, _ = each.accept()
                    await loop.connect_accepted_socket(lambda: self._accept(loop), accepted)
            each.close()
        self._servers, self._sockets = [], []

    async def close(self, grace_seconds: float) -> None:
        """Stop accepting, let requests in flight end, then end what is left."""
        await self.stop_accepting()
        patience = min(_LAST_REQUEST_SHARE * grace_seconds, _LAST_REQUEST_SECONDS)
        await self._tasks.settle(patience)
        if self._tls is not None:
            self._tls.close()
        self._pipeline.ending = True
        for client in list(self._clients):
            client.end_if_idle()
        await self._tasks.close(grace_seconds=grace_seconds - patience)


class _Refuser(asyncio.Protocol):
    """A connection beyond max_connections: closed at once, at no cost.

    Left in the kernel's queue it would look connected to a client that nobody serves; closed, a
    client or a balancer in front knows at once, and tries elsewhere.
    """

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()
