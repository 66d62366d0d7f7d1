"""A client's connection: requests out of it, replies into it.

Heads are cut at their empty line and read one at a time, on demand, so pipelined requests are
answered in order and a flood of them waits in the bounded buffer. A header section that repeats
the last one byte for byte is not read again: the same bytes mean the same.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from gateway.errors import (
    BodyTooLarge,
    FramingRejected,
    HeaderRejected,
    HeadTooLarge,
    MethodRefused,
    RequestTimeout,
)
from gateway.exchange import PeerCertificate, RequestHead, Section
from gateway.http.framing import BodyKind, read_request_line
from gateway.http.head import HEAD_END, read_request_fields
from gateway.tasks import Tasks
from gateway.wire.connection import Connection
from gateway.wire.outbox import Outbox
from gateway.wire.watch import Watch

__all__ = ["METHODS", "ClientConnection", "ClientLimits"]

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

# A body on these has no meaning, and a server that reads it anyway sees another request (M-4).
_BODILESS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS"})

_NONE = BodyKind.NONE
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one client may take of us; see the settings for the precedents."""

    max_head_bytes: int
    max_headers: int
    header_timeout_seconds: float
    body_idle_timeout_seconds: float
    keep_alive_timeout_seconds: float
    drain_body_bytes: int
    linger_seconds: float = 2.0


