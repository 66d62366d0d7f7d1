"""The proved claims of a token to a Caller, with no type taken on faith.

A signature proves who wrote the claims (and so does having asked the server that gave out a token), not that they are well-formed: an issuer copies names and
groups from directories that others edit (J-13). So every claim has one type, a string is never
split into several roles, nothing is trimmed or folded, and times are numbers within reach.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateway.authn.base import NotYet
from gateway.authn.names import is_plain
from gateway.errors import CredentialsRefused
from policy import Caller, Kind, Means

__all__ = ["ClaimRules", "MAX_ROLES", "MAX_SCOPES"]

# Entra stops listing a user's groups in a token at 200, and refers to a URL instead.
MAX_ROLES = 500

# Genesys Cloud has some 200; nobody has a token for more.
MAX_SCOPES = 1_000

# RFC 6749 section 3.3, scope-token.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,256}")

# 9999-12-31T23:59:59Z, the last date that most libraries can hold.
_LAST_DATE = 253_402_300_799


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRules:
    """What a token of one issuer has to say, and where it says who is calling.

    None as `issuer` or `audience` asks for none: only where the token's own server was asked about
    it, `origin` being that server. Without a `scopes_claim` a token says nothing of scopes; with
    one, a token that lacks it has none.
    """

    issuer: str | None
    audience: str | None
    origin: str = ""
    means: Means = Means.JWT
    has_to_end: bool = True
    roles_claim: str = "roles"
    scopes_claim: str | None = None
    subject_claim: str = "sub"
    subject_prefix: str = ""
    leeway_seconds: float = 30.0

    def caller(self, claims: Mapping[str, Any], *, now: float) -> Caller:
        """Who is calling, or CredentialsRefused with the claim at fault."""
        expires_at = self._check_times(claims, now)
        if self.issuer is not None and claims.get("iss") != self.issuer:
            raise CredentialsRefused("the token's `iss` is not the issuer's name")
        if self.audience is not None:
            self._check_audience(claims.get("aud"))
        subject = _at(claims, self.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise CredentialsRefused(f"the token's `{self.subject_claim}` is not text")
        name = self.subject_prefix + subject
        if not is_plain(subject) or not is_plain(name):
            raise CredentialsRefused(f"the token's `{self.subject_claim}` is not a plain name")
        return Caller(
            subject=name,
            kind=_kind(claims, subject),
            means=self.means,
            issuer=self.issuer or self.origin,
            claims=self._roles(claims),
            scopes=self._scopes(claims),
            expires_at=expires_at,
        )

    def _check_times(self, claims: Mapping[str, Any], now: float) -> float | None:
        """RFC 7519, 4.1.4: "the current date/time MUST be before the expiration date/time"."""
        expires_at = _date(claims, "exp")
        if expires_at is None and self.has_to_end:
            raise CredentialsRefused("the token has no `exp`")
        if expires_at is not None and now >= expires_at + self.leeway_seconds:
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

    def _scopes(self, claims: Mapping[str, Any]) -> frozenset[str] | None:
        """RFC 9068, 2.2.3 and RFC 7662, 2.2: one text with spaces. Other makers write a list."""
        if self.scopes_claim is None:
            return None
        found = _at(claims, self.scopes_claim)
        if found is None:
            return frozenset()
        words = [word for word in found.split(" ") if word] if isinstance(found, str) else found
        if not isinstance(words, list) or len(words) > MAX_SCOPES:
            raise CredentialsRefused(f"the token's `{self.scopes_claim}` is no list of scopes")
        if not all(isinstance(word, str) and _SCOPE.fullmatch(word) for word in words):
            raise CredentialsRefused(f"the token's `{self.scopes_claim}` holds what is no scope")
        return frozenset(words)


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


def _kind(claims: Mapping[str, Any], subject: str) -> Kind:
    """RFC 9068, 2.2: without a resource owner, `sub` names the client application itself."""
    client = claims.get("client_id")
    is_client = client is not None and client in (claims.get("sub"), subject)
    return Kind.SERVICE if is_client else Kind.USER
