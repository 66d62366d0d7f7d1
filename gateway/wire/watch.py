"""Deadlines for many connections at the price of one timer.

A timer per request would cost more than the request's parsing. Instead every connection carries
the moment by which something must have happened, and one tick looks at all of them; a deadline is
therefore late by up to one tick, which no time limit here minds.
"""

import asyncio
from typing import Protocol

__all__ = ["NEVER", "TICK_SECONDS", "Watch"]

NEVER = float("inf")
TICK_SECONDS = 0.25


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
        self._timer: asyncio.TimerHandle | None = None

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
        self._watched.clear()

    def check(self, now: float) -> None:
        """Expire everything whose deadline lies before `now` (seconds on the loop's clock)."""
        for watched in [watched for watched in self._watched if watched.deadline < now]:
            watched.deadline = NEVER
            watched.expire()

    def _tick(self) -> None:
        self.check(self._loop.time())
        self._timer = (
            self._loop.call_later(self._tick_seconds, self._tick) if self._watched else None
        )