class ClientConnection(Connection):
    """One client; its whole conversation is one coroutine, started when it connects."""

    __slots__ = (
        "_certificate",
        "_converse",
        "_limits",
        "_passable",
        "_scanned",
        "_scheme",
        "_section",
        "_section_bytes",
        "_task",
        "_tasks",
        "busy",
        "forwarding_lines",
        "peer",
        "reusable",
        "wants_continue",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        watch: Watch,
        outbox: Outbox,
        *,
        limits: ClientLimits,
        passable: frozenset[bytes],
        tasks: Tasks,
        converse: "Callable[[ClientConnection], Coroutine[Any, Any, None]]",
        scheme: bytes = b"http",
        certificate: PeerCertificate | None = None,
    ) -> None:
        super().__init__(loop, watch, outbox)
        self.peer = ""
        self.forwarding_lines = b""
        self.busy = False
        self.reusable = True
        self.wants_continue = False
        self._limits = limits
        self._high_water_bytes = max(self._high_water_bytes, limits.max_head_bytes)
        self._passable = passable
        self._tasks = tasks
        self._converse = converse
        self._scheme = scheme
        self._certificate = certificate
        self._task: asyncio.Task[None] | None = None
        self._section_bytes = b""
        self._section: Section | None = None
        self._scanned = 0

    def __repr__(self) -> str:
        return f"<ClientConnection {self.peer}{' busy' if self.busy else ''}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        address = self.transport.get_extra_info("peername")
        self.peer = str(address[0]) if address else "local"
        self.forwarding_lines = b"x-forwarded-for: %b\r\nx-forwarded-proto: %b\r\n" % (
            self.peer.encode("ascii", "replace"),
            self._scheme,
        )
        self._task = self._tasks.start(self._converse(self), name=self.peer)

    def eof_received(self) -> bool:
        # A client that stops sending while its answer is under way has left: a half-closed one
        # cannot be told from one that is gone, and nginx (499) and Go read it the same way.
        stays_open = super().eof_received()
        self._leave_if_answered(complete=self.body_taken)
        return stays_open

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._leave_if_answered(complete=True)

    def _leave_if_answered(self, *, complete: bool) -> None:
        """Whoever asked is gone and the answer of no use: the exchange ends, and says so."""
        if complete and self.busy and self._task is not None:
            self._task.cancel()

    # --- heads ------------------------------------------------------------------------------

    async def next_head(self) -> RequestHead | None:
        """The next request's head, or None when the client has no more.

        Raises RequestRejected, MethodRefused, HeadTooLarge or RequestTimeout; after any of these
        the connection has to be closed, since nobody knows where the next request begins.
        """
        limits = self._limits
        begun = False
        may_skip_line = True
        while True:
            buffer = self.buffer
            if buffer:
                if may_skip_line and buffer[:2] == b"\r\n":
                    may_skip_line = False  # RFC 9112 section 2.2: one empty line is ignored
                    buffer = buffer[2:]
                    self._scanned = 0
                    self.keep(buffer)
                if buffer[:2] == b"\r\n":
                    raise FramingRejected("the request line is malformed")
                end = buffer.find(HEAD_END) + len(HEAD_END)
                if end >= len(HEAD_END):
                    self.at_leisure()
                    return self._read_head(buffer, end)
                self._check_partial(buffer)
            if self.ended:
                return None
            if self.expired:
                if not buffer:
                    return None
                raise RequestTimeout("the head did not arrive within header_timeout_seconds")
            if not begun:
                self.within(
                    limits.header_timeout_seconds if buffer else limits.keep_alive_timeout_seconds
                )
                begun = bool(buffer)
            await self.wait()

    def _check_partial(self, buffer: bytes) -> None:
        """Refuse early what can no longer become a head; each byte is looked at once."""
        if len(buffer) > self._limits.max_head_bytes:
            raise HeadTooLarge("the head is longer than max_head_bytes")
        position = buffer.find(b"\n", self._scanned)
        while position >= 0:
            if buffer[position - 1 : position] != b"\r":
                raise FramingRejected("a line ends without CR")
            position = buffer.find(b"\n", position + 1)
        self._scanned = len(buffer)

    def _read_head(self, buffer: bytes, end: int) -> RequestHead:
        if end > self._limits.max_head_bytes:
            raise HeadTooLarge("the head is longer than max_head_bytes")
        head = buffer[:end]
        self._scanned = 0
        self.keep(buffer[end:])
        line_end = head.index(b"\r\n")
        method, target, is_1_1 = read_request_line(head[:line_end])
        if method not in METHODS:
            raise MethodRefused(f"method {method}")
        section = self._section
        section_bytes = head[line_end:]
        if section is None or section_bytes != self._section_bytes:
            headers = read_request_fields(
                head, max_headers=self._limits.max_headers, passable=self._passable
            )
            section = self._section = Section(headers, self._certificate)
            self._section_bytes = section_bytes
        request = RequestHead(method, target, is_1_1, section.headers, section)
        self._frame(request)
        return request

    def _frame(self, head: RequestHead) -> None:
        headers = head.headers
        if head.is_1_1:
            if not headers.has_host:
                raise HeaderRejected("HTTP/1.1 without `Host`")
            self.reusable = headers.keep_alive is not False
            self.wants_continue = headers.expects_continue
        else:
            if headers.chunked:
                raise FramingRejected("a chunked body on HTTP/1.0")
            self.reusable = headers.keep_alive is True
            self.wants_continue = False
        if not headers.has_body:
            self.begin_body(_NONE, None)
        elif head.method in _BODILESS:
            raise FramingRejected("a body on a method that has none")
        else:
            kind = BodyKind.CHUNKED if headers.chunked else BodyKind.LENGTH
            self.begin_body(kind, headers.content_length)

    # --- bodies -----------------------------------------------------------------------------

    async def body_piece(self, also: Connection | None = None) -> bytes | None:
        """The next piece of the body, b"" after the last one.

        With `also`, None as soon as anything happens there instead. Sends the `100 Continue` that
        the client waits for. Raises FramingRejected or RequestTimeout.
        """
        if self.wants_continue:
            self.wants_continue = False
            if not self.buffer and not self.body_taken:
                self.write(_CONTINUE)
        while True:
            piece = self.take_body()
            if piece is not None:
                self.at_leisure()
                return piece
            if self.ended:
                raise FramingRejected("the body ended early")
            if self.expired:
                raise RequestTimeout("the body did not go on within body_idle_timeout_seconds")
            if also is not None and (also.buffer or also.ended):
                return None
            self.within(self._limits.body_idle_timeout_seconds)
            await self.wait(also)

    async def whole_body(self, limit: int) -> bytes:
        """The body, once it is here to its last byte. Raises BodyTooLarge and as `body_piece`."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.body_piece():
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise BodyTooLarge("the body is larger than max_inspected_body_bytes")
        return b"".join(pieces)

    def can_skip_body(self) -> bool:
        """Whether the unread rest of the body is so little that the connection is worth keeping.

        A client that waits for `100 Continue` and gets a final answer may or may not send its
        body; there is no telling, so such a connection ends (threat F-8).
        """
        if self.body_taken:
            return True
        return (
            not self.wants_continue
            and self._body is BodyKind.LENGTH
            and self._remaining <= self._limits.drain_body_bytes
        )

    async def skip_body(self) -> None:
        """Read the rest of the body and forget it. Raises as `body_piece`."""
        while await self.body_piece():
            pass

    # --- the end ----------------------------------------------------------------------------

    def end_if_idle(self) -> None:
        """At shutdown: a client between two requests has had its last answer."""
        if not self.busy and not self.buffer:
            self.ended = True
            self.wake()

    async def close(self) -> None:
        """Close so that the client can still read what was written.

        Closing a socket with unread input makes the kernel reset the connection, and the client
        loses the reply that told it why. So: half-close, read on a little, then close.
        """
        self._outbox.flush()
        if not self.lost:
            await self._read_on()
        if not self.lost:
            await self._write_out()

    async def _read_on(self) -> None:
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.within(self._limits.linger_seconds)
        discarded = 0
        while not (self.ended or self.expired) and discarded <= self._limits.drain_body_bytes:
            discarded += len(self.buffer)
            self.keep(b"")
            await self.wait()

    async def _write_out(self) -> None:
        """What the client has yet to read gets more time than what it has yet to send."""
        self.transport.close()
        self.within(self._limits.body_idle_timeout_seconds)
        while self.transport.get_write_buffer_size() and not (self.lost or self.expired):
            await self.wait()
        if self.expired:
            self.abort()
