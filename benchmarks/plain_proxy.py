"""The yardstick: a plain reverse proxy of aiohttp's server and client, without authorization.

As one writes it: an application with a catch-all route, one client session with keep-alive, end-
to-end headers passed on, bodies streamed in both directions (a proxy that buffers them whole
cannot carry a large one), uvloop, no access log. It decides nothing and records nothing.
Usage: python -m benchmarks.plain_proxy PORT UPSTREAM_URL
"""

import asyncio
import sys
from collections.abc import Mapping

import uvloop
from aiohttp import ClientSession, TCPConnector, web
from yarl import URL

HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "host",
}  # fmt: skip


def end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in HOP_BY_HOP}


async def main(port: int, upstream: str) -> None:
    async with ClientSession(connector=TCPConnector(limit=0), auto_decompress=False) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            async with session.request(
                request.method,
                URL(upstream + request.raw_path, encoded=True),
                headers=end_to_end(request.headers),
                data=request.content if request.can_read_body else None,
                allow_redirects=False,
            ) as reply:
                response = web.StreamResponse(
                    status=reply.status, headers=end_to_end(reply.headers)
                )
                response.content_length = reply.content_length
                await response.prepare(request)
                async for piece in reply.content.iter_any():
                    await response.write(piece)
                await response.write_eof()
                return response

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
