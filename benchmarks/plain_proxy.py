"""The yardstick: a plain reverse proxy of aiohttp's server and client, without authorization.

As one would write it: one session, keep-alive on both sides, uvloop, streamed replies.
Usage: python -m benchmarks.plain_proxy PORT UPSTREAM_URL
"""

import asyncio
import sys

import uvloop
from aiohttp import ClientSession, TCPConnector, web

HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "host",
}  # fmt: skip


async def main(port: int, upstream: str) -> None:
    async with ClientSession(connector=TCPConnector(limit=0), auto_decompress=False) as session:

        async def handle(request: web.Request) -> web.StreamResponse:
            headers = {
                name: value
                for name, value in request.headers.items()
                if name.lower() not in HOP_BY_HOP
            }
            body = request.content if request.can_read_body else None
            async with session.request(
                request.method, upstream + request.raw_path, headers=headers, data=body
            ) as reply:
                passed = {
                    name: value
                    for name, value in reply.headers.items()
                    if name.lower() not in HOP_BY_HOP
                }
                return web.Response(status=reply.status, headers=passed, body=await reply.read())

        runner = web.ServerRunner(web.Server(handle, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), sys.argv[2]))
