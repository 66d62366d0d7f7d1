"""From one `Authorization` header to a Caller: ask the verifiers in order, remember the answer.

On the hot path nothing waits: `cached(digest(header))` is a hash and a look-up. On a miss, equal
credentials that arrive together are proved once, and only bit for bit equal ones (J-11). The proof
belongs to nobody's connection, so a client that leaves takes nothing away from the others.
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from gateway.authn.base import NotYet, Readiness, Verifier
from gateway.authn.cache import CallerCache, Refusal, configuration_digest
from gateway.authn.challenge import OAUTH_ERRORS, bearer_challenge, with_error
from gateway.authn.credentials import Credentials
from gateway.clock import Clock
from gateway.errors import CredentialsRefused, IdentityUnavailable
from gateway.tasks import Tasks
from policy import ANONYMOUS, Caller

__all__ = ["Authenticator"]


class Unavailable(NamedTuple):
    """Nobody could tell."""

    detail: str


Answer = Caller | Refusal | Unavailable


class Authenticator:
    """Who is asking.

    `hits`, `misses` and `refused` count look-ups: answered with a remembered caller, proved
    anew, answered with a remembered refusal.
    """

    def __init__(
        self, verifiers: Sequence[Verifier], *, clock: Clock, cache_entries: int, realm: str
    ) -> None:
        self._verifiers = tuple(verifiers)
        self._cache = CallerCache(
            clock=clock,
            entries=cache_entries,
            configuration=configuration_digest(*(each.configuration for each in verifiers)),
        )
        self._tasks = Tasks("identity")
        self._under_way: dict[bytes, asyncio.Task[Answer]] = {}
        self._schemes = frozenset(each.scheme for each in verifiers)
        # RFC 9110, 15.5.2: a 401 "MUST send a WWW-Authenticate header", even with nobody to ask.
        by_scheme = {each.scheme: each.challenge for each in verifiers}
        by_scheme = by_scheme or {"bearer": bearer_challenge(realm)}
        self.challenges = tuple(by_scheme.values())
        self._challenges_after = {
            error: tuple(
                with_error(challenge, error) if OAUTH_ERRORS.get(scheme) == error else challenge
                for scheme, challenge in by_scheme.items()
            )
            for error in OAUTH_ERRORS.values()
        }
        self.hits = 0
        self.misses = 0
        self.refused = 0

    def __repr__(self) -> str:
        return f"Authenticator({list(self._verifiers)!r}, {self._cache!r})"

    def digest(self, authorization: bytes) -> bytes:
        """The key under which these credentials are remembered; not the credentials."""
        return self._cache.key(authorization)

    def cached(self, key: bytes) -> Caller | None:
        caller = self._cache.find(key)
        if caller is not None:
            self.hits += 1
        return caller

    async def identify(self, authorization: bytes | None) -> Caller:
        """The caller; CredentialsRefused or IdentityUnavailable if there is no telling."""
        if authorization is None:
            return ANONYMOUS
        credentials = Credentials.parse(authorization)
        if credentials.scheme not in self._schemes:
            raise CredentialsRefused("the scheme of the credentials is not served")
        key = self.digest(authorization)
        caller = self.cached(key)
        if caller is not None:
            return caller
        refusal = self._cache.refusal(key)
        if refusal is not None:
            self.refused += 1
            raise CredentialsRefused(refusal.detail, oauth_error=refusal.oauth_error)
        self.misses += 1
        return await self._proved(key, credentials)

    def challenges_after(self, refusal: CredentialsRefused) -> tuple[bytes, ...]:
        """The `WWW-Authenticate` values for a 401 that answers refused credentials."""
        return self._challenges_after.get(refusal.oauth_error, self.challenges)

    def forget(self) -> None:
        """Prove everybody anew: something that was remembered may no longer be true."""
        self._cache.clear()

    async def start(self) -> None:
        await asyncio.gather(*(verifier.start(self.forget) for verifier in self._verifiers))

    async def close(self) -> None:
        await self._tasks.close()
        for verifier in self._verifiers:
            await verifier.close()

    def ready(self) -> Readiness:
        states = [(each.scheme, *each.ready()) for each in self._verifiers]
        detail = "; ".join(f"{scheme}: {words}" for scheme, _, words in states)
        return all(ready for _, ready, _ in states), detail or "nobody can log in"

    async def _proved(self, key: bytes, credentials: Credentials) -> Caller:
        proof = self._under_way.get(key)
        if proof is None:
            proof = self._tasks.start(self._prove(key, credentials), name=credentials.scheme)
            self._under_way[key] = proof
        await asyncio.wait({proof})  # being cancelled here leaves the proof alone
        if proof.cancelled():
            raise IdentityUnavailable("the gateway is shutting down")
        answer = proof.result()
        if isinstance(answer, Refusal):
            raise CredentialsRefused(answer.detail, oauth_error=answer.oauth_error)
        if isinstance(answer, Unavailable):
            raise IdentityUnavailable(answer.detail)
        return answer

    async def _prove(self, key: bytes, credentials: Credentials) -> Answer:
        """The answer as a value: several may wait for it, and each raises its own exception."""
        try:
            return await self._ask(key, credentials)
        except CredentialsRefused as refused:
            refusal = Refusal(refused.detail, OAUTH_ERRORS.get(credentials.scheme, ""))
            if not isinstance(refused, NotYet):
                self._cache.keep_refusal(key, refusal)
            return refusal
        except IdentityUnavailable as unavailable:
            return Unavailable(unavailable.detail)
        finally:
            del self._under_way[key]

    async def _ask(self, key: bytes, credentials: Credentials) -> Caller:
        for verifier in self._verifiers:
            if verifier.scheme == credentials.scheme:
                caller = await verifier.verify(credentials.word)
                if caller is not None:
                    self._cache.keep(key, caller, seconds=verifier.cache_seconds)
                    return caller
        raise CredentialsRefused("nobody here can verify these credentials")
