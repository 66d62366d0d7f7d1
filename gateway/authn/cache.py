"""Answers that may be reused, and for how long.

An entry is found by a digest of the credentials themselves, so that what is kept is no secret,
and of the configuration that judged them, so that no two verifiers share an answer. The fields
are length-prefixed: joined by a delimiter, two different pairs could give one key. A random salt
makes a key that leaks into a log useless as a test of a guessed password.

Callers and refusals live apart, so that a flood of bad tokens cannot push good callers out. Only
lasting refusals are kept, briefly: they spare a retrying client's wrong password its Argon2 time.
"""

import hashlib
import secrets
from typing import NamedTuple

from cachetools import TLRUCache

from gateway.clock import Clock
from policy import Caller

__all__ = ["CallerCache", "Refusal", "configuration_digest"]

REFUSAL_SECONDS = 5.0
REFUSAL_ENTRIES = 1024


class _Entry(NamedTuple):
    caller: Caller
    until: float  # monotonic


class Refusal(NamedTuple):
    """Why credentials were refused, for the log, and the word for the challenge."""

    detail: str
    oauth_error: str


def configuration_digest(*fields: str | bytes) -> bytes:
    """SHA-256 of the fields, each with its length before it."""
    digest = hashlib.sha256()
    for field in fields:
        encoded = field.encode("utf-8") if isinstance(field, str) else field
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.digest()


class CallerCache:
    """Proved callers, and refusals that will not change."""

    def __init__(self, *, clock: Clock, entries: int, configuration: bytes) -> None:
        self._wall = clock.wall
        self._monotonic = clock.monotonic
        self._prefix = configuration_digest(secrets.token_bytes(16), configuration)
        self._callers: TLRUCache[bytes, _Entry] = TLRUCache(
            entries, ttu=lambda _key, entry, _now: entry.until, timer=clock.monotonic
        )
        self._refusals: TLRUCache[bytes, Refusal] = TLRUCache(
            min(entries, REFUSAL_ENTRIES),
            ttu=lambda _key, _refusal, now: now + REFUSAL_SECONDS,
            timer=clock.monotonic,
        )

    def __repr__(self) -> str:
        return f"CallerCache({len(self._callers)} callers, {len(self._refusals)} refusals)"

    def key(self, authorization: bytes) -> bytes:
        length = len(authorization).to_bytes(4, "big")
        return hashlib.sha256(self._prefix + length + authorization).digest()

    def find(self, key: bytes) -> Caller | None:
        """Both clocks have a say: the cache's own limit is monotonic, a token's end is a date."""
        try:
            caller = self._callers[key].caller
        except KeyError:
            return None
        expires_at = caller.expires_at
        if expires_at is not None and self._wall() >= expires_at:
            return None
        return caller

    def keep(self, key: bytes, caller: Caller, *, seconds: float) -> None:
        if caller.expires_at is not None:
            seconds = min(seconds, caller.expires_at - self._wall())
        self._callers[key] = _Entry(caller, self._monotonic() + seconds)

    def refusal(self, key: bytes) -> Refusal | None:
        return self._refusals.get(key)

    def keep_refusal(self, key: bytes, refusal: Refusal) -> None:
        self._refusals[key] = refusal

    def clear(self) -> None:
        self._callers.clear()
        self._refusals.clear()
