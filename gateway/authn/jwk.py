"""JSON Web Keys (RFC 7517): a document of them to a KeySet, without believing more than needed.

Only the members that make up a public key are read. What the format would also allow (`x5u` and
`x5c` to fetch or chain certificates, `oct` secrets, private members) is never followed or used.
A key that is not for us is left out, as RFC 7517, 5 asks: an issuer may publish encryption keys
and newer kinds in the same set, and one of them must not lock everybody out.
"""

from typing import Any

import jiter
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from gateway.authn.keys import KeySet, PublicKey, VerificationKey, algorithms_of

__all__ = ["MAX_KEYS", "Unusable", "is_kid", "read_jwks"]

# Large multi-tenant issuers publish about a dozen.
MAX_KEYS = 100
_MAX_KID_LENGTH = 256

# For each `kty`, the members that are the public key.
_PUBLIC_MEMBERS = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class Unusable(ValueError):
    """Not a document of keys, or none in it that could verify a token."""


def is_kid(value: object) -> bool:
    """A key's name as issuers write them (hex, base64, URLs): one visible ASCII word.

    It is only ever compared with other names, so `../../x` is as good as any; the bound keeps
    logs and comparisons short.
    """
    return (
        isinstance(value, str)
        and 0 < len(value) <= _MAX_KID_LENGTH
        and value.isascii()
        and value.isprintable()
        and " " not in value
    )


def read_jwks(text: bytes) -> KeySet:
    """Read a set of keys, or a single key."""
    try:
        document: Any = jiter.from_json(
            text, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="none"
        )
    except ValueError as error:
        raise Unusable("not one JSON document without duplicate names") from error
    if not isinstance(document, dict):
        raise Unusable("not a JSON object")
    entries = document.get("keys", [document] if "kty" in document else None)
    if not isinstance(entries, list):
        raise Unusable("no list of `keys` in it")
    if len(entries) > MAX_KEYS:
        raise Unusable(f"more than {MAX_KEYS} keys in it")
    keys = [key for entry in entries if (key := _key(entry)) is not None]
    if not keys:
        raise Unusable("no public key in it that can verify signatures")
    return KeySet(keys)


def _key(entry: Any) -> VerificationKey | None:
    """One entry, or None if it is not a public key for verifying signatures."""
    if not isinstance(entry, dict) or not _PRIVATE_MEMBERS.isdisjoint(entry):
        return None  # a private key that was published is nobody's proof any more
    if entry.get("use", "sig") != "sig" or not _may_verify(entry.get("key_ops")):
        return None
    kid = entry.get("kid")
    if kid is not None and not is_kid(kid):
        return None
    material = _material(entry)
    algorithms = algorithms_of(material)
    if "alg" in entry:
        # The key's own word narrows what it may be used for; it never widens it.
        algorithms = frozenset(name for name in algorithms if name == entry["alg"])
    if material is None or not algorithms:
        return None
    return VerificationKey(kid, algorithms, material)


def _may_verify(key_ops: Any) -> bool:
    return key_ops is None or (isinstance(key_ops, list) and "verify" in key_ops)


def _material(entry: dict[str, Any]) -> PublicKey | None:
    kty = entry.get("kty")
    members = _PUBLIC_MEMBERS.get(kty) if isinstance(kty, str) else None
    if members is None or not all(isinstance(entry.get(name), str) for name in members):
        return None
    try:
        key = PyJWK({"kty": kty} | {name: entry[name] for name in members}).key
    except (PyJWTError, ValueError):
        return None
    return key if isinstance(key, PublicKey) else None
