"""What fails thousands of times a second is said once in a while, with a count.

Each failed request has its audit line and is counted; the log is for a person, to whom the
thousandth line says less than the first.
"""

from gateway.clock import Clock
from gateway.errors import GatewayError

__all__ = ["Seldom"]

_PAUSE_SECONDS = 10.0
_LONG_AGO = float("-inf")


class Seldom:
    """One kind of failure that may come in floods."""

    __slots__ = ("_now", "_told_at", "_untold")

    def __init__(self, clock: Clock) -> None:
        self._now = clock.monotonic
        self._told_at = _LONG_AGO
        self._untold = 0

    def __repr__(self) -> str:
        return f"<Seldom {self._untold} untold>"

    def mark(self, error: GatewayError) -> None:
        """Have the log hear of `error`, and of how many it did not hear of, or not at all."""
        now = self._now()
        if now - self._told_at < _PAUSE_SECONDS:
            self._untold += 1
            error.is_repeat = True
            return
        if self._untold:
            error.detail = f"{error.detail} (and {self._untold} more since this was last said)"
        self._told_at = now
        self._untold = 0
