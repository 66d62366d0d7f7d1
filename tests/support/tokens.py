"""Tokens of a test issuer: a fresh P-256 key a run, real signatures."""

import time
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "https://login.test/"
AUDIENCE = "ucs-gateway"

_key = ec.generate_private_key(ec.SECP256R1())


def public_pem(folder: Path) -> Path:
    path = folder / "issuer.pem"
    path.write_bytes(
        _key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    return path


def token(subject: str = "anna", roles: tuple[str, ...] = (), **claims: Any) -> str:
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "roles": list(roles),
        "exp": int(time.time()) + 86_400,  # `bearer` keeps it for as long as a run may take
        **claims,
    }
    return jwt.encode(payload, _key, algorithm="ES256")


@cache
def bearer(subject: str = "anna", roles: tuple[str, ...] = (), **claims: Any) -> bytes:
    """The value of an `Authorization` header; the same token for the same question."""
    return f"Bearer {token(subject, roles, **claims)}".encode()
