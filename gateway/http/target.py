"""One spelling for every accepted request target; a refusal for every other.

The target that the client sent is decoded once, checked, and written anew. Policy is asked about
the decoded segments, and the upstream is sent the new spelling of the very same segments, so the
two cannot see different things (threats D0-3, D0-4, P-1 to P-28).

What counts as ambiguous is refused rather than repaired: dot segments, empty segments, encoded
slashes, `;`, double encoding, controls, anything but ASCII in a path. One trailing slash is the
one tolerance, because Genesys' own samples use both forms.

Canonical spelling: RFC 3986 unreserved characters stand as they are, everything else is
percent-encoded in upper case, in path and query alike. A space in the query is `%20`, whether it
came as `+` or as `%20`; a parameter without `=` gets one.
"""

import re
from typing import NoReturn
from urllib.parse import quote, unquote_to_bytes

import msgspec

from gateway.errors import MalformedTarget, TargetTooLong

__all__ = ["Target", "TargetLimits", "canonicalise"]


class TargetLimits(msgspec.Struct, frozen=True, kw_only=True):
    """How large a target may be. Precedents: nginx 8 KiB a request line, Apache 8190 bytes."""

    max_target_bytes: int = 8192
    max_segments: int = 32
    max_query_parameters: int = 100


class Target(msgspec.Struct, frozen=True, gc=False):
    """A canonical target: decoded for policy, encoded for the upstream.

    `path` is the canonical text of `segments` ("/" for none), without a trailing slash; `query`
    holds decoded names and values, `query_text` their canonical text without the `?`.
    """

    path: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    query_text: str = ""

    def __str__(self) -> str:
        return f"{self.path}?{self.query_text}" if self.query_text else self.path


# Nothing to decode and nothing to refuse: the spelling is canonical already.
_PLAIN_PATH = re.compile(rb"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+/?")
_PLAIN_QUERY = re.compile(rb"(?:(?:\A|&)[A-Za-z0-9._~-]+=[A-Za-z0-9._~-]*)+")

# RFC 3986 pchar without `;`, `=` and `&`: in a segment those three are read differently by
# different servers (path parameters; the query glued to the path as in P-28).
_SEGMENT = re.compile(rb"(?:[A-Za-z0-9._~!$'()*+,:@-]|%[0-9A-Fa-f]{2})+")
_QUERY = re.compile(rb"(?:[A-Za-z0-9._~!$'()*+,:@/?=&-]|%[0-9A-Fa-f]{2})*")
_DECODED_SEGMENT = re.compile(r"(?! )[A-Za-z0-9._~!$'()*+,:@ -]+(?<! )")
_DECODED_NAME = re.compile(r"[ !\"$'()*+,./0-9:<>?@A-Z\[\]^_`a-z{|}~-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# Frameworks that tunnel a method through the query (threat Q-7). UCS' own framework is unknown,
# so these names are never let through, nor what some servers fold into them.
_OVERRIDES = frozenset({"_method", "method"}) | {
    name.replace("-", dash)
    for name in ("x-http-method", "x-http-method-override", "x-method-override", "http-method")
    for dash in "-_."
}


def canonicalise(raw: bytes, limits: TargetLimits) -> Target:
    """The canonical form of a raw origin-form target (RFC 9112 section 3.2.1).

    Raises MalformedTarget when it has none, TargetTooLong when it is over a limit.
    """
    if len(raw) > limits.max_target_bytes:
        raise TargetTooLong("the target is longer than max_target_bytes")
    raw_path, mark, raw_query = raw.partition(b"?")
    if _PLAIN_PATH.fullmatch(raw_path):
        path = raw_path.decode("ascii").removesuffix("/")
        segments = tuple(path[1:].split("/"))
    elif raw_path == b"/":
        path, segments = "/", ()
    else:
        segments = _decode_path(raw_path)
        path = "/" + "/".join(quote(segment, safe="") for segment in segments)
    if len(segments) > limits.max_segments:
        raise TargetTooLong("the path has more segments than max_segments")
    if mark and raw_query:
        target = _with_query(path, segments, raw_query, limits)
    else:
        target = Target(path, segments)
    if 3 * len(raw) > limits.max_target_bytes < len(str(target)):  # escaping trebles at most
        raise TargetTooLong("the canonical target is longer than max_target_bytes")
    return target


def _decode_path(raw_path: bytes) -> tuple[str, ...]:
    if not raw_path.startswith(b"/"):
        _refuse("the target is not in origin-form")
    return tuple(_decode_segment(raw) for raw in raw_path[1:].removesuffix(b"/").split(b"/"))


def _decode_segment(raw: bytes) -> str:
    if not raw:
        _refuse("the path has an empty segment")
    if not _SEGMENT.fullmatch(raw):
        _refuse("a path segment has a character or an escape that is not allowed")
    segment = unquote_to_bytes(raw).decode("latin-1")
    if not _DECODED_SEGMENT.fullmatch(segment):
        _refuse("a path segment decodes to a character that is not allowed")
    if segment in {".", ".."}:
        _refuse("the path has a dot segment")
    return segment


def _with_query(
    path: str, segments: tuple[str, ...], raw_query: bytes, limits: TargetLimits
) -> Target:
    plain = _PLAIN_QUERY.fullmatch(raw_query) is not None
    if not plain and not _QUERY.fullmatch(raw_query):
        _refuse("the query has a character or an escape that is not allowed")
    pairs = raw_query.split(b"&")
    if len(pairs) > limits.max_query_parameters:
        raise TargetTooLong("the query has more parameters than max_query_parameters")
    if plain:
        text = raw_query.decode("ascii")
        query = tuple(_plain_pair(pair) for pair in text.split("&"))
    else:
        query = tuple(_decode_pair(pair) for pair in pairs)
        text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    for name, _ in query:
        if name.strip().casefold() in _OVERRIDES:
            _refuse("the query has a parameter that overrides the method")
    return Target(path, segments, query, text)


def _plain_pair(pair: str) -> tuple[str, str]:
    name, _, value = pair.partition("=")
    return name, value


def _decode_pair(raw: bytes) -> tuple[str, str]:
    raw_name, _, raw_value = raw.partition(b"=")
    name = _decode_query_text(raw_name)
    if not _DECODED_NAME.fullmatch(name) or not name.strip():
        _refuse("a query parameter's name is empty or has a character that is not allowed")
    return name, _decode_query_text(raw_value)


def _decode_query_text(raw: bytes) -> str:
    try:
        text = unquote_to_bytes(raw.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        _refuse("the query is not UTF-8")
    if _CONTROL.search(text):
        _refuse("the query has a control character")
    return text


def _refuse(detail: str) -> NoReturn:
    raise MalformedTarget(detail)
