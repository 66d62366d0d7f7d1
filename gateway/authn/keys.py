"""Public keys, each bound to the algorithms it may be used with, and the choice among them.

The binding is what defeats algorithm confusion (CVE-2022-29217 and its kin): a token's `alg` never
says how to use a key, it only has to be one that the key was bound to when it was read. A P-256
key is for ES256 alone; a shared secret comes from its own file and never from a key set.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    SECP521R1,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from gateway.authn.base import Readiness
from gateway.errors import CredentialsRefused

__all__ = ["FixedKeys", "KeySet", "KeySource", "PublicKey", "VerificationKey", "algorithms_of"]

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

# NIST SP 800-131A, RFC 7518 3.3: "a key of size 2048 bits or larger MUST be used".
_MIN_RSA_BITS = 2048
# Verifying with a huge modulus is a way to burn our time; OpenSSL stops at 16,384 bits.
_MAX_RSA_BITS = 8192

_RSA = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"})
_CURVES = (
    (SECP256R1, frozenset({"ES256"})),
    (SECP384R1, frozenset({"ES384"})),
    (SECP521R1, frozenset({"ES512"})),
)


class VerificationKey(NamedTuple):
    """One key: its name if it has one, what it may verify, and the key itself."""

    kid: str | None
    algorithms: frozenset[str]
    material: PublicKey | bytes

    def __repr__(self) -> str:
        return f"VerificationKey({self.kid!r}, {'/'.join(sorted(self.algorithms))})"


def algorithms_of(key: object) -> frozenset[str]:
    """What a public key can verify; nothing for keys that are too weak, too large or unknown."""
    if isinstance(key, RSAPublicKey):
        return _RSA if _MIN_RSA_BITS <= key.key_size <= _MAX_RSA_BITS else frozenset()
    if isinstance(key, EllipticCurvePublicKey):
        fitting = (names for curve, names in _CURVES if isinstance(key.curve, curve))
        return next(fitting, frozenset())
    return frozenset({"EdDSA"}) if isinstance(key, Ed25519PublicKey) else frozenset()


class KeySet:
    """The keys of one issuer at one time."""

    def __init__(self, keys: Iterable[VerificationKey]) -> None:
        self.keys = tuple(keys)

    def __len__(self) -> int:
        return len(self.keys)

    def __repr__(self) -> str:
        return f"KeySet({list(self.keys)!r})"

    def choose(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        """The one key that can be meant, or None: with two candidates nobody guesses.

        A key without a name may be meant by any token whose `kid` no other key has.
        """
        fitting = [key for key in self.keys if algorithm in key.algorithms]
        if kid is not None:
            named = [key for key in fitting if key.kid == kid]
            fitting = named or [key for key in fitting if key.kid is None]
        return fitting[0] if len(fitting) == 1 else None

    def lacks_any_of(self, former: "KeySet") -> bool:
        """Whether a key was withdrawn; public keys compare by value."""
        return any(key not in self.keys for key in former.keys)


class KeySource(Protocol):
    """Where an issuer's keys come from."""

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey:
        """The key, or CredentialsRefused (NotYet where more keys may come) if there is none.

        IdentityUnavailable if nobody can tell just now.
        """

    async def start(self, withdrawn: Callable[[], None]) -> None:
        """Get ready; from now on, call `withdrawn` when a key is no longer the issuer's."""

    async def close(self) -> None: ...

    def ready(self) -> Readiness: ...


class FixedKeys:
    """Keys from a file, read once. A single key is meant whatever the token calls it."""

    def __init__(self, keys: KeySet) -> None:
        only = keys.keys[0] if len(keys) == 1 else None
        self._keys = KeySet([only._replace(kid=None)]) if only else keys

    def __repr__(self) -> str:
        return f"FixedKeys({self._keys!r})"

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey:
        key = self._keys.choose(kid, algorithm)
        if key is None:
            raise CredentialsRefused("no single key of the issuer fits the token's `kid` and `alg`")
        return key

    async def start(self, withdrawn: Callable[[], None]) -> None:
        """Nothing to fetch, and nothing is ever withdrawn."""

    async def close(self) -> None:
        """Nothing to let go."""

    def ready(self) -> Readiness:
        return True, f"{len(self._keys)} from a file"
