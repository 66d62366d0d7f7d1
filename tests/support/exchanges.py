"""Exchanges that can be told apart by a marker, and what each of them may look like from outside.

Every exchange has a number, and its marker stands wherever a client can put it and wherever an
upstream can: in path, query, headers and body of the request, in headers and body of the reply. How
the upstream answers follows from the marker as well, so both ends know what the other will do
without speaking to each other. `tests/support/interleaving.py` sends them.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from tests.support.held_site import CREDENTIALS
from tests.support.tokens import bearer

__all__ = ["LEAVES", "MARKER", "Answer", "Exchange", "Fate", "answer_to", "an_exchange"]

MARKER = re.compile(rb"zQ[0-9]{9}Qz")


class Fate(Enum):
    """How an exchange ends for its client."""

    ANSWERED = "answered"
    REFUSED = "refused"
    LEFT_IN_UPLOAD = "left in upload"
    LEFT_BEFORE_REPLY = "left before the reply"
    LEFT_IN_REPLY = "left in the reply"


LEAVES = frozenset({Fate.LEFT_IN_UPLOAD, Fate.LEFT_BEFORE_REPLY, Fate.LEFT_IN_REPLY})


@dataclass(frozen=True)
class Exchange:
    """One request as the client sends it, and what has to become of it."""

    marker: bytes
    method: str
    path: str
    caller: str
    body: bytes
    raw: bytes
    fate: Fate
    ends_connection: bool = False


@dataclass(frozen=True)
class Answer:
    """What the upstream does about one request: bytes in pieces, and whether it hangs up after."""

    pieces: tuple[bytes, ...]
    body: bytes
    status: int
    hangs_up: bool = False
    early: bool = False
    reaches_client: bool = True
    whole: bool = True


def an_exchange(number: int, chance: random.Random) -> Exchange:
    marker = b"zQ%09dQz" % number
    return chance.choices(_KINDS, _WEIGHTS)[0](marker, chance)


def _filled(marker: bytes, size: int) -> bytes:
    """Exactly `size` bytes or a few more, full of the marker."""
    return (marker + b".") * (size // 14 + 1)


def _size(chance: random.Random) -> int:
    """Mostly small; now and then more than any buffer on the way."""
    return chance.choice(
        (0, 20, 200, 200, 1500, 1500, 5000, 20_000, chance.choice((70_000, 300_000)))
    )


# --- requests ----------------------------------------------------------------------------------

_CALLERS = {
    "e": CREDENTIALS["everything"],
    **{f"jwt-s{n}": bearer(f"s{n}", ("everything",)) for n in range(5)},
}


def _head(marker: bytes, line: str, caller: str, chance: random.Random, *more: bytes) -> bytes:
    """A head that now and then repeats the last one on its connection, and now and then does not."""
    credentials = _CALLERS.get(caller) or CREDENTIALS[caller]
    lines = [line.encode() + b" HTTP/1.1", b"Host: h"]
    if credentials:
        lines.append(b"Authorization: " + credentials)
    if chance.random() < 0.5:
        lines += [b"User-Agent: " + marker, b"Cookie: s=" + marker, b"X-Mine: " + marker]
    return b"\r\n".join((*lines, *more, b"\r\n"))


def _known(chance: random.Random) -> str:
    return chance.choice(tuple(_CALLERS))


def _read(marker: bytes, chance: random.Random) -> Exchange:
    text = marker.decode()
    method = chance.choice(("GET", "GET", "GET", "HEAD"))
    path = chance.choice((
        f"/profiles/{text}",
        f"/profiles/{text}?name={text}",
        f"/profiles?EmailAddress={text}&extensions={text}",
        f"/genesys/1/cs/services/{text}",
        f"/customers/{text}/interactions",
    ))  # fmt: skip
    caller = _known(chance)
    raw = _head(marker, f"{method} {path}", caller, chance)
    return Exchange(marker, method, path, caller, b"", raw, Fate.ANSWERED)


def _framed(body: bytes, chance: random.Random) -> tuple[bytes, bytes]:
    """The line that frames the body, and the body in that framing."""
    if chance.random() < 0.5:
        return b"Content-Length: %d" % len(body), body
    return b"Transfer-Encoding: chunked", b"".join(_chunks(body, chance)) + b"0\r\n\r\n"


def _chunks(body: bytes, chance: random.Random) -> list[bytes]:
    found = []
    while body:
        size = chance.randint(1, max(1, len(body) // 2))
        found.append(b"%x\r\n%b\r\n" % (min(size, len(body)), body[:size]))
        body = body[size:]
    return found


def _write(marker: bytes, chance: random.Random) -> Exchange:
    """Bodies that are streamed and bodies that are inspected, with every framing."""
    text = marker.decode()
    method, path = chance.choice((
        ("POST", f"/profiles/import?name={text}"),
        ("POST", f"/profiles?name={text}"),
        ("PUT", f"/profiles/{text}"),
        ("POST", f"/profiles/{text}/extensions"),
    ))  # fmt: skip
    body = _filled(marker, _size(chance))
    if method == "PUT" or path.endswith("/extensions"):
        body = b'{"customer_id":"%b","FirstName":"%b"}' % (marker, body)
    caller = _known(chance)
    line, framed = _framed(body, chance)
    more = [b"Content-Type: application/json", line]
    if chance.random() < 0.1:
        more.append(b"Expect: 100-continue")
    raw = _head(marker, f"{method} {path}", caller, chance, *more) + framed
    return Exchange(marker, method, path, caller, body, raw, Fate.ANSWERED)


def _refused(marker: bytes, chance: random.Random) -> Exchange:
    """Denied, malformed or unknown; some of these end the connection, and some leave a body."""
    text = marker.decode()
    line, caller, more, body, ends = chance.choice((
        (f"GET /profiles/{text}", "nothing", (), b"", False),
        (f"GET /profiles/{text}", "nobody", (), b"", False),
        (f"GET /profiles/../{text}", "e", (), b"", False),
        (f"GET /profiles/{text}%2f", "e", (), b"", False),
        (f"DELETE /profiles/{text}", "reader", (), b"", False),
        (f"GET /nowhere/{text}", "e", (), b"", False),
        (f"GET /profiles/{text}", "e", (b"X_Y: " + marker,), b"", True),
        (f"GET /profiles/{text}", "e", (b"Content-Length: 13",), marker, True),
        (f"POST /profiles?name={text}", "reader", (b"Content-Length: 130",), marker * 10, False),
        (f"POST /profiles?name={text}", "nobody", (b"Content-Length: 13",), marker, False),
        (f"POST /profiles?name={text}", "creator",
         (b"Content-Type: application/json", b"Content-Length: 13"), marker, False),
        (f"POST /profiles?name={text}", "reader", (b"Transfer-Encoding: chunked",),
         b"d\r\n" + marker + b"\r\n0\r\n\r\n", True),
    ))  # fmt: skip
    raw = _head(marker, line, caller, chance, *more) + body
    method, _, path = line.partition(" ")
    return Exchange(marker, method, path, caller, b"", raw, Fate.REFUSED, ends)


def _left(marker: bytes, chance: random.Random) -> Exchange:
    """A client that goes away: within its upload, before its reply, or in the middle of it."""
    fate = chance.choice(tuple(LEAVES))
    kind = _write if fate is Fate.LEFT_IN_UPLOAD else chance.choice((_read, _write))
    whole = kind(marker, chance)
    raw = whole.raw
    if fate is Fate.LEFT_IN_UPLOAD:
        body_at = raw.index(b"\r\n\r\n") + 4
        if body_at == len(raw):
            fate = Fate.LEFT_BEFORE_REPLY
        else:
            raw = raw[: chance.randrange(body_at, len(raw))]
    return Exchange(
        marker, whole.method, whole.path, whole.caller, whole.body, raw, fate, ends_connection=True
    )


_KINDS: tuple[Callable[[bytes, random.Random], Exchange], ...] = (_read, _write, _refused, _left)
_WEIGHTS = (50, 25, 17, 8)


# --- replies -----------------------------------------------------------------------------------


def answer_to(marker: bytes, method: str) -> Answer:
    """The same for everybody who asks."""
    chance = random.Random(marker)
    return chance.choices(_ANSWERS, _ANSWER_WEIGHTS)[0](marker, method, chance)


def _start(marker: bytes, status: bytes = b"200 OK", *lines: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 " + status, b"x-marker: " + marker, *lines, b"\r\n"))


def _pieces(raw: bytes, chance: random.Random) -> tuple[bytes, ...]:
    places = sorted(chance.randrange(1, len(raw)) for _ in range(chance.choice((0, 0, 1, 4))))
    edges = [0, *places, len(raw)]
    return tuple(raw[a:b] for a, b in pairwise(edges) if a < b)


def _with_length(marker: bytes, method: str, chance: random.Random, *more: bytes) -> Answer:
    body = _filled(marker, _size(chance))
    head = _start(marker, b"200 OK", b"Content-Length: %d" % len(body), *more)
    sent = b"" if method == "HEAD" else body
    return Answer(_pieces(head + sent, chance), sent, 200)


def _chunked(marker: bytes, method: str, chance: random.Random) -> Answer:
    body = b"" if method == "HEAD" else _filled(marker, _size(chance))
    raw = _start(marker, b"200 OK", b"Transfer-Encoding: chunked")
    if method != "HEAD":
        raw += b"".join(_chunks(body, chance)) + b"0\r\nX-T: " + marker + b"\r\n\r\n"
    return Answer(_pieces(raw, chance), body, 200)


def _until_the_end(marker: bytes, method: str, chance: random.Random) -> Answer:
    body = b"" if method == "HEAD" else _filled(marker, _size(chance))
    return Answer(_pieces(_start(marker) + body, chance), body, 200, hangs_up=True)


def _last_of_its_connection(marker: bytes, method: str, chance: random.Random) -> Answer:
    honest = _with_length(marker, method, chance, b"Connection: close")
    return Answer(honest.pieces, honest.body, 200, hangs_up=True)


def _without_content(marker: bytes, _: str, __: random.Random) -> Answer:
    return Answer((_start(marker, b"204 No Content"),), b"", 204)


def _of_several(marker: bytes, method: str, chance: random.Random) -> Answer:
    honest = _with_length(marker, method, chance)
    interim = b"HTTP/1.1 103 Early Hints\r\nx-marker: " + marker + b"\r\n\r\n"
    return Answer((interim * chance.randint(1, 4), *honest.pieces), honest.body, 200)


def _with_poison(marker: bytes, method: str, chance: random.Random) -> Answer:
    """A second reply at once behind the first: nobody asked for it, and nobody may get it."""
    body = b"" if method == "HEAD" else _filled(marker, 200)
    head = _start(marker, b"200 OK", b"Content-Length: %d" % len(_filled(marker, 200)))
    poison = _start(marker, b"200 OK", b"Content-Length: 6", b"x-poison: 1") + b"poison"
    return Answer((head + body + poison,), body, 200)


def _cut_short(marker: bytes, method: str, chance: random.Random) -> Answer:
    if method == "HEAD":
        return _with_length(marker, method, chance)
    body = _filled(marker, _size(chance))
    head = _start(marker, b"200 OK", b"Content-Length: %d" % (len(body) + 10))
    return Answer(_pieces(head + body, chance), body, 200, hangs_up=True, whole=False)


def _garbage(marker: bytes, _: str, chance: random.Random) -> Answer:
    raw = chance.choice((
        b"garbage " + marker + b"\r\n\r\n",
        _start(marker, b"200 OK", b"Content-Length: 3", b"Content-Length: 4") + b"abcd",
        _start(marker, b"200 OK", b"Content-Length: 3", b"Transfer-Encoding: chunked") + b"abc",
        _start(marker, b"101 Switching Protocols", b"Upgrade: x", b"Connection: upgrade"),
        b"HTTP/1.1 200 OK\r\nx-mar",
        b"",
    ))  # fmt: skip
    return Answer((raw,), b"", 502, hangs_up=True, reaches_client=False)


def _before_the_body(marker: bytes, method: str, chance: random.Random) -> Answer:
    """To uploads: answered as soon as the head is here, and the rest is read or is not."""
    honest = _with_length(marker, method, chance)
    return Answer(honest.pieces, honest.body, 200, early=True, hangs_up=chance.random() < 0.5)


_ANSWERS: tuple[Callable[[bytes, str, random.Random], Answer], ...] = (
    _with_length, _chunked, _until_the_end, _last_of_its_connection, _without_content, _of_several,
    _with_poison, _cut_short, _garbage, _before_the_body,
)  # fmt: skip
_ANSWER_WEIGHTS = (45, 25, 3, 3, 5, 4, 4, 3, 3, 5)
