"""An upstream that answers every request with what it was asked: last segment and body.

A reply that belongs to another request is then plain to see. It can die and come back at the same
port, as a node does, and it counts how often each body arrived, known by its beginning: a write
that came twice shows.
"""

import asyncio
from collections import Counter
from typing import Self, cast

_END = b"\r\n\r\n"
_BEGINNING_BYTES = 64


def answer_to(last_segment: bytes, body: bytes = b"") -> bytes:
    """The body of the reply to a request for `…/last_segment` with `body`."""
    return last_segment + b" " + body


class EchoUpstream:
    """One node: `async with EchoUpstream() as upstream: ...`."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self.requests = 0
        self.bodies: Counter[bytes] = Counter()
        self.open: set[_Conversation] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.die()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def listens(self) -> bool:
        return self._server is not None

    async def start(self) -> None:
        """Listen: the first time at a free port, after a death at the same one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Conversation(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def die(self) -> None:
        """As a killed process: nobody listens, and every connection is gone at once."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for conversation in list(self.open):
            conversation.transport.abort()


class _Conversation(asyncio.Protocol):
    def __init__(self, upstream: EchoUpstream) -> None:
        self.transport = cast("asyncio.Transport", None)
        self._upstream = upstream
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._upstream.open.add(self)

    def connection_lost(self, _: Exception | None) -> None:
        self._upstream.open.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(_END)) >= 0:
            head = bytes(self._buffer[:end])
            after = _body(head.lower(), self._buffer, end + len(_END))
            if after is None:
                return
            body, position = after
            del self._buffer[:position]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        self._upstream.requests += 1
        if body:
            self._upstream.bodies[body[:_BEGINNING_BYTES]] += 1
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        text = answer_to(path.rpartition(b"/")[2], body)
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(text), text))


def _body(lower_head: bytes, buffer: bytearray, begin: int) -> tuple[bytes, int] | None:
    """The body that begins there and where it ends; None when it is not whole yet."""
    if b"\r\ntransfer-encoding: chunked" in lower_head:
        return _chunked(buffer, begin)
    _, found, rest = lower_head.partition(b"\r\ncontent-length: ")
    end = begin + (int(rest.partition(b"\r\n")[0]) if found else 0)
    return (bytes(buffer[begin:end]), end) if len(buffer) >= end else None


def _chunked(buffer: bytearray, position: int) -> tuple[bytes, int] | None:
    body = b""
    while (line_end := buffer.find(b"\r\n", position)) >= 0:
        size = int(bytes(buffer[position:line_end]), 16)
        begin = line_end + 2
        position = begin + size + 2
        if len(buffer) < position:
            return None
        if size == 0:
            return body, position
        body += buffer[begin : begin + size]
    return None
