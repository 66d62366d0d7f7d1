"""What every request passes before a stand-in's rules: it is noted, read, and met as told.

Both stand-ins share this, so that both are the same witness, with the same manners. What is under
`/_standin/` belongs to neither server: it is not noted, asks for no credentials and always behaves.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from gateway.standin.behaviour import RUDE_REPLIES, Manner, Temper
from gateway.standin.moment import stamp
from gateway.standin.received import Received

__all__ = ["BODY", "RECEIVED", "TEMPER", "Answers", "Sleep", "front"]

RECEIVED = web.AppKey("received", Received)
TEMPER = web.AppKey("temper", Temper)
BODY = web.RequestKey("body", bytes)

Sleep = Callable[[float], Awaitable[None]]


class Answers(Protocol):
    """The server behind the front."""

    max_body_bytes: int

    async def answer(
        self, request: web.Request, handler: Handler, body: bytes | None
    ) -> web.StreamResponse:
        """`body` is None where it was larger than is kept."""

    def unavailable(self, request: web.Request) -> web.StreamResponse:
        """A 503 in this server's words."""


def front(
    server: Answers, now: Callable[[], datetime], sleep: Sleep
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """The middleware."""

    @web.middleware
    async def meet(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith("/_standin/"):
            return await handler(request)
        receipt = request.app[RECEIVED].note(
            at=stamp(now()),
            method=request.method,
            target=request.raw_path,
            version=f"{request.version.major}.{request.version.minor}",
            headers=tuple(
                (name.decode("latin-1"), value.decode("latin-1"))
                for name, value in request.raw_headers
            ),
        )
        body = await receipt.read_body(request.content.iter_any(), server.max_body_bytes)
        response = await misbehave(request, server, sleep)
        if response is None:
            response = await server.answer(request, handler, body)
        receipt.status = None if isinstance(response, Blurt) else response.status
        return response

    return meet


async def misbehave(
    request: web.Request, server: Answers, sleep: Sleep
) -> web.StreamResponse | None:
    temper = request.app[TEMPER]
    while True:
        behaviour = temper.meet(request.path)
        if behaviour.delay_seconds:
            await sleep(behaviour.delay_seconds)
        if behaviour.manner is not Manner.HANGING:
            break
        await temper.change()
    if behaviour.manner is Manner.WELL_BEHAVED:
        return None
    if behaviour.manner is Manner.UNAVAILABLE:
        return server.unavailable(request)
    return Blurt(RUDE_REPLIES[behaviour.manner])


class Blurt(web.Response):
    """Bytes put on the wire as they are, and the connection closed after them."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    async def prepare(self, request: web.BaseRequest) -> None:
        if request.transport is not None:
            request.transport.write(self._data)
            request.transport.close()
        # The framework takes this for a client that left, and says no more on this connection.
        raise ConnectionResetError("closed on purpose")
