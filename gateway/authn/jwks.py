"""An issuer's published keys: fetched early, kept while the issuer is away, renewed in time.

Nothing here waits for a timer. A look-up that finds the keys old starts a fetch and goes on with
what it has. Only one that has too little to go on waits for the fetch: with no keys yet, with keys
twice as old as they should be (unless the issuer is known to be away), with a `kid` nobody knows.
There is one fetch at a time. It belongs to the source and not to the client that happened to ask
first, so it outlives that client's connection.

A made-up `kid` costs a stranger nothing. So those ask for at most one fetch per cool-down, and
after a failure every other fetch observes the cool-down too.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from gateway.authn.base import NotYet, Readiness
from gateway.authn.jwk import Unusable, read_jwks
from gateway.authn.keys import KeySet, VerificationKey
from gateway.clock import Clock
from gateway.errors import IdentityUnavailable
from gateway.logs import get as get_logger
from gateway.outbound.fetch import FetchFailed
from gateway.tasks import Tasks

__all__ = ["PublishedKeys"]

_log = get_logger("gateway.authn.jwks")

_NEVER = float("-inf")


class Document(Protocol):
    """Something published that can be fetched anew."""

    @property
    def url(self) -> str: ...

    async def fetch(self) -> bytes:
        """The document, or FetchFailed."""

    async def close(self) -> None: ...


class PublishedKeys:
    """The keys behind one URL."""

    def __init__(
        self,
        document: Document,
        *,
        clock: Clock,
        refresh_seconds: float,
        cooldown_seconds: float,
    ) -> None:
        self._document = document
        self._now = clock.monotonic
        self._refresh_seconds = refresh_seconds
        self._cooldown_seconds = cooldown_seconds
        self._withdrawn: Callable[[], None] | None = None
        self._users = 0
        self._tasks = Tasks("jwks")
        self._under_way: asyncio.Task[None] | None = None
        self._keys: KeySet | None = None
        self._fetched_at = _NEVER
        self._failed_at = _NEVER
        self._asked_at = _NEVER  # by an unknown kid
        self._error = "not fetched yet"

    def __repr__(self) -> str:
        return f"PublishedKeys({self._document.url!r}, {self.ready()[1]})"

    async def find(self, kid: str | None, algorithm: str) -> VerificationKey:
        age = self._now() - self._fetched_at
        waited = False
        if self._keys is None or (age >= 2 * self._refresh_seconds and not self._error):
            waited = await self._renewed()
        elif age >= self._refresh_seconds:
            self._renew()
        key = self._choose(kid, algorithm)
        if key is None and not waited and await self._renewed(asked_by_kid=True):
            key = self._choose(kid, algorithm)
        if key is not None:
            return key
        if self._error:
            raise IdentityUnavailable(f"no key of {self._document.url} fits, and {self._error}")
        raise NotYet("no single key of the issuer fits the token's `kid` and `alg`")

    async def start(self, withdrawn: Callable[[], None]) -> None:
        """Fetch for the first time; an issuer that is away does not keep the gateway from going.

        Each start wants its close: verifiers that are replaced leave the keys to their successors.
        """
        self._withdrawn = withdrawn
        self._users += 1
        if self._users == 1:
            await self._renewed()

    async def close(self) -> None:
        self._users -= 1
        if self._users > 0:
            return
        await self._tasks.close()
        await self._document.close()

    def ready(self) -> Readiness:
        if self._keys is None:
            return False, self._error
        stale = f", kept although {self._error}" if self._error else ""
        return True, f"{len(self._keys)} published{stale}"

    def _choose(self, kid: str | None, algorithm: str) -> VerificationKey | None:
        return None if self._keys is None else self._keys.choose(kid, algorithm)

    def _renew(self, *, asked_by_kid: bool = False) -> asyncio.Task[None] | None:
        """The fetch that is under way, or a new one if one may be made now."""
        now = self._now()
        if self._under_way is not None:
            return self._under_way
        if now - self._failed_at < self._cooldown_seconds:
            return None
        if asked_by_kid:
            if now - self._asked_at < self._cooldown_seconds:
                return None
            self._asked_at = now
        self._under_way = self._tasks.start(self._load(), name=self._document.url)
        return self._under_way

    async def _renewed(self, *, asked_by_kid: bool = False) -> bool:
        """Wait for a fetch, if there may be one. Whoever waits may be cancelled; the fetch not."""
        fetch = self._renew(asked_by_kid=asked_by_kid)
        if fetch is None:
            return False
        await asyncio.wait({fetch})
        return True

    async def _load(self) -> None:
        try:
            keys = read_jwks(await self._document.fetch())
        except (FetchFailed, Unusable) as failure:
            # An empty set counts as unusable: far more often a fault than a farewell.
            self._failed_at = self._now()
            self._error = f"the last fetch failed: {failure}"
            _log.warning("issuer keys not renewed", url=self._document.url, error=str(failure))
        else:
            former, self._keys = self._keys, keys
            self._fetched_at = self._now()
            self._error = ""
            if former is not None and keys.lacks_any_of(former):
                _log.info("issuer keys withdrawn", url=self._document.url, keys=len(keys))
                if self._withdrawn is not None:
                    self._withdrawn()
        finally:
            self._under_way = None
