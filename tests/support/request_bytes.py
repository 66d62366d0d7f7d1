"""What hypothesis draws for whole requests: honest ones, ones with defects, the corpus, changed.

An honest request is made from the catalogue's own templates, so it has to be carried out. The
others are anybody's guess; what they have in common is that they come near to being honest.
"""

from hypothesis import strategies as st

from tests.support.corpus import load_corpus
from tests.support.held_site import CREDENTIALS
from tests.support.strategies import hostile_chunks, hostile_heads, near_targets

__all__ = ["any_bytes", "honest_requests"]

_AUTHORIZATION = b"Authorization: " + CREDENTIALS["everything"] + b"\r\n"

_IDS = st.from_regex(r"[A-Za-z0-9_-]{1,12}", fullmatch=True).filter(
    lambda text: text not in {"import", "start", "anonymous"}
)
_TEXTS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=6)
_TEMPLATES = (
    ("GET", "/profiles/{}"),
    ("HEAD", "/profiles/{}"),
    ("DELETE", "/profiles/{}"),
    ("PUT", "/profiles/{}/extensions/{}/by/unique"),
    ("POST", "/profiles/import"),
    ("POST", "/profiles"),
    ("GET", "/metadata/business-attributes/{}"),
    ("GET", "/genesys/1/cs/services/{}"),
    ("GET", "/genesys/1/cs/services/anonymous/{}/active"),
    ("POST", "/genesys/1/cs/services/{}/end"),
)
_QUERY_NAMES = ("name", "FirstName", "extensions", "Phone.prefix", "x[]", "a b")
_LINES = (
    b"Accept: */*\r\n", b"User-Agent: a\r\n", b"Cookie: a=b\r\n", b"X-Forwarded-For: 8.8.8.8\r\n",
    b"X-Gateway-Caller: root\r\n", b"Connection: keep-alive\r\n", b"Connection: x-a\r\nX-A: b\r\n",
    b"If-Match: a\r\nif-match: b\r\n", b"TE: trailers\r\n", b"Expect: 100-continue\r\n",
)  # fmt: skip
_DEFECTS = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"%", b"%2e", b"%2f", b"%00", b"/", b"/../", b"//", b";", b"#",
    b"?", b"&", b"=", b"\xff", b"%c3%a9", b"0", b"5", b"chunked", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: identity\r\n", b"Host: evil\r\n", b"X_Y: z\r\n",
    b"Connection: close\r\n", b"Connection: content-length\r\n", b"Expect: 100-continue\r\n", b"Upgrade: h2c\r\n",
    b" folded\r\n", b"GET /profiles/2 HTTP/1.1\r\nHost: h\r\n\r\n", b"0\r\n\r\n", b"5\r\nhello\r\n", b"HTTP/1.0",
    b"DELETE", b"HEAD ", _AUTHORIZATION,
)  # fmt: skip


@st.composite
def _escaped(draw: st.DrawFn, text: str) -> bytes:
    """Each byte as it is or as an escape."""
    return b"".join(
        bytes([byte])
        if chr(byte).isalnum() and byte < 128 and draw(st.booleans())
        else (b"%%%02X" if draw(st.booleans()) else b"%%%02x") % byte
        for byte in text.encode()
    )


@st.composite
def _targets(draw: st.DrawFn, template: str) -> bytes:
    parts = template.split("{}")
    raw = parts[0].encode()
    for part in parts[1:]:
        raw += draw(_escaped(draw(_IDS))) + part.encode()
    raw += draw(st.sampled_from((b"", b"", b"/")))
    names = draw(st.lists(st.sampled_from(_QUERY_NAMES), unique=True, max_size=3))
    pairs = [draw(_escaped(name)) + b"=" + draw(_escaped(draw(_TEXTS))) for name in names]
    return raw + (b"?" + b"&".join(pairs) if pairs else b"")


@st.composite
def _bodies(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """The lines that frame a body, and the body in that framing."""
    pieces = draw(st.lists(st.binary(min_size=1, max_size=30), max_size=4))
    if draw(st.booleans()):
        return b"Content-Length: %d\r\n" % sum(map(len, pieces)), b"".join(pieces)
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    trailer = draw(st.sampled_from((b"", b"", b"X-Auth-User: root\r\n")))
    return b"Transfer-Encoding: chunked\r\n", chunks + b"0\r\n" + trailer + b"\r\n"


@st.composite
def honest_requests(draw: st.DrawFn) -> bytes:
    method, template = draw(st.sampled_from(_TEMPLATES))
    target = draw(_targets(template))
    guarded = method == "PUT"
    framing, body = draw(_bodies()) if method == "POST" else (b"", b"")
    if guarded:
        framing, body = b"Content-Type: application/json\r\nContent-Length: 7\r\n", b'{"a":1}'
    lines = [b"Host: h\r\n", _AUTHORIZATION, framing]
    lines += draw(st.lists(st.sampled_from(_LINES), unique=True, max_size=3))
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (
        method.encode(), target, b"".join(draw(st.permutations(lines))), body,
    )  # fmt: skip


@st.composite
def _changed(draw: st.DrawFn, raws: st.SearchStrategy[bytes]) -> bytes:
    """With up to three pieces put in, taken out or repeated, mostly where a line or word ends."""
    raw = draw(raws)
    for _ in range(draw(st.integers(0, 3))):
        edges = [index for index, byte in enumerate(raw) if byte in b" \r\n:/?&="] or [0]
        place = draw(st.sampled_from(edges) | st.integers(0, len(raw)))
        taken = draw(st.sampled_from((0, 0, 1, 2, 12)))
        raw = raw[:place] + draw(st.just(b"") | st.sampled_from(_DEFECTS)) + raw[place + taken :]
    return raw


_corpus = st.sampled_from([
    shape.raw
    for case in load_corpus()
    if not case.limits and case.upstream is None
    for shape in case.spelt(CREDENTIALS)
    if len(shape.raw) < 1500
])  # fmt: skip


@st.composite
def _with_any_target(draw: st.DrawFn) -> bytes:
    method = draw(st.sampled_from((b"GET", b"HEAD", b"DELETE")))
    return b"%b %b HTTP/1.1\r\nHost: h\r\n%b\r\n" % (method, draw(near_targets()), _AUTHORIZATION)


@st.composite
def _with_any_chunks(draw: st.DrawFn) -> bytes:
    return (
        b"POST /profiles/import HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
        + _AUTHORIZATION
        + b"\r\n"
        + draw(hostile_chunks)
    )


any_bytes = st.lists(
    st.one_of(
        _changed(honest_requests()), _changed(_corpus), _with_any_target(), _with_any_chunks(),
        hostile_heads,
    ),
    min_size=1,
    max_size=3,
).map(b"".join)  # fmt: skip
