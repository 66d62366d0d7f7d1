"""A message's head, from raw bytes to values, by llhttp.

The head is everything up to and including the empty line; whoever reads the socket cuts it off
first. Each head gets a fresh parser, so no state of one message can leak into the next.
"""

import re

import httptools
import msgspec

from gateway.errors import FramingRejected, HeadTooLarge, UpstreamFailed
from gateway.http.framing import BodyKind, StatusLine, read_status_line, reply_body
from gateway.http.headers import Headers, read_headers

__all__ = ["HEAD_END", "ReplyHead", "read_reply_head", "read_request_fields"]

HEAD_END = b"\r\n\r\n"

_LENGTH = re.compile(rb"0|[1-9][0-9]{0,17}")


class _Collector:
    """The callbacks of llhttp that matter for a head."""

    __slots__ = ("complete", "fields", "limit")

    def __init__(self, limit: int) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.limit = limit
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))
        if len(self.fields) > self.limit:
            raise HeadTooLarge("more header fields than max_headers")

    def on_headers_complete(self) -> None:
        self.complete = True


# The request line was read before; what llhttp makes of a section must not depend on it.
_SOME_REQUEST = b"GET / HTTP/1.1"


def read_request_fields(section: bytes, *, max_headers: int, passable: frozenset[bytes]) -> Headers:
    """A request's header section, from the CRLF before its first field to the empty line.

    Raises RequestRejected or HeadTooLarge.
    """
    collector = _Collector(max_headers)
    parser = httptools.HttpRequestParser(collector)
    try:
        parser.feed_data(_SOME_REQUEST + section)
    except httptools.HttpParserCallbackError as error:
        if isinstance(error.__context__, HeadTooLarge):
            raise error.__context__ from None
        raise
    except httptools.HttpParserUpgrade:
        pass  # what is offered is looked at with the other fields, and bodies are framed by us
    except httptools.HttpParserError as error:
        raise FramingRejected(f"llhttp: {error}") from None
    if not collector.complete:
        raise FramingRejected("the head did not end where its empty line stands")
    return read_headers(collector.fields, passable)


class ReplyHead(msgspec.Struct, frozen=True, kw_only=True):
    """The head of an upstream's reply: what frames it, and what of it passes to the client.

    `length` is None when the upstream gave none; `kind` is how the body ends unless the request
    was HEAD. `start` is the status line and the end-to-end fields, each with its CRLF, without
    anything that frames the message or speaks for the gateway.
    """

    status: int
    length: int | None
    kind: BodyKind
    keep_alive: bool
    start: bytes


_SWITCHING_PROTOCOLS = 101

# Hop-by-hop (RFC 9110 section 7.6.1), framing, what only the gateway may say, and `Alt-Svc` (RFC
# 7838), by which an upstream would show clients a way around the gateway.
_NOT_PASSED_BACK = frozenset({
    b"alt-svc", b"connection", b"content-length", b"keep-alive", b"proxy-authenticate", b"proxy-connection",
    b"te", b"trailer", b"transfer-encoding", b"upgrade", b"x-gateway-refusal", b"x-request-id",
})  # fmt: skip


def read_reply_head(head: bytes, *, max_headers: int) -> ReplyHead:
    """The head of a reply, read strictly (threat F-10). Raises UpstreamFailed."""
    collector = _Collector(max_headers)
    try:
        line = read_status_line(head.partition(b"\r\n")[0])
        if line.status == _SWITCHING_PROTOCOLS:
            raise UpstreamFailed("the upstream switched protocols unasked")
        httptools.HttpResponseParser(collector).feed_data(head)
    except FramingRejected as error:
        raise UpstreamFailed(f"the reply's head is malformed: {error.detail}") from None
    except httptools.HttpParserError as error:
        raise UpstreamFailed(f"the reply's head is malformed: {error}") from None
    # A line that is not one field, or ends in any other way, would be something else to another.
    if not collector.complete or head.count(b"\n") != len(collector.fields) + 2:
        raise UpstreamFailed("the reply's head did not end where its empty line stands")
    return _reply(line, collector.fields)


def _reply(line: StatusLine, fields: list[tuple[bytes, bytes]]) -> ReplyHead:
    lengths: list[bytes] = []
    encodings: list[bytes] = []
    nominated: set[bytes] = set()
    passing: list[tuple[bytes, bytes]] = []
    for raw_name, value in fields:
        name = raw_name.lower()
        if name == b"content-length":
            lengths.append(value.strip())
        elif name == b"transfer-encoding":
            encodings.append(value.strip().lower())
        elif name == b"connection":
            nominated.update(token.strip().lower() for token in value.split(b","))
        elif name not in _NOT_PASSED_BACK:
            passing.append((raw_name, value))
    length = _reply_length(lengths)
    if encodings and (encodings != [b"chunked"] or lengths or not line.is_1_1):
        raise UpstreamFailed("the reply's framing is ambiguous")
    # RFC 9112 section 6.1, RFC 9110 section 8.6: neither has a body, and neither may announce one.
    # What follows an interim reply would be read as the next; what follows a 204 is never read.
    is_lie = bool(encodings or length) and (line.status < 200 or line.status == 204)
    if is_lie and line.status < 200:
        raise UpstreamFailed("an interim reply announces a body")
    start = [b"HTTP/1.1 %d %b\r\n" % (line.status, line.reason)]
    start += (b"%b: %b\r\n" % field for field in passing if field[0].lower() not in nominated)
    return ReplyHead(
        status=line.status,
        length=length,
        kind=reply_body(line.status, chunked=bool(encodings), length=length),
        keep_alive=line.is_1_1 and b"close" not in nominated and not is_lie,
        start=b"".join(start),
    )


def _reply_length(lengths: list[bytes]) -> int | None:
    if not lengths:
        return None
    if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
        raise UpstreamFailed("the reply's length is malformed or repeated")
    return int(lengths[0])
