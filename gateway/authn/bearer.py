"""Bearer tokens (RFC 6750): a JWT of an issuer that we trust, signed with that issuer's own key.

The order is the defence. The unproved `iss` chooses the issuer and decides nothing else; the
issuer's list of algorithms is asked before any key is; the key is the issuer's, found by `kid`,
and already bound to its algorithms; the claims are read from the bytes whose signature was right.
PyJWT does the cryptography. Dates are checked in `claims`, since PyJWT would read the clock itself.
"""

import asyncio
from collections.abc import Callable, Iterable

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from gateway.authn.base import Readiness
from gateway.authn.cache import configuration_digest
from gateway.authn.challenge import bearer_challenge
from gateway.authn.claims import ClaimRules
from gateway.authn.keys import KeySource
from gateway.authn.token import UnprovedToken, read_object
from gateway.clock import Clock
from gateway.errors import CredentialsRefused
from policy import Caller

__all__ = ["BearerVerifier", "TrustedIssuer"]


class TrustedIssuer:
    """One issuer: which algorithms and keys prove its tokens, and what they have to say."""

    def __init__(
        self, rules: ClaimRules, *, algorithms: Iterable[str], keys: KeySource, origin: str = ""
    ) -> None:
        if rules.issuer is None or rules.audience is None:
            raise ValueError("whoever proves tokens by a signature has to know issuer and audience")
        self.issuer = rules.issuer
        self.rules = rules
        self.keys = keys
        self.algorithms = frozenset(algorithms)
        self._jws = PyJWS(sorted(self.algorithms), {"enforce_minimum_key_length": True})
        # `origin` says where the keys come from; the same claims proved elsewhere are not the same.
        self.configuration = configuration_digest(repr(rules), *sorted(self.algorithms), origin)

    def __repr__(self) -> str:
        return f"TrustedIssuer({self.issuer!r}, {'/'.join(sorted(self.algorithms))})"

    async def proved_claims(self, token: UnprovedToken) -> dict[str, object]:
        if token.algorithm not in self.algorithms:
            raise CredentialsRefused("the token's `alg` is not allowed for its issuer")
        key = await self.keys.find(token.kid, token.algorithm)
        try:
            proved = self._jws.decode_complete(
                token.text, key.material, algorithms=[token.algorithm]
            )
        except PyJWTError as error:
            raise CredentialsRefused("the token's signature is wrong") from error
        return read_object(proved["payload"], "payload")


class BearerVerifier:
    """Every trusted issuer, each for its own tokens only."""

    scheme = "bearer"

    def __init__(
        self, issuers: Iterable[TrustedIssuer], *, clock: Clock, realm: str, cache_seconds: float
    ) -> None:
        self._issuers: dict[str, TrustedIssuer] = {}
        for issuer in issuers:
            if self._issuers.setdefault(issuer.issuer, issuer) is not issuer:
                raise ValueError(f"the issuer `{issuer.issuer}` is there twice")
        self._wall = clock.wall
        self.cache_seconds = cache_seconds
        self.challenge = bearer_challenge(realm)
        self.configuration = configuration_digest(
            self.scheme, *(issuer.configuration for issuer in self._issuers.values())
        )

    def __repr__(self) -> str:
        return f"BearerVerifier({list(self._issuers.values())!r})"

    async def verify(self, credentials: bytes) -> Caller | None:
        token = UnprovedToken.parse(credentials)
        issuer = self._issuers.get(token.issuer) if token is not None else None
        if token is None or issuer is None:
            return None
        claims = await issuer.proved_claims(token)
        return issuer.rules.caller(claims, now=self._wall())

    async def start(self, forget: Callable[[], None]) -> None:
        await asyncio.gather(*(keys.start(forget) for keys in self._sources()))

    async def close(self) -> None:
        for keys in self._sources():
            await keys.close()

    def ready(self) -> Readiness:
        states = {name: issuer.keys.ready() for name, issuer in self._issuers.items()}
        detail = "; ".join(f"{name}: {words}" for name, (_, words) in states.items())
        return all(ready for ready, _ in states.values()), detail

    def _sources(self) -> list[KeySource]:
        """Two issuers may share one source."""
        return list({id(issuer.keys): issuer.keys for issuer in self._issuers.values()}.values())
