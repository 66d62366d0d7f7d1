"""The proved claims of a token to a Caller, with no type taken on faith.

A signature proves who wrote the claims, not that they are well-formed: an issuer copies names and
groups from directories that others edit (J-13). So every claim has one type, a string is never
split into several roles, nothing is trimmed or folded, and times are numbers within reach.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.authn.base import NotYet
from gateway.authn.names import is_plain
from gateway.errors import CredentialsRefused
from policy import Caller, Kind, Means

__all__ = ["ClaimRules", "MAX_ROLES"]

# Entra stops listing a user's groups in a token at 200, and refers to a URL instead.
MAX_ROLES = 500

# 9999-12-31T23:59:59Z, the last date that most libraries can hold.
_LAST_DATE = 253_402_300_799


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """What a token of one issuer has to say, and where it says who is calling."""

    issuer: str
    audience: str
    roles_claim: str = "roles"
    subject_claim: str = "sub"
    subject_prefix: str = ""
    leeway_seconds: float = 30.0

    def caller(self, claims: Mapping[str, Any], *, now: float) -> Caller:
        """Who is calling, or CredentialsRefused with the claim at fault."""
        expires_at = self._check_times(claims, now)
        if claims.get("iss") != self.issuer:
            raise CredentialsRefused("the token's `iss` is not the issuer's name")
        self._check_audience(claims.get("aud"))
        subject = _at(claims, self.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise CredentialsRefused(f"the token's `{self.subject_claim}` is not text")
        name = self.subject_prefix + subject
        if not is_plain(subject) or not is_plain(name):
            raise CredentialsRefused(f"the token's `{self.subject_claim}` is not a plain name")
        return Caller(
            subject=name,
            kind=_kind(claims),
            means=Means.JWT,
            issuer=self.issuer,
            claims=self._roles(claims),
            expires_at=expires_at,
        )

    def _check_times(self, claims: Mapping[str, Any], now: float) -> float:
        """RFC 7519, 4.1.4: "the current date/time MUST be before the expiration date/time"."""
        expires_at = _date(claims, "exp")
        if expires_at is None:
            raise CredentialsRefused("the token has no `exp`")
        if now >= expires_at + self.leeway_seconds:
            raise CredentialsRefused("the token has expired")
        for name in ("nbf", "iat"):
            date = _date(claims, name)
            if date is not None and now < date - self.leeway_seconds:
                raise NotYet(f"the token's `{name}` is in the future")
        return expires_at

    def _check_audience(self, audience: Any) -> None:
        names = audience if isinstance(audience, list) else [audience]
        if not all(isinstance(name, str) for name in names) or self.audience not in names:
            raise CredentialsRefused("the token's `aud` is not, or does not contain, this gateway")

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[str]:
        found = _at(claims, self.roles_claim)
        if found is None:
            return frozenset()
        values = found if isinstance(found, list) else [found]
        if not all(isinstance(value, str) for value in values):
            raise CredentialsRefused(f"the token's `{self.roles_claim}` is not a list of text")
        if len(values) > MAX_ROLES:
            raise CredentialsRefused(
                f"the token's `{self.roles_claim}` has over {MAX_ROLES} values"
            )
        # One odd group among a user's many must not lock that user out. It grants nothing.
        return frozenset(value for value in values if is_plain(value))


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """The claim at a dotted path. A name with `/` in it is a URI, and whole (RFC 7519, 4.2)."""
    value: Any = claims
    for step in [path] if "/" in path else path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(step)
    return value


def _date(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate; None if the claim is absent, refused if it is there and is anything else."""
    if name not in claims:
        return None
    date = claims[name]
    if isinstance(date, bool) or not isinstance(date, int | float):
        raise CredentialsRefused(f"the token's `{name}` is not a number")
    if not 0 <= date <= _LAST_DATE:  # neither is NaN or infinity
        raise CredentialsRefused(f"the token's `{name}` is out of range")
    return float(date)


def _kind(claims: Mapping[str, Any]) -> Kind:
    """RFC 9068, 2.2: without a resource owner, `sub` names the client application itself."""
    client = claims.get("client_id")
    return Kind.SERVICE if client is not None and client == claims.get("sub") else Kind.USER
