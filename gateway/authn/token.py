"""What a JWT says of itself before anything is proved: enough to choose who could prove it.

Cheap checks come first, so that a flood of garbage costs a regular expression and not a signature
(R-8). Of the unproved header only `alg` and `kid` are used, and of the unproved claims only `iss`;
all the caller will be comes from the proved copy (J-18). Keys, key URLs and certificates that the
token brings along are not even looked at (J-4).
"""

import re
from base64 import urlsafe_b64decode
from typing import Any, NamedTuple

import jiter

from gateway.authn.jwk import is_kid
from gateway.errors import CredentialsRefused

__all__ = ["UnprovedToken", "read_object"]

# RFC 7515, 7.1, the compact serialization. No padding: "with all trailing '=' characters omitted".
_COMPACT = re.compile(rb"([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]*)")

# Members that change how the rest is to be read. `crit` may be understood or refused (RFC 7515,
# 4.1.11), and there is no extension that we understand.
_CHANGING = frozenset({"crit", "b64", "zip", "enc"})

# RFC 8725, 3.11: tokens of other kinds by the same issuer (logout tokens, DPoP proofs, security
# events) say so in `typ`, and are not proof of who is calling. Most access tokens say `JWT`.
_TYPES = frozenset({"jwt", "at+jwt", "jose"})


class UnprovedToken(NamedTuple):
    """The token and what it claims to be."""

    text: bytes
    algorithm: str
    kid: str | None
    issuer: str

    def __repr__(self) -> str:
        return f"UnprovedToken({self.algorithm!r}, kid={self.kid!r}, issuer={self.issuer!r})"

    @classmethod
    def parse(cls, text: bytes) -> "UnprovedToken | None":
        """None if it is no JWT at all; refused if it is one that cannot be right."""
        form = _COMPACT.fullmatch(text)
        if form is None:
            return None
        header = read_object(_decoded(form[1]), "header")
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str):
            raise CredentialsRefused("the token's `alg` is not text")
        if kid is not None and not is_kid(kid):
            raise CredentialsRefused("the token's `kid` is not one short word")
        if not _CHANGING.isdisjoint(header):
            raise CredentialsRefused("the token's header changes how it is to be read")
        if "typ" in header and not _is_proof_of_caller(header["typ"]):
            raise CredentialsRefused("the token is of a kind that does not prove a caller")
        issuer = read_object(_decoded(form[2]), "payload").get("iss")
        if not isinstance(issuer, str):
            raise CredentialsRefused("the token's `iss` is not text")
        return cls(text, algorithm, kid, issuer)


def read_object(text: bytes, what: str) -> dict[str, Any]:
    """One JSON object in UTF-8, no name twice: two readers of it cannot disagree."""
    try:
        value: Any = jiter.from_json(
            text, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="none"
        )
    except ValueError as error:
        raise CredentialsRefused(f"the token's {what} is not strict JSON") from error
    if not isinstance(value, dict):
        raise CredentialsRefused(f"the token's {what} is not a JSON object")
    return value


def _decoded(segment: bytes) -> bytes:
    try:
        return urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
    except ValueError as error:
        raise CredentialsRefused("the token is not base64url") from error


def _is_proof_of_caller(typ: object) -> bool:
    return isinstance(typ, str) and typ.lower().removeprefix("application/") in _TYPES
