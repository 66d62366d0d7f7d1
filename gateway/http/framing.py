"""Where a message ends: request lines, chunks, and the body of a reply.

llhttp reads header sections; what it is lenient about is refused here, on the raw bytes
(ARCHITECTURE.md lists what was measured). Chunked bodies are read by a decoder that accepts the
core of RFC 9112 section 7.1 only: no extensions, no bare LF, no padding, and trailers are
dropped, whatever they are called. A property test holds that llhttp accepts, with the same data,
whatever is accepted here, trailers named like framing fields aside.
"""

import re
from enum import Enum
from typing import NamedTuple

import msgspec

from gateway.errors import FramingRejected

__all__ = ["LAST_CHUNK", "BodyKind", "ChunkDecoder", "RequestLine", "StatusLine", "chunk",
           "read_request_line", "read_status_line", "reply_body"]  # fmt: skip


class RequestLine(NamedTuple):
    """RFC 9112 section 3: method, raw target, and whether the version is HTTP/1.1 (or 1.0)."""

    method: str
    target: bytes
    is_1_1: bool


_REQUEST_LINE = re.compile(rb"([A-Z]{1,24}) ([\x21-\x7e]+) HTTP/1\.([01])")


def read_request_line(line: bytes) -> RequestLine:
    """The request line without its CRLF: single spaces, HTTP/1.0 or 1.1, nothing else.

    Refuses HTTP/0.9 and 2.0, lower-case methods and doubled spaces (threats D0-13, M-3, F-7, F-9).
    """
    match = _REQUEST_LINE.fullmatch(line)
    if match is None:
        raise FramingRejected("the request line is malformed")
    method, target, minor = match.groups()
    return RequestLine(method.decode("ascii"), target, minor == b"1")


class StatusLine(msgspec.Struct, frozen=True):
    """RFC 9112 section 4: status, reason phrase, and whether the version is HTTP/1.1 (or 1.0)."""

    status: int
    reason: bytes
    is_1_1: bool


# The reason may hold obs-text by the grammar; we pass on what any client can print.
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")


def read_status_line(line: bytes) -> StatusLine:
    """A reply's status line without its CRLF. Raises FramingRejected."""
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        raise FramingRejected("the status line is malformed")
    minor, status, reason = match.groups()
    return StatusLine(int(status), reason or b"", minor == b"1")


class BodyKind(Enum):
    """How the end of a body is known."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


def reply_body(status: int, *, chunked: bool, length: int | None) -> BodyKind:
    """RFC 9112 section 6.3: which replies have a body and what delimits it, HEAD aside."""
    if status in {204, 304} or status < 200:
        return BodyKind.NONE
    if chunked:
        return BodyKind.CHUNKED
    if length is None:
        return BodyKind.CLOSE
    return BodyKind.LENGTH if length else BodyKind.NONE


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; `data` is not empty, since an empty one would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n")
_MAX_SIZE_LINE = 10


class ChunkDecoder:
    """Reads a chunked body piece by piece: `decode` takes bytes and gives data and what is left.

    `done` turns true at the end of the trailer section; what is left then belongs to the next
    message. Raises FramingRejected at the first byte that is out of place.
    """

    __slots__ = ("_max_trailer_bytes", "_need", "_seen_trailer_bytes", "_state", "done")

    def __init__(self, *, max_trailer_bytes: int = 8192) -> None:
        self.done = False
        self._state = _State.SIZE
        self._need = 0
        self._max_trailer_bytes = max_trailer_bytes
        self._seen_trailer_bytes = 0

    def decode(self, buffer: bytes) -> tuple[bytes, bytes]:
        """The data at the front of `buffer`, and the bytes that have to wait for more."""
        pieces: list[bytes] = []
        position = 0
        while not self.done:
            if self._state is _State.SIZE:
                position = _take_whole_chunks(buffer, position, pieces)
            before = position
            position = _STEPS[self._state](self, buffer, position, pieces)
            if position == before:
                break
        return b"".join(pieces), buffer[position:]

    def _size(self, buffer: bytes, position: int, _: list[bytes]) -> int:
        end = buffer.find(b"\n", position, position + _MAX_SIZE_LINE) + 1
        if not end:
            if len(buffer) - position >= _MAX_SIZE_LINE or not _may_be_size(buffer[position:]):
                raise FramingRejected("a chunk size is malformed or has an extension")
            return position
        if not _SIZE_LINE.fullmatch(buffer, position, end):
            raise FramingRejected("a chunk size is malformed or has an extension")
        self._need = int(buffer[position : end - 2], 16)
        self._state = _State.DATA if self._need else _State.TRAILER
        return end

    def _data(self, buffer: bytes, position: int, pieces: list[bytes]) -> int:
        piece = buffer[position : position + self._need]
        if piece:
            pieces.append(piece)
            self._need -= len(piece)
        if not self._need:
            self._state = _State.DATA_END
        return position + len(piece)

    def _data_end(self, buffer: bytes, position: int, _: list[bytes]) -> int:
        end = buffer[position : position + 2]
        if not b"\r\n".startswith(end):
            raise FramingRejected("a chunk is longer than its size")
        if len(end) < len(b"\r\n"):
            return position
        self._state = _State.SIZE
        return position + 2

    def _trailer(self, buffer: bytes, position: int, _: list[bytes]) -> int:
        end = buffer.find(b"\n", position) + 1
        line = buffer[position : end or len(buffer)]
        if self._seen_trailer_bytes + len(line) > self._max_trailer_bytes:
            raise FramingRejected("the trailer section is too long")
        if not end:
            return position
        self._seen_trailer_bytes += len(line)
        if not _TRAILER_LINE.fullmatch(line):
            raise FramingRejected("a trailer is malformed")
        self.done = line == b"\r\n"
        return end


def _take_whole_chunks(buffer: bytes, position: int, pieces: list[bytes]) -> int:
    """As many chunks as are here to their last byte; whatever else comes is for the states.

    Tiny chunks are the dearest bytes a client can send (threat R-4): this is a third of the
    price of going through the states for each.
    """
    line, end = _SIZE_LINE.match, len(buffer)
    while (match := line(buffer, position)) is not None:
        start = match.end()
        stop = start + int(match[1], 16)
        if stop == start or stop + 2 > end or buffer[stop : stop + 2] != b"\r\n":
            break
        pieces.append(buffer[start:stop])
        position = stop + 2
    return position


class _State(Enum):
    SIZE = "size"
    DATA = "data"
    DATA_END = "data-end"
    TRAILER = "trailer"


_TRAILER_LINE = re.compile(rb"(?:[A-Za-z0-9!#$%&'*+.^_`|~-]+:[\x20-\x7e\x80-\xff\t]*)?\r\n")
_SIZE_START = re.compile(rb"[0-9A-Fa-f]{0,8}\r?")


def _may_be_size(start: bytes) -> bool:
    return _SIZE_START.fullmatch(start) is not None


_STEPS = {
    _State.SIZE: ChunkDecoder._size,  # noqa: SLF001 - the table of its own states
    _State.DATA: ChunkDecoder._data,  # noqa: SLF001
    _State.DATA_END: ChunkDecoder._data_end,  # noqa: SLF001
    _State.TRAILER: ChunkDecoder._trailer,  # noqa: SLF001
}
