"""How long the supervisor waits, and for what."""

import asyncio
from collections.abc import Iterable

import msgspec

__all__ = ["PREPARING_SECONDS", "Patience", "all_set"]

# How long a new generation may read and compile, and a worker start.
PREPARING_SECONDS = 300.0


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a worker may take. gunicorn's `timeout` of 30 s is the precedent for a hung one.

    The first replacement comes at once; a worker that served for a while has earned that again.
    """

    heartbeat_seconds: float = 2.0
    hung_seconds: float = 30.0
    report_seconds: float = 1.0
    steady_seconds: float = 60.0
    ending_seconds: float = 15.0  # after the grace for requests in flight: the rest of the audit
    back_off_seconds: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


async def all_set(events: Iterable[asyncio.Event], seconds: float) -> bool:
    """Wait for every event, for `seconds` at most; whether all have come."""
    try:
        async with asyncio.timeout(seconds):
            for event in list(events):
                await event.wait()
    except TimeoutError:
        return False
    return True
