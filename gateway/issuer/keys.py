"""The keys that our tokens are signed with: from files, in order, each bound to one algorithm.

The first key signs, all verify and all are published, so that a key is changed without any token
being refused: put the new one first and keep the old one behind it until its tokens have ended.

Several processes read the same files, and not at the same instant. So a key signs only once it is
old enough for everybody to have it; until then the one before goes on. A key's name is its
thumbprint (RFC 7638), which is the same in every process and on every machine.
"""

import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from gateway.authn.jwk import Unusable
from gateway.authn.keys import PublicKey, algorithms_of
from gateway.authn.signing import PrivateKey

__all__ = ["RIPE_SECONDS", "KeyRing", "SigningKey", "read_key_ring"]

RIPE_SECONDS = 5.0
"""A key signs once it has been there for so long: every process has read it by then."""

_MAX_FILE_BYTES = 65_536
_BEGIN = b"-----BEGIN "
# What a token is signed with, of the algorithms that each kind of key is bound to.
_SIGNS = ("EdDSA", "ES256", "RS256")


class SigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key; without its private half it only verifies. `since` is seconds since the epoch."""

    kid: str
    algorithm: str
    public: PublicKey
    private: PrivateKey | None
    since: float
    jwk: Mapping[str, str]

    def __repr__(self) -> str:
        return f"SigningKey({self.kid!r}, {self.algorithm})"

    @property
    def is_slow(self) -> bool:
        """Whether signing takes milliseconds, for which nobody else should wait."""
        return isinstance(self.private, RSAPrivateKey)

    def signed(self, claims: Mapping[str, Any]) -> str:
        """A token that says so (RFC 9068 section 2.1: `typ` is `at+jwt`)."""
        assert self.private is not None  # noqa: S101 - only such keys are chosen
        header = {"kid": self.kid, "typ": "at+jwt"}
        return jwt.encode(dict(claims), self.private, self.algorithm, headers=header)


class KeyRing:
    """The keys at one time, the first foremost. Raises Unusable where none of them can sign."""

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        # The same key twice is what one step of a rotation may look like.
        self.by_kid: Mapping[str, SigningKey] = {}
        for key in keys:
            known = self.by_kid.get(key.kid)
            if known is None or known.private is None:
                self.by_kid = {**self.by_kid, key.kid: key}
        self._signing = [key for key in self.by_kid.values() if key.private is not None]
        if not self._signing:
            raise Unusable("no private key is among them, so nothing could be signed")

    def __repr__(self) -> str:
        return f"KeyRing({list(self.by_kid.values())!r})"

    def signer(self, now: float, former: str = "") -> SigningKey:
        """The key to sign with at `now`; `former` is the `kid` of the one that did so far."""
        for key in self._signing:
            if now - key.since >= RIPE_SECONDS:
                return key
        known = self.by_kid.get(former)
        return known if known is not None and known.private is not None else self._signing[-1]

    def jwks(self) -> bytes:
        """The public halves, as a JWK Set (RFC 7517 section 5)."""
        keys = [
            {**key.jwk, "kid": key.kid, "use": "sig", "alg": key.algorithm}
            for key in self.by_kid.values()
        ]
        return msgspec.json.encode({"keys": keys})


def read_key_ring(files: Sequence[Path], now: float) -> KeyRing:
    """The keys of all files, in order. Raises Unusable, which names the file."""
    keys: list[SigningKey] = []
    for path in files:
        try:
            keys += _keys_in(path, now)
        except Unusable as fault:
            raise Unusable(f"`{path}`: {fault}") from None
    return KeyRing(keys)


def _keys_in(path: Path, now: float) -> Iterable[SigningKey]:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
        # The change time, since `cp --preserve` and `mv` keep the other one.
        changed = path.stat().st_ctime
    except OSError as error:
        raise Unusable((error.strerror or "it cannot be opened").lower()) from None
    if len(text) > _MAX_FILE_BYTES:
        raise Unusable("larger than any file of keys")
    _, *blocks = text.split(_BEGIN)
    if not blocks:
        raise Unusable("no key in PEM in it; make one with `openssl genpkey -algorithm ed25519`")
    return [_key(_BEGIN + block, min(changed, now)) for block in blocks]


def _key(pem: bytes, since: float) -> SigningKey:
    private: PrivateKey | None = None
    try:
        if b"PRIVATE KEY-----" in pem:
            loaded = load_pem_private_key(pem, None)
            private = loaded if isinstance(loaded, PrivateKey) else None
            public: object = private.public_key() if private is not None else None
        else:
            public = load_pem_public_key(pem)
    except TypeError:  # the library's way of asking for a passphrase
        raise Unusable("encrypted, and there is nobody to ask for its passphrase") from None
    except (ValueError, UnsupportedAlgorithm):
        raise Unusable("something in it is not a key in PEM") from None
    algorithm = next((name for name in _SIGNS if name in algorithms_of(public)), None)
    if algorithm is None or not isinstance(public, PublicKey):
        raise Unusable("a key in it is not Ed25519, P-256 or RSA of 2048 to 8192 bits")
    jwk = _jwk(public)
    return SigningKey(
        kid=_thumbprint(jwk), algorithm=algorithm, public=public, private=private, since=since,
        jwk=jwk,
    )  # fmt: skip


def _jwk(key: PublicKey) -> dict[str, str]:
    """The members that make up the public key (RFC 7638 section 3.2, RFC 8037 section 2)."""
    found: Mapping[str, Any]
    members: tuple[str, ...]
    if isinstance(key, RSAPublicKey):
        found, members = RSAAlgorithm.to_jwk(key, as_dict=True), ("e", "kty", "n")
    elif isinstance(key, EllipticCurvePublicKey):
        found, members = ECAlgorithm.to_jwk(key, as_dict=True), ("crv", "kty", "x", "y")
    else:
        found, members = OKPAlgorithm.to_jwk(key, as_dict=True), ("crv", "kty", "x")
    return {name: str(found[name]) for name in members}


def _thumbprint(jwk: Mapping[str, str]) -> str:
    text = json.dumps(dict(jwk), sort_keys=True, separators=(",", ":"))
    return urlsafe_b64encode(hashlib.sha256(text.encode("ascii")).digest()).decode().rstrip("=")
