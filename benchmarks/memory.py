"""Memory of one worker: idle, and what a transfer of 1 GiB adds in either direction."""

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.process_tree import worker_of
from benchmarks.processes import GATEWAY_CORE, free_port, pinned, rss_mib
from benchmarks.site import Site

__all__ = ["run"]

_GIB = 1 << 30
_BLOCK = b"x" * 65536


def run() -> None:
    """Print resident memory before, at the peak of, and after each transfer."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(_measure(Path(name)))


async def _measure(folder: Path) -> None:
    site = Site(folder)
    server = await asyncio.start_server(_upstream, "127.0.0.1", 0)
    upstream = server.sockets[0].getsockname()[1]
    gateway, admin = free_port(), free_port()
    command = [sys.executable, "-m", "gateway.cli", "serve", "--config",
               str(site.gateway(gateway, admin, upstream))]  # fmt: skip
    with ExitStack() as running:
        log = folder / "log"
        pid = await asyncio.to_thread(
            running.enter_context, pinned(command, cores=GATEWAY_CORE, port=gateway, log=log)
        )
        pid = await asyncio.to_thread(worker_of, pid)
        idle = rss_mib(pid)
        head = f"Host: bench\r\nAuthorization: Bearer {site.token()}\r\n"
        await _transfer(gateway, f"GET /interactions/1/binary_content HTTP/1.1\r\n{head}\r\n", 0)
        warm = rss_mib(pid)
        print(f"memory: one worker idle {idle:.1f} MiB, after its first request {warm:.1f} MiB")
        for title, request, size in (
            ("download", f"GET /interactions/2/binary_content HTTP/1.1\r\n{head}\r\n", 0),
            ("upload", f"POST /profiles/import HTTP/1.1\r\n{head}Content-Length: {_GIB}\r\n\r\n",
             _GIB),
        ):  # fmt: skip
            transfer = asyncio.ensure_future(_transfer(gateway, request, size))  # noqa: TID251
            peak = 0.0
            while not transfer.done():
                peak = max(peak, rss_mib(pid))
                await asyncio.sleep(0.02)
            moved = await transfer
            print(
                f"  {title} of {moved / _GIB:.2f} GiB: peak {peak:.1f} MiB "
                f"(+{peak - warm:.1f} MiB over warm)"
            )
    server.close()


async def _upstream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = 0
            if head.startswith(b"POST"):
                left = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                while left:
                    left -= len(await reader.read(min(left, 1 << 18)))
            elif b"/2/" in head.split(b"\r\n")[0]:
                length = _GIB
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
            for _ in range(length // len(_BLOCK)):
                writer.write(_BLOCK)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
        writer.close()


async def _transfer(port: int, request: str, size: int) -> int:
    """Send the request and `size` bytes of body; the number of bytes moved either way."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request.encode())
    for _ in range(size // len(_BLOCK)):
        writer.write(_BLOCK)
        await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        sys.exit(f"the transfer was refused: {head!r} {await reader.read(2000)!r}")
    left = length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while left:
        left -= len(await reader.read(min(left, 1 << 18)))
    writer.close()
    return size + length
