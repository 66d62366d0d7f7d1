"""What 10,000 idle keep-alive connections cost: resident memory of the worker, per connection.

Each has sent one request with a JWT and got its answer, so it holds what a real one holds: its
header section and what was found out about it. The connections come from several addresses of
127.0.0.0/8, as one address has too few ports where the range is short.
"""

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.process_tree import worker_of
from benchmarks.processes import (
    GATEWAY_CORE,
    OTHER_CORE,
    allow_many_descriptors,
    free_port,
    pinned,
    rss_mib,
)
from benchmarks.site import Site

__all__ = ["AIM_KIB", "run"]

AIM_KIB = 15
_CONNECTIONS = 10_000
_PER_ADDRESS = 2_000
_AT_ONCE = 100
_WARM_UP = 200


def run() -> None:
    """Print resident memory before, with and after the connections, and the cost of one."""
    allow_many_descriptors(_CONNECTIONS + 500)
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        site = Site(Path(name))
        upstream, gateway, admin = (free_port() for _ in range(3))
        limits = {"max_connections": _CONNECTIONS + 100, "keep_alive_timeout_seconds": 300}
        log = Path(name) / "log"
        running.enter_context(
            pinned([sys.executable, "-m", "benchmarks.upstream", str(upstream)],
                   cores=OTHER_CORE, port=upstream, log=log)
        )  # fmt: skip
        pid = running.enter_context(
            pinned([sys.executable, "-m", "gateway.cli", "serve", "--config",
                    str(site.gateway(gateway, admin, upstream, limits=limits))],
                   cores=GATEWAY_CORE, port=gateway, log=log)
        )  # fmt: skip
        uvloop.run(_measure(worker_of(pid), gateway, site.token()))


async def _measure(pid: int, port: int, token: str) -> None:
    head = (
        "GET /profiles/0004Va58A92T0017 HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\n"
        f"User-Agent: agent-desktop/1.0\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()
    for client in await _connect(_WARM_UP, port, head):
        client.transport.abort()
    await asyncio.sleep(1)
    before = rss_mib(pid)
    clients = await _connect(_CONNECTIONS, port, head)
    await asyncio.sleep(2)
    during = rss_mib(pid)
    each_kib = (during - before) * 1024 / _CONNECTIONS
    for client in clients:
        client.transport.abort()
    await asyncio.sleep(2)
    after = rss_mib(pid)
    clients = await _connect(_CONNECTIONS, port, head)
    await asyncio.sleep(2)
    again = rss_mib(pid)
    print(
        f"idle: {len(clients):,} keep-alive connections after one request each\n"
        f"  one connection costs the worker {each_kib:.1f} KiB (aim: {AIM_KIB} or less); the\n"
        "  kernel's buffers are not in it\n"
        f"  worker before {before:.1f} MiB, with them {during:.1f} MiB, without {after:.1f} MiB, "
        f"with as many again {again:.1f} MiB"
    )


async def _connect(count: int, port: int, head: bytes) -> "list[_Client]":
    """So many connections, each with its reply."""
    clients: list[_Client] = []
    for begin in range(0, count, _AT_ONCE):
        some = [_Client(head) for _ in range(min(_AT_ONCE, count - begin))]
        loop = asyncio.get_running_loop()
        for client in some:
            source = f"127.0.0.{10 + len(clients) // _PER_ADDRESS}"
            await loop.create_connection(
                lambda client=client: client,  # type: ignore[misc]
                "127.0.0.1",
                port,
                local_addr=(source, 0),
            )
            clients.append(client)
        await asyncio.gather(*(client.answered for client in some))
    return clients


class _Client(asyncio.Protocol):
    def __init__(self, head: bytes) -> None:
        self.transport = cast("asyncio.Transport", None)
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._head = head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        if not data.startswith(b"HTTP/1.1 200 "):
            sys.exit(f"the gateway refused: {data!r}")
        self.answered.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        if not self.answered.done():
            sys.exit("the gateway closed a connection before its reply")
