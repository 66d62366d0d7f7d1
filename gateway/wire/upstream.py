"""An upstream's connection: requests into it, replies out of it.

A connection is used for one exchange at a time and goes back to its pool only after a complete,
clean one. While it is idle nothing good can happen to it, so anything that happens ends it.
"""

import asyncio

import msgspec

from gateway.errors import FramingRejected, UpstreamFailed, UpstreamTimeout
from gateway.http.framing import BodyKind
from gateway.http.head import HEAD_END, ReplyHead, read_reply_head
from gateway.wire.connection import Connection
from gateway.wire.outbox import Outbox
from gateway.wire.watch import Watch

__all__ = ["UpstreamConnection", "UpstreamLimits"]

# RFC 9110 section 15.2 allows any number of interim replies; a server that sends more than a few
# before its answer is not one to wait for (threat F-10).
_MAX_INTERIM_REPLIES = 8

_NONE = BodyKind.NONE


class UpstreamLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How long and how much a reply may be."""

    first_byte_timeout_seconds: float
    idle_timeout_seconds: float
    max_head_bytes: int = 65536
    max_headers: int = 200


class UpstreamConnection(Connection):
    """One connection to one node."""

    __slots__ = (
        "_head",
        "_head_bytes",
        "_interim_replies",
        "_is_tls",
        "_limits",
        "_unheard_at",
        "idle",
        "is_fresh",
        "name",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        watch: Watch,
        outbox: Outbox,
        name: str,
        limits: UpstreamLimits,
        *,
        is_tls: bool = False,
    ) -> None:
        super().__init__(loop, watch, outbox)
        self.name = name
        self.idle = False
        self.is_fresh = True
        self._is_tls = is_tls
        self._limits = limits
        self._unheard_at = 0
        self._interim_replies = 0
        self._head_bytes = b""
        self._head: ReplyHead | None = None

    def __repr__(self) -> str:
        state = "lost" if self.lost else "idle" if self.idle else "busy"
        return f"<UpstreamConnection {self.name} {state}>"

    def eof_received(self) -> bool:
        # TLS ends both directions at once.
        return super().eof_received() and not self._is_tls

    def connection_lost(self, error: Exception | None) -> None:
        # Where TLS did not end by itself (uvloop then tells of no end of stream), somebody on the
        # way may have cut it off: RFC 8446 section 6.1.
        cut_off = self._is_tls and not self.ended
        super().connection_lost(error)
        self.torn = self.torn or cut_off

    def wake(self) -> None:
        if self.idle:
            self.abort()
        super().wake()

    @property
    def usable(self) -> bool:
        """Whether a request may be sent: nothing unasked has come, and the peer still listens."""
        return not (self.lost or self.ended or self.expired or self.buffer)

    @property
    def answered(self) -> bool:
        """Whether any byte of a reply, or the end of the connection, is here."""
        return bool(self.buffer) or self.ended

    def send_request(self, data: bytes) -> None:
        """Begin an exchange with the request's head, and its body where that is at hand."""
        self._unheard_at = self.bytes_in
        self._interim_replies = 0
        self.expect_reply()
        self.write(data)

    def expect_reply(self) -> None:
        """The request is on its way to its last byte: from now on the upstream's time runs."""
        self.within(self._limits.first_byte_timeout_seconds)

    @property
    def heard(self) -> bool:
        """Whether any byte came back in this exchange."""
        return self.bytes_in > self._unheard_at

    @property
    def body_kind(self) -> BodyKind:
        """What delimits the body of the reply at hand."""
        return self._body

    def take_reply(self, method: str) -> ReplyHead | None:
        """The head of the final reply to a request of `method`, None as long as it is not here.

        Interim replies are skipped. Afterwards `take_available` and `body_piece` give the body.
        Raises UpstreamFailed or UpstreamTimeout.
        """
        while (head := self._take_head()) is not None:
            if head.status >= 200:  # RFC 9110 section 15: the final ones
                self.at_leisure()
                self.begin_body(_NONE if method == "HEAD" else head.kind, head.length)
                return head
            self._interim_replies += 1
            if self._interim_replies > _MAX_INTERIM_REPLIES:
                raise UpstreamFailed("the upstream sent too many interim replies")
        return None

    def _take_head(self) -> ReplyHead | None:
        """The head at the front of the buffer; None when it is not whole yet."""
        buffer = self.buffer
        end = buffer.find(HEAD_END) + len(HEAD_END)
        if end >= len(HEAD_END):
            if end > self._limits.max_head_bytes:
                raise UpstreamFailed("the reply's head is too long")
            return self._read_head(buffer, end)
        if len(buffer) > self._limits.max_head_bytes:
            raise UpstreamFailed("the reply's head is too long")
        if self.ended:
            raise UpstreamFailed(self._why_unanswered())
        if self.expired:
            raise UpstreamTimeout("no reply within first_byte_timeout_seconds")
        return None

    def _why_unanswered(self) -> str:
        closed = "the upstream closed the connection before it answered"
        if self._is_tls and self.is_fresh and not self.heard:
            # In TLS 1.3 a client may send before it is told that its certificate is wanted.
            return f"{closed}: perhaps it wants another client certificate, or one at all"
        return closed

    def _read_head(self, buffer: bytes, end: int) -> ReplyHead:
        head_bytes = buffer[:end]
        self.keep(buffer[end:])
        if head_bytes == self._head_bytes and self._head is not None:
            return self._head
        head = read_reply_head(head_bytes, max_headers=self._limits.max_headers)
        self._head_bytes = head_bytes
        self._head = head
        return head

    def take_available(self) -> bytes | None:
        """The part of the body that is here already. Raises UpstreamFailed."""
        try:
            return self.take_body()
        except FramingRejected as error:
            raise UpstreamFailed(f"the reply's body is malformed: {error.detail}") from None

    async def body_piece(self) -> bytes:
        """The next piece of the reply's body, b"" after the last one.

        Raises UpstreamFailed or UpstreamTimeout.
        """
        while True:
            piece = self.take_available()
            if piece is not None:
                self.at_leisure()
                return piece
            if self.ended:
                raise UpstreamFailed("the reply's body ended early")
            if self.expired:
                raise UpstreamTimeout("the reply did not go on within idle_timeout_seconds")
            self.within(self._limits.idle_timeout_seconds)
            await self.wait()

    def is_clean_after(self, head: ReplyHead) -> bool:
        """Whether the exchange is over to its last byte and the connection may be used again.

        What of the request still waits to be sent was answered before it was read.
        """
        return (
            head.keep_alive
            and self.body_taken
            and self.usable
            and not self.transport.get_write_buffer_size()
        )
