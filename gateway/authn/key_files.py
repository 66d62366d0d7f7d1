"""Keys from files: read whole, at start, where every fault can still stop the gateway, and again
when it is told to, where a fault leaves the former keys in place.

Only public keys belong beside a gateway. A file that holds the private half is refused, not used:
whoever reads that machine could sign tokens.
"""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.authn.jwk import Unusable, read_jwks
from gateway.authn.keys import KeySet, PublicKey, VerificationKey, algorithms_of

__all__ = ["read_jwk_file", "read_pem_file", "shared_secret"]

_MAX_FILE_BYTES = 262_144


def read_jwk_file(path: Path) -> KeySet:
    return read_jwks(_read(path))


def read_pem_file(path: Path) -> KeySet:
    """One public key, `-----BEGIN PUBLIC KEY-----` or the older `RSA PUBLIC KEY`."""
    text = _read(path)
    if b"PRIVATE KEY-----" in text:
        raise Unusable("a private key in it; put only the public half here")
    if text.count(b"-----BEGIN ") != 1:
        raise Unusable("not exactly one PEM block in it")
    try:
        key = load_pem_public_key(text)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Unusable("not a public key in PEM (`-----BEGIN PUBLIC KEY-----`)") from error
    algorithms = algorithms_of(key)
    if not isinstance(key, PublicKey) or not algorithms:
        raise Unusable("not RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519")
    return KeySet([VerificationKey(None, algorithms, key)])


def shared_secret(secret: bytes, algorithms: frozenset[str]) -> KeySet:
    """RFC 7518, 3.2: "a key of the same size as the hash output or larger MUST be used"."""
    usable = frozenset(name for name in algorithms if len(secret) * 8 >= int(name[2:]))
    if usable != algorithms:
        raise Unusable("shorter than its algorithm's hash; make one with `openssl rand -hex 64`")
    return KeySet([VerificationKey(None, usable, secret)])


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Unusable((error.strerror or "it cannot be opened").lower()) from error
    if len(text) > _MAX_FILE_BYTES:
        raise Unusable("larger than any key file")
    return text
