"""What our tokens say (RFC 9068), written and read by the same hands.

A token says who it was issued to, by id, and nothing of what that client may do: roles and scopes
are the policy's, at the moment of each request. Only where a client asked for less than it has
does the token say so, and then it is never worth more.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from gateway.errors import CredentialsRefused
from policy import Caller

__all__ = ["MAX_SCOPE_LENGTH", "ClientCaller", "TokenClaims", "claims_of", "read_claims"]

MAX_SCOPE_LENGTH = 3_000
"""A token has to fit into a header line of 8 KiB, as base64 of what is base64 already."""

# 9999-12-31T23:59:59Z, the last date that most libraries can hold.
_LAST_DATE = 253_402_300_799
_TEXTS = ("sub", "client_id", "jti")


class ClientCaller(Caller, frozen=True, kw_only=True):
    """A client that our own token endpoint vouches for, and the token that it showed."""

    client_id: str
    token_id: str
    issued_at: float


class TokenClaims(msgspec.Struct, frozen=True, kw_only=True):
    """A token as it was issued. Times are seconds since the epoch.

    `scopes` are None where the client asked for none, which leaves it to the policy.
    """

    client_id: str
    token_id: str
    issued_at: int
    expires_at: int
    scopes: tuple[str, ...] | None = None


def claims_of(token: TokenClaims, *, issuer: str, audience: str) -> dict[str, Any]:
    """RFC 9068 section 2.2: iss, exp, aud, sub, client_id, iat, jti, and scope if one was asked."""
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": token.client_id,
        "client_id": token.client_id,
        "iat": token.issued_at,
        "exp": token.expires_at,
        "jti": token.token_id,
    }
    if token.scopes is not None:
        claims["scope"] = " ".join(token.scopes)
    return claims


def read_claims(
    claims: Mapping[str, Any], *, issuer: str, audience: str, now: float
) -> TokenClaims:
    """What proved claims say, or CredentialsRefused with the one at fault (J-6, J-7, J-13).

    The signature was ours, so nothing else can be there; it is looked at all the same.
    """
    if claims.get("iss") != issuer or claims.get("aud") != audience:
        raise CredentialsRefused("the token's `iss` or `aud` is not ours")
    if not all(isinstance(claims.get(name), str) and claims[name] for name in _TEXTS):
        raise CredentialsRefused("the token's `sub`, `client_id` or `jti` is not text")
    if claims["sub"] != claims["client_id"]:
        raise CredentialsRefused("the token's `sub` is not its `client_id`")
    issued_at, expires_at = claims.get("iat"), claims.get("exp")
    for date in (issued_at, expires_at):
        if type(date) is not int or not 0 <= date <= _LAST_DATE:
            raise CredentialsRefused("the token's `iat` or `exp` is not a date")
    if now >= expires_at:  # type: ignore[operator]
        raise CredentialsRefused("the token has expired")
    scope = claims.get("scope")
    if scope is not None and not isinstance(scope, str):
        raise CredentialsRefused("the token's `scope` is not text")
    return TokenClaims(
        client_id=claims["client_id"],
        token_id=claims["jti"],
        issued_at=issued_at,  # type: ignore[arg-type]
        expires_at=expires_at,  # type: ignore[arg-type]
        scopes=None if scope is None else tuple(scope.split(" ")) if scope else (),
    )
