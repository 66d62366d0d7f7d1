"""Signing a token with a development key: what `ucs-gateway token` and the demo need.

The gateway itself never signs anything; this is for trying it out before there is an issuer.
"""

from collections.abc import Sequence

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from gateway.authn.keys import algorithms_of
from gateway.clock import Clock, SystemClock

__all__ = ["PrivateKey", "fitting_algorithm", "sign_token"]

PrivateKey = RSAPrivateKey | EllipticCurvePrivateKey | Ed25519PrivateKey

# What to sign with where a key can do several things.
_PREFERRED = "RS256"


def fitting_algorithm(key: PrivateKey, wanted: str | None = None) -> str:
    """What the key signs with, or ValueError if no gateway would accept that."""
    fitting = sorted(algorithms_of(key.public_key()))
    if not fitting:
        raise ValueError(
            "the key is too weak or of a curve that no gateway accepts;"
            " use Ed25519, P-256, P-384, P-521 or RSA of 2048 to 8192 bits"
        )
    if wanted is None:
        return _PREFERRED if _PREFERRED in fitting else fitting[0]
    if wanted not in fitting:
        names = " or ".join(f"`{name}`" for name in fitting)
        raise ValueError(f"`{wanted}` does not fit the key; use {names}")
    return wanted


def sign_token(
    key: PrivateKey,
    *,
    subject: str,
    roles: Sequence[str],
    issuer: str,
    audience: str,
    seconds: int,
    algorithm: str | None = None,
    clock: Clock | None = None,
) -> str:
    """A token that says so, good from now on for so many seconds."""
    now = int((clock or SystemClock()).wall())
    claims: dict[str, object] = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": now,
        "exp": now + seconds,
    }
    if roles:
        claims["roles"] = list(roles)
    return jwt.encode(claims, key, algorithm=fitting_algorithm(key, algorithm))
