"""An upstream's own addresses, replaced by the gateway's: in a header's value, in a JSON body.

UCS writes absolute URLs of itself into its replies: the contents of an interaction, the `Location`
of a new schema. Behind the gateway they lead around it. A URL is replaced where it begins with
the address of the service at the upstream and that address ends where a path segment does.

A JSON body is not parsed. Inside JSON a string begins at a quote that no backslash precedes: every
other such quote ends a string, and what follows an end is never a letter. So one search finds
exactly the strings that begin with an address, however their characters are escaped, and nothing
else of the document changes, not even its white space. A property test holds the result to a
walk through the parsed document.
"""

import re
from collections.abc import Sequence

import msgspec

from gateway.settings import Url

__all__ = ["BodyRewriter", "RewriteRules"]


class RewriteRules(msgspec.Struct, frozen=True, eq=False, kw_only=True):
    """Which addresses of one service become which.

    `here` is where clients find the service: `public_url` and `prefix`. `begins` lists what a
    string may begin with to be replaced, lower case, for recognising the start of one.
    """

    here: bytes
    prefix: bytes
    begins: tuple[bytes, ...]
    absolute: re.Pattern[bytes]
    relative: re.Pattern[bytes] | None
    quoted: re.Pattern[bytes]
    longest: int

    def __repr__(self) -> str:
        return f"<RewriteRules to {self.here.decode('ascii')}>"

    @classmethod
    def of(
        cls, *, public_url: Url, prefix: str, base_path: str, origins: Sequence[Url]
    ) -> "RewriteRules":
        """What stands at `base_path` of any of the `origins` is at `prefix` of `public_url`."""
        prefix, base_path = prefix.rstrip("/"), base_path.rstrip("/")
        places = sorted({place for origin in origins for place in _spellings(origin)})
        begins = tuple(f"{scheme}//{host}{base_path}" for scheme, host in places)
        return cls(
            here=f"{public_url}{prefix}".encode("ascii"),
            prefix=prefix.encode("ascii"),
            begins=tuple(text.lower().encode("ascii") for text in begins),
            absolute=re.compile(
                b"(?:%b)(?=[/?#]|\\Z)"
                % b"|".join(
                    b"(?i:(?:%b)?//%b)%b"
                    % tuple(re.escape(part.encode("ascii")) for part in (scheme, host, base_path))
                    for scheme, host in places
                )
            ),
            relative=None
            if prefix == base_path
            else re.compile(rb"(?!//)(?=/)%b(?=[/?#]|\Z)" % re.escape(base_path.encode("ascii"))),
            quoted=re.compile(
                rb'"(?<!\\")(?:%b)(?=["/?#]|\\/|\\u00(?:2[3fF]|3[fF]))'
                % b"|".join(
                    _escapable(f"{scheme}//{host}", folded=True) + _escapable(base_path)
                    for scheme, host in places
                )
            ),
            longest=max(len(text) for text in begins) * _LONGEST_ESCAPE + _LONGEST_ESCAPE,
        )

    def header(self, value: bytes) -> bytes:
        """The value of a header that is one URI reference (RFC 9110 sections 8.7 and 10.2.2).

        A path is replaced by a path. One that does not begin with the upstream's base path says
        something else than where the service is, and stays.
        """
        if found := self.absolute.match(value):
            return self.here + value[found.end() :]
        if self.relative is not None and (found := self.relative.match(value)):
            rest = value[found.end() :]
            root = b"" if self.prefix or rest[:1] == b"/" else b"/"
            return self.prefix + root + rest
        return value

    def body(self) -> "BodyRewriter":
        """For one JSON body."""
        return BodyRewriter(self)


class BodyRewriter:
    """One JSON body on its way: `feed` its pieces in order, send what comes back, then `finish`.

    Held back is only what may turn out to be the beginning of an address.
    """

    __slots__ = ("_held", "_rules")

    def __init__(self, rules: RewriteRules) -> None:
        self._rules = rules
        self._held = b""

    def feed(self, piece: bytes) -> bytes:
        data = self._held + piece
        undecided = len(data) - self._decided(data)
        self._held = data[len(data) - undecided :]
        # An address that is here whole ends before what is undecided begins, so that stays as it
        # is at the end of the result.
        done = self._rules.quoted.sub(self._replacement, data)
        return done[: len(done) - undecided]

    def finish(self) -> bytes:
        """What was held back: no address after all."""
        held, self._held = self._held, b""
        return held

    def _replacement(self, found: re.Match[bytes]) -> bytes:
        """The new beginning of the string, its slashes escaped as they were."""
        here = self._rules.here
        return b'"' + (here.replace(b"/", rb"\/") if rb"\/" in found[0] else here)

    def _decided(self, data: bytes) -> int:
        """How much of `data`, from its front, can be said to be an address or none.

        Only the last quote may be the beginning of more to come: no address holds a quote.
        """
        end = len(data)
        quote = data.rfind(b'"', max(0, end - self._rules.longest))
        if quote >= 0 and data[quote - 1 : quote] != b"\\":
            start = _plain(data[quote + 1 :]).lower()
            if any(text.startswith(start) for text in self._rules.begins):
                return quote
        return end - 1 if data.endswith(b"\\") else end  # a quote after it would open nothing


_ESCAPE = re.compile(rb"\\(?:(/)|u00([0-7][0-9A-Fa-f]))")
_PART_OF_ESCAPE = re.compile(rb"\\(?:u[0-9A-Fa-f]{0,3})?\Z")
_LONGEST_ESCAPE = len(rb"\u0000")


def _plain(text: bytes) -> bytes:
    """ASCII without its escapes; one that has only begun is left out."""
    return _ESCAPE.sub(
        lambda found: found[1] or bytes([int(found[2], 16)]), _PART_OF_ESCAPE.sub(b"", text)
    )


_DEFAULT_PORT = {"http": 80, "https": 443}


def _spellings(origin: Url) -> tuple[tuple[str, str], ...]:
    """(scheme with its colon, host with or without its port): the default may be left out."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    scheme = f"{origin.scheme}:"
    with_port = (scheme, f"{host}:{origin.port}".lower())
    if origin.port != _DEFAULT_PORT[origin.scheme]:
        return (with_port,)
    return with_port, (scheme, host.lower())


def _escapable(text: str, *, folded: bool = False) -> bytes:
    """A pattern for `text` in a JSON string: each character plain or escaped (RFC 8259 section 7)."""
    return b"".join(_spelt(character, folded=folded) for character in text)


def _spelt(character: str, *, folded: bool) -> bytes:
    cases = sorted({character.lower(), character.upper()} if folded else {character})
    plain = b"".join(re.escape(case.encode("ascii")) for case in cases)
    codes = b"|".join(_hexadecimal(case) for case in cases)
    slash = b"/|" if character == "/" else b""
    return rb"(?:[%b]|\\(?:%bu00(?:%b)))" % (plain, slash, codes)


def _hexadecimal(character: str) -> bytes:
    """Two digits, each in both cases."""
    return "".join(
        f"[{digit}{digit.upper()}]" if digit.isalpha() else digit
        for digit in f"{ord(character):02x}"
    ).encode("ascii")
