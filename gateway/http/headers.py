"""Header fields of a request: which are read, which may pass, which are refused.

A field that framing, identity or policy reads may stand once; its value is visible ASCII. Names
are letters, digits and `-`: servers of the CGI and servlet kind fold `_` and `.` into `-`, so a
name with either could become another's alias behind us (threats D0-8, H-2).

Nothing passes to the upstream by default but the fields of `FORWARDED`: hop-by-hop, forwarding
and identity fields are made by the gateway itself or not at all (H-1, H-4, H-5, H-6). The
client's credentials never pass (H-11). An offer of HTTP/2 is ignored, since some clients make one
with every first request; an offer to switch to anything else is refused, because such a client may
go on in that protocol at once (H-17).
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NoReturn

import msgspec

from gateway.errors import FramingRejected, HeaderRejected
from gateway.http.host import Host, read_host

__all__ = ["FORWARDED", "Headers", "read_headers"]

# End-to-end request fields that every HTTP API may need and no authorization depends on.
FORWARDED = frozenset({
    b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"cache-control",
    b"content-encoding", b"content-language", b"content-type", b"date", b"if-match",
    b"if-modified-since", b"if-none-match", b"if-range", b"if-unmodified-since", b"pragma",
    b"prefer", b"range", b"traceparent", b"tracestate", b"user-agent",
})  # fmt: skip

# Fields whose repetition means a list (RFC 9110 section 5.3); any other forwarded field is single.
_LISTS = frozenset({
    b"accept", b"accept-charset", b"accept-encoding", b"accept-language", b"cache-control",
    b"if-match", b"if-none-match", b"prefer", b"tracestate",
})  # fmt: skip

_SINGLE = frozenset({
    b"authorization", b"content-length", b"expect", b"host", b"transfer-encoding", b"upgrade",
})  # fmt: skip

# What a proxy in front may say of its client. It is collected as it stands: who may say it, and
# whether it can be read, is for `gateway.http.forwarded`.
_SAID_BY_PROXIES = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})

# A server behind us might obey these and carry out another method than the one decided on (M-1).
_METHOD_OVERRIDES = frozenset({b"x-http-method", b"x-http-method-override", b"x-method-override"})

# What `Connection` may not nominate: a hop that honoured it would lose what we decided on (H-6).
_PROTECTED = (_SINGLE - {b"upgrade"}) | _SAID_BY_PROXIES | {b"content-type", b"content-encoding"}

_NAME_BYTES = b"0123456789-abcdefghijklmnopqrstuvwxyz"
_VISIBLE = re.compile(rb"[\x20-\x7e\t]*")
_LENGTH = re.compile(rb"0|[1-9][0-9]{0,17}")


class Headers(msgspec.Struct, frozen=True, kw_only=True):
    """What a request's header section says, read once.

    `content_length` is None when there is none. `passing` holds the fields that may go to some
    upstream, lower-case name to one value. `keep_alive` is what `Connection` asks for,
    None when it says nothing; `has_body` whether a framing field announces one (RFC 9112 section
    6). `said_for` and `said_scheme` are what a proxy in front may have said, unread.
    """

    authorization: bytes | None
    content_type: bytes | None
    content_encoding: bytes | None
    content_length: int | None
    chunked: bool
    expects_continue: bool
    keep_alive: bool | None
    host: Host | None
    has_body: bool
    said_for: bytes | None
    said_scheme: bytes | None
    passing: dict[bytes, bytes]

    def lines(self, names: frozenset[bytes]) -> bytes:
        """The fields among `names` that the client sent, in its order, as the upstream gets them."""
        return b"".join(
            [b"%b: %b\r\n" % field for field in self.passing.items() if field[0] in names]
        )


def read_headers(fields: Sequence[tuple[bytes, bytes]], passable: frozenset[bytes]) -> Headers:
    """The header section as one value; of the rest, only the `passable` names are kept.

    Raises HeaderRejected, and FramingRejected where the end of the message is in doubt.
    """
    single, passing, nominated, said = _sorted(fields, passable)
    if nominated:
        if nominated & _PROTECTED:
            _refuse("`Connection` nominates a header that the gateway reads")
        for name in nominated:
            passing.pop(name, None)
    if (offer := single.get(b"upgrade")) is not None and offer.lower() != b"h2c":
        raise FramingRejected("`Upgrade` offers another protocol")
    host = single.get(b"host")
    length, chunked = _length(single.get(b"content-length")), _chunked(single)
    return Headers(
        authorization=single.get(b"authorization"),
        content_type=passing.get(b"content-type"),
        content_encoding=passing.get(b"content-encoding"),
        content_length=length,
        chunked=chunked,
        expects_continue=_expects_continue(single.get(b"expect")),
        keep_alive=_persistence(nominated),
        host=None if host is None else read_host(host),
        has_body=chunked or bool(length),
        said_for=said.get(b"x-forwarded-for"),
        said_scheme=said.get(b"x-forwarded-proto"),
        passing=passing,
    )


def _sorted(
    fields: Sequence[tuple[bytes, bytes]], passable: frozenset[bytes]
) -> tuple[dict[bytes, bytes], dict[bytes, bytes], set[bytes], dict[bytes, bytes]]:
    """What we read ourselves, what may pass, what `Connection` nominates, what a proxy says."""
    single: dict[bytes, bytes] = {}
    passing: dict[bytes, bytes] = {}
    nominated: set[bytes] = set()
    said: dict[bytes, bytes] = {}
    uses = _uses(passable)
    # Nearly always all are visible, and to look at them together costs a fifth.
    are_visible = _VISIBLE.fullmatch(b"".join([value for _, value in fields])) is not None
    for raw_name, raw_value in fields:
        name = raw_name.lower()
        use = uses.get(name)
        if use is None:
            if name.translate(None, _NAME_BYTES) or not name:
                _refuse("a header name has a character besides letters, digits and `-`")
            continue
        if use == _SAID:
            said[name] = b"%b,%b" % (said[name], raw_value) if name in said else raw_value
            continue
        if use == _OVERRIDE:
            _refuse("a header overrides the method")
        value = raw_value.strip(b" \t") if are_visible else _visible(raw_value)
        if use == _PASS:
            passing[name] = _listed(name, passing[name], value) if name in passing else value
        elif use == _READ:
            if name in single:
                _refuse("a header that may stand once is repeated")
            single[name] = value
        else:
            nominated.update([token.strip().lower() for token in value.split(b",")])
    return single, passing, nominated, said


# What a field is for; plain numbers, since they are compared for each field of each request.
_PASS, _READ, _NOMINATE, _SAID, _OVERRIDE = range(5)


@lru_cache(maxsize=64)
def _uses(passable: frozenset[bytes]) -> dict[bytes, int]:
    """The use of every field that has one. What is read ourselves never passes."""
    return {
        **dict.fromkeys(_METHOD_OVERRIDES, _OVERRIDE),
        **dict.fromkeys(_SAID_BY_PROXIES, _SAID),
        b"connection": _NOMINATE,
        **dict.fromkeys(passable, _PASS),
        **dict.fromkeys(_SINGLE, _READ),
    }


def _listed(name: bytes, before: bytes, value: bytes) -> bytes:
    if name not in _LISTS:
        _refuse("a header that may stand once is repeated")
    return b"%b, %b" % (before, value)


def _visible(value: bytes) -> bytes:
    if not _VISIBLE.fullmatch(value):
        _refuse("a header value has a byte outside visible ASCII")
    return value.strip(b" \t")


def _length(value: bytes | None) -> int | None:
    if value is None:
        return None
    if not _LENGTH.fullmatch(value):
        raise FramingRejected("`Content-Length` is not a plain decimal number")
    return int(value)


def _chunked(single: dict[bytes, bytes]) -> bool:
    encoding = single.get(b"transfer-encoding")
    if encoding is None:
        return False
    if encoding.lower() != b"chunked":
        raise FramingRejected("`Transfer-Encoding` is not exactly `chunked`")
    if b"content-length" in single:
        # RFC 9112 section 6.1: ought to be handled as an error.
        raise FramingRejected("both `Transfer-Encoding` and `Content-Length`")
    return True


def _expects_continue(value: bytes | None) -> bool:
    if value is None:
        return False
    if value.lower() != b"100-continue":
        _refuse("`Expect` is not `100-continue`")
    return True


def _persistence(nominated: set[bytes]) -> bool | None:
    if b"close" in nominated:
        return False
    return True if b"keep-alive" in nominated else None


def _refuse(detail: str) -> NoReturn:
    raise HeaderRejected(detail)
