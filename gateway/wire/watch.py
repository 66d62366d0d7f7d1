"""Deadlines for many connections at the price of one timer.

A timer per request would cost more than the request's parsing. Instead every connection carries
the moment by which something must have happened, and one tick looks at all of them; a deadline is
therefore late by up to one tick, which no time limit here minds.

Those that came together expire together, and each costs an answer and an audit line. So they
expire a few at a time, and others are served in between: when thousands of slow clients were cut
off at once, everybody else waited for 0.1 s (threat R-1).
"""

import asyncio
from functools import partial
from typing import Protocol

__all__ = ["NEVER", "TICK_SECONDS", "Watch"]

NEVER = float("inf")
TICK_SECONDS = 0.25

# Each takes some 0.2 ms: 2,000 of them a second leave room for everybody else.
_EXPIRED_AT_ONCE = 2
_BETWEEN_SECONDS = 0.001


class Watched(Protocol):
    """Something with a deadline on the loop's clock."""

    deadline: float

    def expire(self) -> None:
        """Called once the deadline has passed."""


class Watch:
    """The connections of one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, tick_seconds: float = TICK_SECONDS) -> None:
        self._loop = loop
        self._tick_seconds = tick_seconds
        self._watched: set[Watched] = set()
        self._overdue: list[Watched] = []
        self._timer: asyncio.TimerHandle | None = None
        self._expiring: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._watched)

    def __repr__(self) -> str:
        return f"<Watch {len(self._watched)} connections>"

    def add(self, watched: Watched) -> None:
        self._watched.add(watched)
        if self._timer is None:
            self._timer = self._loop.call_later(self._tick_seconds, self._tick)

    def remove(self, watched: Watched) -> None:
        self._watched.discard(watched)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._expiring is not None:
            self._expiring.cancel()
        self._watched.clear()
        self._overdue.clear()

    def check(self, now: float) -> None:
        """Expire everything whose deadline lies before `now` (seconds on the loop's clock)."""
        self._overdue = [watched for watched in self._watched if watched.deadline < now]
        self._expire_some(now)

    def _expire_some(self, now: float) -> None:
        some = self._overdue[-_EXPIRED_AT_ONCE:]
        del self._overdue[-_EXPIRED_AT_ONCE:]
        for watched in some:
            if watched.deadline < now and watched in self._watched:  # it may have gone on, or gone
                watched.deadline = NEVER
                watched.expire()
        if self._overdue:
            self._expiring = self._loop.call_later(
                _BETWEEN_SECONDS, partial(self._expire_some, now)
            )

    def _tick(self) -> None:
        if not self._overdue:
            self.check(self._loop.time())
        self._timer = (
            self._loop.call_later(self._tick_seconds, self._tick) if self._watched else None
        )
