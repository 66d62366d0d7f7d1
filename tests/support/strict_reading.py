"""A second reader of HTTP/1.1, written from RFC 9112 alone, and what laxer servers would make of it.

Nothing here comes from the gateway, so that the two can be held against each other: what the
gateway sent upstream is read again by this, strictly, and then once more in each of the ways in
which servlet containers are known to differ. If all of them see the operation that was decided
on, none of them can be made to carry out another.

A message that is not complete yet reads as None; one that can never be right raises NotStrict.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

__all__ = [
    "Message",
    "NotStrict",
    "Operation",
    "Reply",
    "folded_names",
    "lax_operations",
    "operation_of",
    "read_reply",
    "read_request",
]

Fields = tuple[tuple[bytes, bytes], ...]


class NotStrict(ValueError):
    """The bytes are no message of RFC 9112, or one that could be read in two ways."""


@dataclass(frozen=True)
class Message:
    """A request: its line, its fields as they stand, and the body without its framing."""

    method: str
    target: bytes
    is_1_1: bool
    fields: Fields
    body: bytes
    chunked: bool
    trailers: Fields

    def values(self, name: bytes) -> list[bytes]:
        return [value for field, value in self.fields if field.lower() == name]


@dataclass(frozen=True)
class Reply:
    status: int
    fields: Fields
    body: bytes
    complete: bool = True

    def header(self, name: bytes) -> bytes | None:
        return next((value for field, value in self.fields if field.lower() == name), None)


# RFC 9110 section 5.6.2, RFC 9112 sections 3 to 5.
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_REQUEST_LINE = re.compile(rb"(" + _TOKEN + rb") ([\x21-\x7e]+) HTTP/1\.([01])")
_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9]{2}) [\t\x20-\x7e\x80-\xff]*")
_FIELD = re.compile(rb"(" + _TOKEN + rb"):[ \t]*((?:[\x21-\x7e\x80-\xff][\t\x20-\x7e\x80-\xff]*)?)")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")


def read_request(data: bytes) -> tuple[Message, bytes] | None:
    """The request at the front of `data`, and what follows it."""
    parts = _head(data)
    if parts is None:
        return None
    lines, rest = parts
    line = _REQUEST_LINE.fullmatch(lines[0])
    if line is None:
        raise NotStrict("the request line")
    is_1_1 = line[3] == b"1"
    fields = _fields(lines[1:])
    names = [name.lower() for name, _ in fields]
    if names.count(b"host") > 1 or (is_1_1 and b"host" not in names):
        raise NotStrict("Host")  # RFC 9112 section 3.2
    chunked, length = _framing(fields)
    if chunked and not is_1_1:
        raise NotStrict("a transfer coding on HTTP/1.0")  # section 6.1
    framed = _body(rest, chunked=chunked, length=length or 0)
    if framed is None:
        return None
    body, trailers, rest = framed
    return Message(line[1].decode(), line[2], is_1_1, fields, body, chunked, trailers), rest


def read_reply(data: bytes, method: str, *, ended: bool) -> tuple[Reply, bytes] | None:
    """The reply to a `method` at the front of `data`; `ended` says that nothing more will come.

    A reply cut short by the end of the connection is not complete.
    """
    parts = _head(data)
    if parts is None:
        return None
    lines, rest = parts
    line = _STATUS_LINE.fullmatch(lines[0])
    if line is None:
        raise NotStrict("the status line")
    status = int(line[1])
    fields = _fields(lines[1:])
    chunked, length = _framing(fields)
    if status < 200 or status in {204, 304} or method == "HEAD":
        return Reply(status, fields, b""), rest
    if not chunked and length is None:
        return (Reply(status, fields, rest), b"") if ended else None
    framed = _body(rest, chunked=chunked, length=length or 0)
    if framed is not None:
        body, trailers, rest = framed
        if trailers:
            raise NotStrict("trailers that nobody announced")
        return Reply(status, fields, body), rest
    return (Reply(status, fields, rest, complete=False), b"") if ended else None


def _head(data: bytes) -> tuple[list[bytes], bytes] | None:
    head, end, rest = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if any(byte in line for line in lines for byte in (b"\r", b"\n", b"\0")):
        if not end and lines[-1].endswith(b"\r") and not re.search(rb"[\r\n\0]", lines[-1][:-1]):
            return None
        raise NotStrict("a bare CR, LF or NUL")
    return (lines, rest) if end else None


def _fields(lines: list[bytes]) -> Fields:
    found = []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise NotStrict("a field line")
        found.append((field[1], field[2].rstrip(b" \t")))
    return tuple(found)


def _framing(fields: Fields) -> tuple[bool, int | None]:
    """Section 6.3, without its leniencies: one way to find the end, said once."""
    codings = [value.lower() for name, value in fields if name.lower() == b"transfer-encoding"]
    lengths = [value for name, value in fields if name.lower() == b"content-length"]
    if len(codings) + len(lengths) > 1 or codings not in ([], [b"chunked"]):
        raise NotStrict("two ways to find the end")
    if lengths and not _LENGTH.fullmatch(lengths[0]):
        raise NotStrict("Content-Length")
    return bool(codings), int(lengths[0]) if lengths else None


def _body(data: bytes, *, chunked: bool, length: int) -> tuple[bytes, Fields, bytes] | None:
    if not chunked:
        return (data[:length], (), data[length:]) if len(data) >= length else None
    body = b""
    while True:
        size, end, data = data.partition(b"\r\n")
        if not end:
            return None
        if not _CHUNK_SIZE.fullmatch(size):
            raise NotStrict("a chunk size")
        count = int(size, 16)
        if not count:
            break
        if len(data) < count + 2:
            return None
        if data[count : count + 2] != b"\r\n":
            raise NotStrict("the end of a chunk")
        body += data[:count]
        data = data[count + 2 :]
    if data.startswith(b"\r\n"):
        return body, (), data[2:]
    parts = _head(data)
    return (body, _fields(parts[0]), parts[1]) if parts is not None else None


# --- what a target asks for --------------------------------------------------------------------


@dataclass(frozen=True)
class Operation:
    """What a server would look up: decoded segments, decoded parameters in their order."""

    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...]


# RFC 3986 section 3.3 and 3.4; the empty path does not exist in origin-form.
_ORIGIN_FORM = re.compile(
    rb"(/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)"
    rb"(?:\?((?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*))?"
)


def operation_of(target: bytes) -> Operation:
    """The plain reading: split at `/`, `&` and `=`, decode once. Raises NotStrict."""
    path, query = _split(target)
    return Operation(_decoded(path[1:].split(b"/")), _parameters(query.split(b"&")))


def lax_operations(target: bytes) -> Iterator[tuple[str, Operation]]:
    """(whose leniency, what it sees) of the servers that might stand behind."""
    path, query = _split(target)
    plain = _parameters(query.split(b"&"))
    segments = path[1:].split(b"/")
    once = unquote_to_bytes(path)

    yield (
        "path parameters cut off",
        Operation(_decoded([segment.partition(b";")[0] for segment in segments]), plain),
    )
    yield (
        "path parameters cut off after decoding",
        Operation(_text([segment.partition(b";")[0] for segment in once[1:].split(b"/")]), plain),
    )
    yield "decoded before it is split", Operation(_text(once[1:].split(b"/")), plain)
    yield "decoded twice", Operation(_text(unquote_to_bytes(once)[1:].split(b"/")), plain)
    yield (
        "backslash taken for a slash",
        Operation(_text(once.replace(b"\\", b"/")[1:].split(b"/")), plain),
    )
    yield "dot segments resolved", Operation(_text(_resolved(once[1:].split(b"/"))), plain)
    yield (
        "empty segments dropped",
        Operation(_text([segment for segment in once.split(b"/") if segment]), plain),
    )
    yield "cut at NUL", Operation(_text(once.partition(b"\0")[0][1:].split(b"/")), plain)
    yield (
        "fragment cut off",
        Operation(_decoded(target.partition(b"#")[0].partition(b"?")[0][1:].split(b"/")), plain),
    )
    yield (
        "query cut off at an encoded mark",
        Operation(_text(once.partition(b"?")[0][1:].split(b"/")), plain),
    )
    yield (
        "parameters split at semicolons too",
        Operation(_decoded(segments), _parameters(re.split(rb"[&;]", query))),
    )


def folded_names(message: Message) -> list[str]:
    """The field names as CGI and servlet filters fold them."""
    return [re.sub(r"[._]", "-", name.decode().lower()) for name, _ in message.fields]


def _split(target: bytes) -> tuple[bytes, bytes]:
    match = _ORIGIN_FORM.fullmatch(target)
    if match is None:
        raise NotStrict("the target")
    return match[1], match[2] or b""


def _parameters(pairs: list[bytes]) -> tuple[tuple[str, str], ...]:
    """`application/x-www-form-urlencoded` as servlets read it: `+` is a space."""
    found = (pair.replace(b"+", b" ").partition(b"=") for pair in pairs if pair)
    return tuple(
        (_characters(unquote_to_bytes(name)), _characters(unquote_to_bytes(value)))
        for name, _, value in found
    )


def _decoded(segments: list[bytes]) -> tuple[str, ...]:
    return _text([unquote_to_bytes(segment) for segment in segments])


def _text(segments: list[bytes]) -> tuple[str, ...]:
    """The root has no segments."""
    return () if segments == [b""] else tuple(_characters(segment) for segment in segments)


def _characters(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _resolved(segments: list[bytes]) -> list[bytes]:
    kept: list[bytes] = []
    for segment in segments:
        if segment == b"..":
            kept = kept[:-1]
        elif segment != b".":
            kept.append(segment)
    return kept
