"""What a 401 asks for: the values of `WWW-Authenticate`.

One header field per scheme, because clients split a combined field in different ways (RFC 9110,
11.6.1 warns of it). RFC 6750, 3.1: a request without credentials gets no `error`; one whose token
was refused gets `invalid_token` and nothing more, since a description would be an oracle.
"""

import re

__all__ = ["OAUTH_ERRORS", "basic_challenge", "bearer_challenge", "with_error"]

# By scheme: what a refusal is called. Schemes that are not here have no word for it.
OAUTH_ERRORS = {"bearer": "invalid_token"}

# What may stand in a quoted string once `"` and `\` are escaped (RFC 9110, 5.6.4), ASCII only.
_QUOTABLE = re.compile(r"[\x20-\x7e]*")


def bearer_challenge(realm: str) -> bytes:
    return b"Bearer realm=" + _quoted(realm)


def basic_challenge(realm: str) -> bytes:
    """RFC 7617, 2.1: `charset` tells the client to encode the user's name in UTF-8."""
    return b"Basic realm=" + _quoted(realm) + b', charset="UTF-8"'


def with_error(challenge: bytes, oauth_error: str) -> bytes:
    return challenge + b", error=" + _quoted(oauth_error)


def _quoted(text: str) -> bytes:
    if not _QUOTABLE.fullmatch(text):
        raise ValueError(f"{text!r} cannot stand in a header; use printable ASCII characters")
    return b'"' + re.sub(r'(["\\])', r"\\\1", text).encode("ascii") + b'"'
