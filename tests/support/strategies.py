"""What hypothesis draws for everything that is bytes: targets, bodies, chunks, and cuts.

Two kinds of input matter. *Hostile* ones are stitched together from the pieces that attacks are
made of, so that most of them come near the edge between accepted and refused. *Honest* ones start
from decoded values and choose a spelling, so that a test knows what they mean without asking the
code under test.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from string import ascii_letters, digits

from hypothesis import strategies as st

__all__ = [
    "UNRESERVED",
    "chunked_bodies",
    "cuts",
    "hostile_chunks",
    "hostile_heads",
    "hostile_targets",
    "in_pieces",
    "json_objects",
    "near_targets",
    "queries",
    "segments",
    "spellings",
]

UNRESERVED = frozenset((ascii_letters + digits + "-._~").encode())

# --- cutting ----------------------------------------------------------------------------------

cuts = st.lists(st.integers(0, 400), max_size=8)


def in_pieces(data: bytes, places: Iterable[int]) -> list[bytes]:
    """`data` cut at `places`; an empty piece is never made, since no socket gives one."""
    edges = [0, *sorted({place for place in places if 0 < place < len(data)}), len(data)]
    return [data[start:end] for start, end in pairwise(edges) if start < end]


# --- targets ----------------------------------------------------------------------------------

_TARGET_PIECES = (
    b"/", b"/", b"/", b"a", b"profiles", b"X-1_2~", b".", b"..", b"...", b"%2e", b"%2E%2e", b"%2f",
    b"%5c", b"\\", b";", b"%3b", b";x=1", b"%", b"%4", b"%zz", b"%41", b"%61", b"%25", b"%2541",
    b"%00", b"%0a", b"%7f", b"%20", b" ", b"+", b"%2b", b"%c3%a9", b"%c0%ae", b"%ff", b"\xc3\xa9",
    b"#", b"%23", b"?", b"?", b"%3f", b"&", b"&", b"=", b"=", b"%3d", b"%26", b"_method", b":", b"@",
    b"!", b"'", b"(", b"*", b",", b'"', b"<", b"[", b"{", b"|", b"%e2%80%a8", b"http://h", b"*", b"",
)  # fmt: skip

hostile_targets = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from(_TARGET_PIECES), max_size=14).map(b"".join),
    st.lists(st.sampled_from(_TARGET_PIECES), max_size=14).map(lambda p: b"/" + b"".join(p)),
)

_SEGMENT_TEXT = ascii_letters + digits + "._~!$'()*+,:@ -"

segments = st.lists(
    st.text(_SEGMENT_TEXT, min_size=1, max_size=8).filter(
        lambda text: text == text.strip(" ") and text not in {".", ".."}
    ),
    min_size=1,
    max_size=4,
).map(tuple)

_NAMES = st.text(ascii_letters + digits + "._~ [](){}|<>@:,$!*'\"/?^`+-", min_size=1, max_size=8)
_VALUES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=6)
_OVERRIDES = frozenset(
    {"_method", "method", "x-http-method", "x-http-method-override", "x-method-override"}
)

queries = st.lists(
    st.tuples(_NAMES.filter(lambda n: n.strip() and n.strip().lower() not in _OVERRIDES), _VALUES),
    max_size=4,
).map(tuple)

_MAY_STAND_RAW = UNRESERVED | frozenset(b"!$'()*,:@")


@st.composite
def spellings(draw: st.DrawFn, path: Sequence[str], query: Sequence[tuple[str, str]]) -> bytes:
    """One of the many ways in which a client may write these decoded values."""

    def spelt(text: str, *, plus: bool = False) -> bytes:
        return b"".join(_one(byte, plus=plus) for byte in text.encode())

    def _one(byte: int, *, plus: bool) -> bytes:
        if byte in _MAY_STAND_RAW and draw(st.booleans()):
            return bytes([byte])
        if plus and byte == ord(" ") and draw(st.booleans()):
            return b"+"
        return (b"%%%02X" if draw(st.booleans()) else b"%%%02x") % byte

    raw = b"".join(b"/" + spelt(segment) for segment in path)
    if draw(st.booleans()):
        raw += b"/"
    if query:
        raw += b"?" + b"&".join(
            spelt(name, plus=True)
            + (b"" if not value and draw(st.booleans()) else b"=" + spelt(value, plus=True))
            for name, value in query
        )
    return raw


@st.composite
def near_targets(draw: st.DrawFn) -> bytes:
    """An honest spelling, mostly with one hostile piece put in somewhere."""
    raw = draw(spellings(draw(segments), draw(queries)))
    place = draw(st.integers(0, len(raw)))
    return raw[:place] + draw(st.just(b"") | st.sampled_from(_TARGET_PIECES)) + raw[place:]


# --- heads ------------------------------------------------------------------------------------

_HEAD_PIECES = (
    b"GET /a HTTP/1.1\r\n", b"POST /a HTTP/1.1\r\n", b"PUT /a HTTP/1.0\r\n", b"get / HTTP/1.1\r\n",
    b"GET / HTTP/2.0\r\n", b"CONNECT h:1 HTTP/1.1\r\n", b"Host: h\r\n", b"Host: h\r\n", b"Host:\r\n",
    b"Content-Length: 0\r\n", b"Content-Length: 3\r\n", b"Content-Length: 03\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip, chunked\r\n", b"Expect: x\r\n",
    b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Connection: upgrade\r\n",
    b"Connection: keep-alive, host\r\n", b"Upgrade: h2c\r\n", b"X_Y: z\r\n", b"A: b\n", b"A : b\r\n",
    b"A: \x00\r\n", b" folded\r\n", b"\r\n", b"\r\n", b"\r\n", b"abc", b"3\r\nabc\r\n", b"0\r\n\r\n",
    b"Accept: */*\r\n", b"\r", b"\n", b"\xff",
)  # fmt: skip

hostile_heads = st.one_of(
    st.binary(max_size=60),
    st.lists(st.sampled_from(_HEAD_PIECES), min_size=1, max_size=12).map(b"".join),
    st.lists(st.sampled_from(_HEAD_PIECES), max_size=8).map(
        lambda pieces: b"POST /a HTTP/1.1\r\nHost: h\r\n" + b"".join(pieces)
    ),
)

# --- chunked bodies ---------------------------------------------------------------------------

# Without `Content-Length` and `Transfer-Encoding`: see test_framing.py for those two.
_TRAILERS = st.sampled_from(
    (b"X-A: b\r\n", b"Authorization: no\r\n", b"X-Empty:\r\n", b"A:\xff\t~\r\n", b"^`|~: x\r\n")
)


@st.composite
def chunked_bodies(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """(the data, one of its chunked encodings)."""
    pieces = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=5))
    encoded = b""
    for piece in pieces:
        size = b"%0*x" % (draw(st.integers(1, 8)), len(piece))
        encoded += (size.upper() if draw(st.booleans()) else size) + b"\r\n" + piece + b"\r\n"
    encoded += b"0" * draw(st.integers(1, 8)) + b"\r\n"
    return b"".join(pieces), encoded + b"".join(draw(st.lists(_TRAILERS, max_size=3))) + b"\r\n"


_CHUNK_PIECES = (
    b"0", b"1", b"3", b"a", b"F", b"0x3", b"+3", b"-1", b"3 ", b"3;a=b", b"\r\n", b"\r\n", b"\r\n",
    b"\n", b"\r", b"abc", b"0\r\n\r\n", b"3\r\nabc\r\n", b"0\r\nA: b\r\n\r\n", b"A b\r\n",
    b"0\r\nA: b\r\n c\r\n\r\n", b"123456789", b"\x00", b"GET / HTTP/1.1\r\n\r\n",
)  # fmt: skip

hostile_chunks = st.one_of(
    st.binary(max_size=40),
    st.lists(st.sampled_from(_CHUNK_PIECES), max_size=10).map(b"".join),
)

# --- JSON -------------------------------------------------------------------------------------

_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=6),
)

# Letters that fold in an odd way are a table in test_body.py; here `casefold` tells the truth.
json_objects = st.dictionaries(
    st.text(ascii_letters + digits + ' ._-@"\\/\u00e9\u00c9\u65e5\U0001f600', max_size=5),
    st.recursive(
        _SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.text(ascii_letters, max_size=3), inner, max_size=3),
        ),
        max_leaves=6,
    ),
    max_size=5,
)
