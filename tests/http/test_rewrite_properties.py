"""Rewriting bytes agrees with walking the document: for any JSON, however written and cut.

The other implementation parses both documents with `json` and rewrites decoded strings with
`urlsplit`; it knows nothing of escapes, quotes or pieces.
"""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from gateway.http.rewrite import RewriteRules
from gateway.settings import Url
from tests.support.strategies import cuts, in_pieces, json_objects

ORIGINS = (Url("http", "ucs", 8080), Url("http", "ucs", 80), Url("https", "Node-1.x", 443))
PLACES = {("http", "ucs", 8080), ("http", "ucs", 80), ("https", "node-1.x", 443)}

PREFIXES = st.sampled_from(["/", "/cs", "/genesys/1/cs"])
BASE_PATHS = st.sampled_from(["/", "/cv", "/genesys/1/cs"])


# --- documents -----------------------------------------------------------------------------------

_OURS = st.sampled_from(
    ["http://ucs:8080", "HTTP://UCS:8080", "http://UCS", "http://ucs:80", "https://node-1.X",
     "https://NODE-1.x:443"]
)  # fmt: skip
_NOT_OURS = st.sampled_from(
    ["http://ucs:8081", "http://other", "https://ucs", "//ucs", "http:/", "", "http",
     "http://ucs:8080/"]
)  # fmt: skip
_ENDS = st.sampled_from(["", "/", "/a", "/a?b#c", "?q", "#f"])
_GOES_ON = st.sampled_from(["x", '"', "\\/", "\\", "%2F", "\u00e9", "\n", "\U0001f600"])
_ANY = st.characters(exclude_categories=("Cs",))


@st.composite
def documents(draw: st.DrawFn, base_path: str) -> Any:
    """A JSON value most of whose strings look like addresses."""
    base = st.just(base_path.rstrip("/"))
    other = st.sampled_from(["/cv", "/genesys/1", "/CV", ""])
    ours = st.tuples(_OURS, base, _ENDS)
    within = st.tuples(st.sampled_from(['"', '\\"', 'say: "', "\\", " "]), _OURS, base, _ENDS)
    near = st.tuples(_OURS | _NOT_OURS, base | other, _ENDS | _GOES_ON)
    texts = st.one_of(
        *(parts.map("".join) for parts in (ours, ours, near, within)), st.text(_ANY, max_size=4)
    )
    values = st.one_of(texts, texts, texts, json_objects, st.integers(), st.none())
    shapes = st.one_of(
        texts,
        st.lists(values, min_size=1, max_size=6),
        st.dictionaries(texts, values, min_size=1, max_size=4),
        st.lists(st.dictionaries(texts, st.lists(texts, max_size=3), max_size=3), max_size=3),
    )
    return draw(shapes)


_SHORT = {'"': r"\"", "\\": r"\\", "/": r"\/", "\n": r"\n", "\t": r"\t", "\b": r"\b"}


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """One of the many ways to write a JSON value."""
    random = draw(st.randoms(use_true_random=False))
    rarely = draw(st.sampled_from([0.0, 0.03, 0.5]))
    slash = draw(st.sampled_from(["/", r"\/"]))

    def spelt(character: str) -> str:
        if random.random() < rarely and (code := ord(character)) < 0x10000:
            return "\\u" + random.choice(["%04x", "%04X"]) % code
        if character == "/":
            return slash
        if character in _SHORT:
            return _SHORT[character]
        return json.dumps(character)[1:-1] if ord(character) < 0x20 else character

    def text(value: str) -> str:
        return '"' + "".join(map(spelt, value)) + '"'

    def gap() -> str:
        return random.choice(["", "", " ", "\n\t"])

    def write(value: Any) -> str:
        if isinstance(value, str):
            return text(value)
        if isinstance(value, dict):
            items = (f"{text(k)}{gap()}:{gap()}{write(v)}" for k, v in value.items())
            return "{" + gap() + f"{gap()},{gap()}".join(items) + gap() + "}"
        if isinstance(value, list):
            return "[" + gap() + f"{gap()},".join(map(write, value)) + gap() + "]"
        return json.dumps(value)

    return gap() + write(value) + gap()


# --- the other implementation ---------------------------------------------------------------------


def walked(value: Any, here: str, base_path: str) -> Any:
    if isinstance(value, str):
        return moved(value, here, base_path)
    if isinstance(value, tuple):
        return tuple(walked(item, here, base_path) for item in value)
    return value


def moved(text: str, here: str, base_path: str) -> str:
    """Split at the end of the authority (RFC 3986 section 3.2), then at the end of the base."""
    match = re.match(r"([A-Za-z]+)://([^/?#]*)(.*)\Z", text, re.DOTALL)
    if match is None:
        return text
    scheme, authority, rest = match.groups()
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?", authority, re.ASCII):
        return text
    parts = urlsplit(f"{scheme.lower()}://{authority}")
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    if (parts.scheme, parts.hostname, port) not in PLACES:
        return text
    base = base_path.rstrip("/")
    if not rest.startswith(base) or (rest[len(base) :] and rest[len(base)] not in "/?#"):
        return text
    return here + rest[len(base) :]


def parsed(document: bytes) -> Any:
    """Objects as pairs, since two keys may become one."""
    return json.loads(document, object_pairs_hook=tuple, parse_float=str, parse_int=str)


def frozen(value: Any) -> Any:
    return tuple(map(frozen, value)) if isinstance(value, list | tuple) else value


_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)

lengths = st.integers(1, 6) | st.integers(7, 60)


@given(data=st.data(), length=lengths, places=cuts, prefix=PREFIXES, base_path=BASE_PATHS)
def test_any_document_in_any_pieces_is_rewritten_as_if_it_had_been_parsed(
    data: st.DataObject, length: int, places: list[int], prefix: str, base_path: str
) -> None:
    rules = RewriteRules.of(
        public_url=Url("https", "gw.example", 443),
        prefix=prefix,
        base_path=base_path,
        origins=ORIGINS,
    )
    document = data.draw(documents(base_path).flatmap(written)).encode()
    here = "https://gw.example" + prefix.rstrip("/")

    body = rules.body()
    sent = []
    for piece in in_pieces(document, [*places, *range(0, len(document), length)]):
        sent.append(body.feed(piece))
        assert len(body._held) <= rules.longest
    result = b"".join(sent) + body.finish()

    assert frozen(parsed(result)) == walked(frozen(parsed(document)), here, base_path)

    # Nothing else has changed by a byte: what is not a string, strings that stay, and the rest
    # of those that do not.
    assert _STRING.sub(b'""', result) == _STRING.sub(b'""', document)
    for before, after in zip(_STRING.findall(document), _STRING.findall(result), strict=True):
        if parsed(after) == parsed(before):
            assert after == before
        else:
            [begin] = [
                begin
                for begin in (here.encode(), here.replace("/", r"\/").encode())
                if after.startswith(b'"' + begin)
            ]
            assert before.endswith(after[1 + len(begin) :])
