"""Running the stand-in on a socket: beside a test, a demo or a benchmark, or on its own.

The listening socket is opened here and not by the framework, so that a connection on which
nothing was ever asked is counted too. Bodies are left as they were sent: no decompression.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from gateway.standin.app import create_app
from gateway.standin.behaviour import Behaviour, Temper
from gateway.standin.config import StandinConfig
from gateway.standin.front import RECEIVED, TEMPER
from gateway.standin.received import Received

__all__ = ["Running", "listening", "running", "serve"]

# How long a reply under way may take when the server ends.
GRACE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A stand-in that listens."""

    host: str
    port: int
    received: Received = field(repr=False)
    temper: Temper = field(repr=False)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def behave(self, behaviour: Behaviour) -> None:
        self.temper.become(behaviour)


@asynccontextmanager
async def running(
    config: StandinConfig | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Running]:
    """Listens until left; with port 0, where the system finds room."""
    async with listening(create_app(config), host=host, port=port) as standin:
        yield standin


@asynccontextmanager
async def listening(
    app: web.Application, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[Running]:
    """The same for a stand-in that is put together already."""
    runner = web.AppRunner(
        app,
        access_log=None,
        auto_decompress=False,
        handler_cancellation=True,
        shutdown_timeout=GRACE_SECONDS,
    )
    await runner.setup()
    try:
        web_server = runner.server
        assert web_server is not None  # noqa: S101 - set up just above
        received = app[RECEIVED]

        def connection() -> asyncio.Protocol:
            received.connections += 1
            return web_server()

        listener = await asyncio.get_running_loop().create_server(connection, host, port)
        try:
            bound = listener.sockets[0].getsockname()
            yield Running(host=bound[0], port=bound[1], received=received, temper=app[TEMPER])
        finally:
            listener.close()
    finally:
        await runner.cleanup()


async def serve(
    app: web.Application,
    *,
    host: str,
    port: int,
    ready: Callable[[Running], None] = lambda _: None,
) -> None:
    """Until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with listening(app, host=host, port=port) as standin:
            ready(standin)
            await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
