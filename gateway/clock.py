"""The only place that reads time.

Two questions that are often confused have two names. `monotonic` measures how long something
took or may still take; it never jumps, and its zero means nothing. `wall` says what time the
rest of the world believes it is, in seconds since the epoch; it may jump, and it is what a
token's `exp` speaks of. Whoever needs time takes a `Clock`, so that no test has to sleep.
"""

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Both kinds of time, in seconds."""

    def monotonic(self) -> float: ...

    def wall(self) -> float: ...


class SystemClock:
    """The machine's own clocks; the two calls cost nothing beyond `time`'s."""

    monotonic = staticmethod(time.monotonic)
    wall = staticmethod(time.time)

    def __repr__(self) -> str:
        return "SystemClock()"
