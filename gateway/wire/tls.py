"""TLS between a client and its connection: bytes go through, and everything else stays as it is.

The event loop has a TLS transport of its own, which would do were it not for four things. It knows
no half-close, so a client that is still sending when it is refused would lose the answer. It hides
how much of a reply is still unsent. A handshake that fails closes the socket without the alert
that tells the client why. And nobody can count the connections that are still shaking hands. So
this is the plumbing around `ssl.SSLObject` and no more: what arrives is decrypted at once, what is
written is encrypted at once, and whatever waits waits in the TCP transport below, where the limits
for plain connections hold for TLS too.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any, cast

from gateway.logs import get as get_logger
from gateway.wire.watch import NEVER, Watch

__all__ = ["TlsChannel"]

_log = get_logger("gateway.wire.tls")

# As much as uvloop reads from a socket at once.
_READ_BYTES = 256 * 1024


class TlsChannel(asyncio.Transport, asyncio.Protocol):
    """One client's TLS: a protocol for the TCP transport below, a transport for what is above.

    `above` is asked for the protocol that the decrypted bytes are for, once the handshake is done;
    `shaken` is told when the handshake is over, however it went. One that is not done by the
    deadline is cut off.
    """

    __slots__ = (
        "_above", "_blocked", "_carrier", "_fault", "_incoming", "_loop", "_make_above", "_outgoing",
        "_paused", "_peer_ended", "_refused", "_seconds", "_shaken", "_tls", "_watch", "_written_eof",
        "deadline",
    )  # fmt: skip

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        watch: Watch,
        context: ssl.SSLContext,
        *,
        handshake_seconds: float,
        above: "Callable[[TlsChannel], asyncio.Protocol]",
        shaken: "Callable[[TlsChannel], None]",
    ) -> None:
        super().__init__()
        self._loop = loop
        self._watch = watch
        self._seconds = handshake_seconds
        self._make_above = above
        self._shaken = shaken
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._carrier = cast("asyncio.Transport", None)
        self._above: asyncio.Protocol | None = None
        self._fault: ssl.SSLError | None = None
        self._refused = False
        self._peer_ended = False
        self._written_eof = False
        self._blocked = False
        self._paused = False
        self.deadline = NEVER

    def __repr__(self) -> str:
        return f"<TlsChannel {self._above or 'shaking hands'}>"

    @property
    def peer_certificate(self) -> bytes | None:
        """The client's certificate in DER, verified; None if it sent none."""
        return self._tls.getpeercert(binary_form=True)

    # --- what the TCP transport tells us ----------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._carrier = cast("asyncio.Transport", transport)
        if self._refused:
            self._carrier.abort()
        self.deadline = self._loop.time() + self._seconds
        self._watch.add(self)

    def data_received(self, data: bytes) -> None:
        if self._refused or self._peer_ended:
            return  # nothing that may follow has a meaning
        self._incoming.write(data)
        if self._above is None:
            self._shake()
        if self._above is not None:
            self._read(self._above)

    def eof_received(self) -> bool:
        """The end of TCP; TLS should have said so before, and many clients leave that out.

        Nothing is ever delimited by it: a body says its length or comes in chunks.
        """
        above, told = self._above, self._peer_ended
        self._peer_ended = True
        return above is not None and (told or bool(above.eof_received()))

    def connection_lost(self, error: Exception | None) -> None:
        self._watch.remove(self)
        if self._above is None:
            self._shaken(self)
        else:
            self._above.connection_lost(error or self._fault)

    def pause_writing(self) -> None:
        """Some of what is read has an answer of TLS's own, such as a new key. Whoever asks for that
        without reading the answers would have them pile up here (threat R-3).
        """
        self._blocked = True
        self._carrier.pause_reading()
        if self._above is not None:
            self._above.pause_writing()

    def resume_writing(self) -> None:
        self._blocked = False
        if not self._paused:
            self._carrier.resume_reading()
        if self._above is not None:
            self._above.resume_writing()

    def expire(self) -> None:
        """The handshake took too long, or a refused client does not go away."""
        self._carrier.abort()

    # --- the handshake ----------------------------------------------------------------------

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            # A stranger can cause this at will, so it is no more than a whisper in the log.
            _log.debug("TLS handshake failed", reason=error.reason or str(error))
            self._refuse()
            return
        self._flush()
        self._watch.remove(self)
        self.deadline = NEVER
        self._shaken(self)
        self._above = self._make_above(self)
        self._above.connection_made(self)

    def _refuse(self) -> None:
        """Send the alert, and read on until the client has seen it or its time is up.

        Closing a socket with unread input resets the connection, and the alert would be lost.
        """
        self._refused = True
        self._flush()
        self._end_writing()

    # --- bytes ------------------------------------------------------------------------------

    def _read(self, above: asyncio.Protocol) -> None:
        """Hand up whatever is here."""
        tls, incoming = self._tls, self._incoming
        pieces = []
        try:
            while incoming.pending or tls.pending():
                piece = tls.read(_READ_BYTES)
                if not piece:
                    self._peer_ended = True
                    break
                pieces.append(piece)
        except ssl.SSLWantReadError:
            pass  # the rest of a record is still to come
        except ssl.SSLZeroReturnError:
            self._peer_ended = True
        except ssl.SSLError as error:
            self._fault = error
        if pieces:
            above.data_received(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        self._flush()  # an alert, or the answer to a new key
        if self._fault is not None:
            self._carrier.abort()
        elif self._peer_ended and not above.eof_received():
            self.close()

    def _flush(self) -> None:
        if self._outgoing.pending:
            data = self._outgoing.read()
            if not (self._written_eof or self._carrier.is_closing()):
                self._carrier.write(data)

    def _end_writing(self) -> None:
        if not self._written_eof and not self._carrier.is_closing():
            self._written_eof = True
            if self._carrier.can_write_eof():
                self._carrier.write_eof()

    def _say_goodbye(self) -> None:
        """`close_notify`, after which the client knows that nothing was cut off."""
        if not self._written_eof:
            with contextlib.suppress(ssl.SSLError):  # wants to read the client's, too
                self._tls.unwrap()
            self._flush()

    # --- what the connection above asks for -------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._tls if name == "ssl_object" else self._carrier.get_extra_info(name, default)

    def is_closing(self) -> bool:
        return self._carrier.is_closing()

    def is_reading(self) -> bool:
        return not self._paused

    def pause_reading(self) -> None:
        self._paused = True
        self._carrier.pause_reading()

    def resume_reading(self) -> None:
        self._paused = False
        if not self._blocked:
            self._carrier.resume_reading()

    def get_write_buffer_size(self) -> int:
        return self._carrier.get_write_buffer_size()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        try:
            self._tls.write(data)
        except ssl.SSLError as error:
            self._fault = error
            self._carrier.abort()
        else:
            self._flush()

    def can_write_eof(self) -> bool:
        return self._carrier.can_write_eof()

    def write_eof(self) -> None:
        """End our side, and go on reading (RFC 8446 section 6.1)."""
        self._say_goodbye()
        self._end_writing()

    def close(self) -> None:
        self._say_goodbye()
        self._carrier.close()

    def abort(self) -> None:
        self._refused = True  # should it be accepted and not here yet
        if self._carrier is not None:
            self._carrier.abort()
