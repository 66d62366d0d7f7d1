"""A client's connection: requests out of it, replies into it.

Heads are cut at their empty line and read one at a time, on demand, so pipelined requests are
answered in order and a flood of them waits in the bounded buffer. A header section that repeats
the last one byte for byte is not read again: the same bytes mean the same.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from gateway.errors import (
    BodyTooLarge,
    FramingRejected,
    GatewayError,
    HeaderRejected,
    HeadTooLarge,
    Misdirected,
    RequestTimeout,
)
from gateway.exchange import PeerCertificate, RequestHead, Section
from gateway.http.absolute import origin_form
from gateway.http.framing import BodyKind, read_request_line
from gateway.http.head import HEAD_END
from gateway.tasks import Tasks
from gateway.wire.connection import Connection
from gateway.wire.outbox import Outbox
from gateway.wire.reading import Reading
from gateway.wire.session import ClientLimits, Session
from gateway.wire.watch import Watch

__all__ = ["METHODS", "ClientConnection", "ClientLimits"]

METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

# A body on these has no meaning, and a server that reads it anyway sees another request (M-4).
_BODILESS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS"})

# A longer section is read anew each time: what ten thousand idle connections remember adds up.
_MEMO_BYTES = 4096

_NONE = BodyKind.NONE
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class ClientConnection(Session):
    """One client, and what it asks for."""

    __slots__ = (
        "_certificate",
        "_left",
        "_reading",
        "_scanned",
        "_scheme",
        "_section",
        "_section_bytes",
        "_skipped",
        "forwarding_lines",
        "refused_method",
        "wants_continue",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        watch: Watch,
        outbox: Outbox,
        *,
        limits: ClientLimits,
        reading: Reading,
        tasks: Tasks,
        converse: "Callable[[ClientConnection], Coroutine[Any, Any, None]]",
        scheme: bytes = b"http",
        certificate: PeerCertificate | None = None,
    ) -> None:
        super().__init__(loop, watch, outbox, limits=limits, tasks=tasks, converse=converse)
        self.forwarding_lines = b""
        self.refused_method = ""
        self.wants_continue = False
        self._scheme = scheme
        self._certificate = certificate
        self._left = limits.max_requests_per_connection
        self._reading = reading
        self._section_bytes = b""
        self._section: Section | None = None
        self._scanned = 0
        self._skipped = False

    def __repr__(self) -> str:
        return f"<ClientConnection {self.peer.origin.peer}{' busy' if self.busy else ''}>"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._begin(transport, self._reading.proxies, self._scheme)
        self.forwarding_lines = self.peer.origin.lines

    # --- heads ------------------------------------------------------------------------------

    async def next_head(self) -> RequestHead | None:
        """The next request's head, or None when the client has no more, or reads no more.

        Raises RequestRejected, Misdirected, HeadTooLarge or RequestTimeout; after any of these
        the connection has to be closed, since nobody knows where the next request begins. What
        it asked for is in `refused_method` then, as far as that could be read.
        """
        limits = self._limits
        is_new = self._left == limits.max_requests_per_connection
        begun = False
        buffer = b""
        try:
            while True:
                buffer = self.buffer
                end = self._find_head() if buffer else 0
                if end:
                    if self.lost:  # nobody is left who asks
                        return None
                    if self.blocked and not await self.until_read():
                        self.abort()
                        return None
                    self.at_leisure()
                    return self._read_head(self.buffer, end)
                if self.ended:
                    return None
                if self.expired:
                    if not self.buffer:
                        return None
                    raise RequestTimeout("the head did not arrive within header_timeout_seconds")
                if not begun:
                    # A new connection was made in order to ask: it is given no time to think.
                    begun = is_new or bool(self.buffer)
                    self.within(
                        limits.header_timeout_seconds
                        if begun
                        else limits.keep_alive_timeout_seconds
                    )
                await self.wait()
        except GatewayError:
            self.refused_method = _method_of(buffer)
            raise

    def _find_head(self) -> int:
        """Where the head at the front of the buffer ends, 0 as long as it is not whole."""
        buffer = self.buffer
        if buffer[:2] == b"\r\n" and not self._skipped:
            self._skipped = True  # RFC 9112 section 2.2: one empty line is ignored
            self._scanned = 0
            buffer = buffer[2:]
            self.keep(buffer)
        if buffer[:2] == b"\r\n":
            raise FramingRejected("the request line is malformed")
        end = buffer.find(HEAD_END) + len(HEAD_END)
        if end >= len(HEAD_END):
            return end
        self._check_partial(buffer)
        return 0

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
        self._skipped = False
        self.keep(buffer[end:])
        line_end = head.index(b"\r\n")
        method, target, is_1_1 = read_request_line(head[:line_end])
        section = self._section
        section_bytes = head[line_end:]
        if section is None or section_bytes != self._section_bytes:
            self._section = None
            section = self._reading.section(section_bytes, self.peer, self._certificate)
            self.forwarding_lines = section.origin.lines
            if len(section_bytes) <= _MEMO_BYTES:
                self._section = section
                self._section_bytes = section_bytes
        if target[:1] != b"/" and self._reading.hosts:  # without a list there is no name to trust
            target = origin_form(target, section.headers.host)
        request = RequestHead(method, target, is_1_1, section.headers, section)
        self._frame(request)
        return request

    def _frame(self, head: RequestHead) -> None:
        headers = head.headers
        if head.is_1_1:
            if headers.host is None:
                raise HeaderRejected("HTTP/1.1 without `Host`")
            self.reusable = headers.keep_alive is not False
            self.wants_continue = headers.expects_continue
        else:
            if headers.host is None and self._reading.hosts:
                raise Misdirected("HTTP/1.0 without `Host`, and there is listen.hosts")
            if headers.chunked:
                raise FramingRejected("a chunked body on HTTP/1.0")
            self.reusable = headers.keep_alive is True
            self.wants_continue = False
        self._left -= 1
        if not self._left or head.method not in METHODS:  # who knows what follows a CONNECT
            self.reusable = False
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
        # One growing buffer: a body of many tiny pieces must not cost many objects (threat R-4).
        body = bytearray()
        while piece := await self.body_piece():
            if len(body) + len(piece) > limit:
                raise BodyTooLarge("the body is larger than max_inspected_body_bytes")
            body += piece
        return bytes(body)

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
        """Read the rest of the body and forget it; where it does not come, nothing else will."""
        try:
            while await self.body_piece():
                pass
        except (FramingRejected, RequestTimeout):
            self.reusable = False


def _method_of(buffer: bytes) -> str:
    """The method of the request at the front, or nothing where its first line cannot be read."""
    line, end, _ = buffer.removeprefix(b"\r\n").partition(b"\r\n")
    try:
        return read_request_line(line).method if end else ""
    except FramingRejected:
        return ""
