"""A reply whose URLs are rewritten: which bodies it applies to, and what its head may still say.

A head is gone through once and remembered, since an upstream repeats its heads; the body passes
through a `BodyRewriter`. What the upstream said of the bytes of a body that may change is no longer
true of ours: its length and its digests go, and a strong validator becomes a weak one. By
RFC 9110 section 8.8.1 a strong one stands for the same bytes wherever it is met, and a part of the
body (206), which passes as it is, would carry the same one as the whole that was rewritten. Two
weak ones still compare equal for `If-None-Match`; for `If-Match` and `If-Range` they never do.
nginx's `sub_filter` does the same.

`no-transform` is a word to proxies (RFC 9111 section 5.2.2.6); to its clients a gateway is the
origin server (RFC 9110 section 3.7).
"""

from functools import lru_cache
from typing import NamedTuple

import msgspec

from gateway.http.framing import BodyKind
from gateway.http.head import ReplyHead
from gateway.http.rewrite import BodyRewriter, RewriteRules

__all__ = ["Begun", "begun"]


class Begun(NamedTuple):
    """The beginning of a reply to the client; `rewriter` is for the rest of its body, if any."""

    head: ReplyHead
    kind: BodyKind
    piece: bytes | None
    rewriter: BodyRewriter | None


def begun(
    rules: RewriteRules, head: ReplyHead, kind: BodyKind, piece: bytes | None, *, whole: bool
) -> Begun:
    """A reply that begins with `head`, and with `piece` of a body delimited as `kind` says.

    A body that is here `whole` has its new length told; any other goes out in chunks.
    """
    head, is_json = _head(rules, head)
    if not is_json or kind is BodyKind.NONE:
        return Begun(head, kind, piece, None)
    rewriter = rules.body()
    data = rewriter.feed(piece or b"")
    if not whole:
        return Begun(head, BodyKind.CHUNKED, data, rewriter)
    data += rewriter.finish()
    return Begun(msgspec.structs.replace(head, length=len(data)), BodyKind.LENGTH, data, None)


@lru_cache(maxsize=256)
def _head(rules: RewriteRules, head: ReplyHead) -> tuple[ReplyHead, bool]:
    """The head as the client gets it, and whether a body under it is rewritten."""
    status_line, *lines = head.start.split(b"\r\n")[:-1]
    fields = [_Field(name, name.lower(), value) for name, _, value in map(_parted, lines)]
    may_be_json = _may_be_json(fields)
    is_json = may_be_json is True and head.status in _WHOLE and head.length != 0
    # 304 stands for the 200 that the client has, and says of it what that said.
    if is_json or (head.status == _NOT_MODIFIED and may_be_json is not False):
        fields = [
            field._replace(value=_weak(field.value)) if field.lower == b"etag" else field
            for field in fields
            if field.lower not in _OF_THE_BYTES
        ]
    start = b"".join(
        b"%b: %b\r\n"
        % (field.name, rules.header(field.value) if field.lower in _REFERENCES else field.value)
        for field in fields
    )
    return msgspec.structs.replace(
        head,
        start=b"%b\r\n%b" % (status_line, start),
        length=None if is_json else head.length,
    ), is_json


class _Field(NamedTuple):
    name: bytes
    lower: bytes
    value: bytes


_REFERENCES = frozenset({b"content-location", b"location"})
# Digests (RFC 9530, RFC 3230, RFC 1864), and parts, which would be parts of other bytes.
_OF_THE_BYTES = frozenset({
    b"accept-ranges", b"content-digest", b"content-md5", b"digest", b"repr-digest",
})  # fmt: skip
# A part (206) may begin within a string; 204 and 205 have no body.
_WHOLE = frozenset(range(200, 300)) - {204, 205, 206}
_NOT_MODIFIED = 304


def _parted(line: bytes) -> tuple[bytes, bytes, bytes]:
    return line.partition(b": ")


def _may_be_json(fields: list[_Field]) -> bool | None:
    """Whether the body is JSON that can be read as it is; None where nothing says what it is."""
    encodings = {field.value.strip().lower() for field in fields if field.lower == _ENCODING}
    if not encodings <= {b"", b"identity"}:
        return False
    types = [
        field.value.partition(b";")[0].strip().lower()
        for field in fields
        if field.lower == b"content-type"
    ]
    if not types:
        return None
    return all(kind == b"application/json" or kind.endswith(b"+json") for kind in types)


_ENCODING = b"content-encoding"


def _weak(tag: bytes) -> bytes:
    return b"W/" + tag if tag.startswith(b'"') else tag
