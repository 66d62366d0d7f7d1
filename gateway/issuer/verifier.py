"""Our own tokens, verified as those of others are: by their signature first, then by what they say.

The caller is the client's name in the clients file, and holds what the policy's `clients` give it.
What makes a token end before its time, its client's state and the revocations, is asked here once
more at each look-up of a remembered caller (`Issuer.stands`), since both change within a second.
"""

from collections.abc import Callable

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from gateway.authn.base import NotYet, Readiness
from gateway.authn.cache import configuration_digest
from gateway.authn.challenge import bearer_challenge
from gateway.authn.token import UnprovedToken, read_object
from gateway.errors import CredentialsRefused
from gateway.issuer.issuer import Issuer
from gateway.issuer.tokens import ClientCaller, TokenClaims, read_claims
from policy import Caller, Kind, Means

__all__ = ["OwnTokens"]

_jws = PyJWS(["EdDSA", "ES256", "RS256"], {"enforce_minimum_key_length": True})


class OwnTokens:
    """A verifier of the tokens that our issuer signs."""

    scheme = "bearer"

    def __init__(self, issuer: Issuer, *, realm: str, cache_seconds: float) -> None:
        self._issuer = issuer
        self.stands = issuer.stands
        self.cache_seconds = cache_seconds
        self.challenge = bearer_challenge(realm)
        settings = issuer.settings
        self.configuration = configuration_digest("own", settings.issuer, settings.audience)

    def __repr__(self) -> str:
        return f"OwnTokens({self._issuer!r})"

    async def verify(self, credentials: bytes) -> Caller | None:
        token = UnprovedToken.parse(credentials)
        if token is None or token.issuer != self._issuer.settings.issuer:
            return None
        claims = self.proved(token)
        if claims.client_id not in self._issuer.held.clients:
            # It is ours, so another process knew the client: perhaps it was made just now.
            await self._issuer.look(at_once=True)
        client = self._issuer.client_of(claims)
        if client is None:
            raise CredentialsRefused("the token was revoked, or its client is disabled or gone")
        return ClientCaller(
            subject=client.name,
            kind=Kind.SERVICE,
            means=Means.CLIENT_CREDENTIALS,
            issuer=token.issuer,
            scopes=None if claims.scopes is None else frozenset(claims.scopes),
            expires_at=float(claims.expires_at),
            client_id=client.id,
            token_id=claims.token_id,
            issued_at=claims.issued_at,
        )

    def claims(self, text: bytes) -> TokenClaims | None:
        """What a token of ours says; None for any other, and for one that has ended."""
        try:
            token = UnprovedToken.parse(text)
            if token is None or token.issuer != self._issuer.settings.issuer:
                return None
            return self.proved(token)
        except CredentialsRefused:
            return None

    def proved(self, token: UnprovedToken) -> TokenClaims:
        """What the signed bytes say (J-18). Raises CredentialsRefused."""
        key = self._issuer.held.keys.by_kid.get(token.kid or "")
        if key is None:
            # Another process may have read a key a moment before this one: not to be remembered.
            raise NotYet("no key of ours has the token's `kid`")
        if token.algorithm != key.algorithm:
            raise CredentialsRefused("the token's `alg` is not that of its key")
        try:
            proved = _jws.decode_complete(token.text, key.public, algorithms=[key.algorithm])
        except PyJWTError as error:
            raise CredentialsRefused("the token's signature is wrong") from error
        if proved["header"].get("typ") != "at+jwt":
            # RFC 9068 section 4; a key that signs something else as well must not open us.
            raise CredentialsRefused("the token is not an access token")
        settings = self._issuer.settings
        return read_claims(
            read_object(proved["payload"], "payload"),
            issuer=settings.issuer,
            audience=settings.audience,
            now=self._issuer.clock.wall(),
        )

    async def start(self, forget: Callable[[], None]) -> None:
        """Whoever made the issuer starts it."""

    async def close(self) -> None:
        """And closes it: it outlives every change of the other verifiers."""

    def ready(self) -> Readiness:
        issuer = self._issuer
        words = f"{len(issuer.held.clients)} clients"
        if issuer.is_stale:
            words += ", the last good ones: their files are refused now"
        return True, words
