"""A server that fails is left alone for a while, so that callers need not wait for it to fail.

Some failures in a row open the breaker; while it is open nobody is let through. When the pause is
over one question may try: an answer closes the breaker, a failure begins the pause anew.
"""

from gateway.clock import Clock

__all__ = ["Breaker"]


class Breaker:
    """Whoever was admitted says how it ended: `succeeded`, `failed`, or `gave_up` for neither."""

    def __init__(self, clock: Clock, *, after: int, pause_seconds: float) -> None:
        self._now = clock.monotonic
        self._after = after
        self._pause_seconds = pause_seconds
        self._failures = 0  # in a row
        self._shut_until = 0.0
        self._on_trial = False

    def __repr__(self) -> str:
        return f"<Breaker {'open' if self.is_open else 'closed'}, {self._failures} failures>"

    @property
    def is_open(self) -> bool:
        return self._failures >= self._after

    def admits(self) -> bool:
        """Whether a question may be asked; if so, this is it."""
        if not self.is_open:
            return True
        if self._on_trial or self._now() < self._shut_until:
            return False
        self._on_trial = True
        return True

    def succeeded(self) -> None:
        self._failures = 0
        self._on_trial = False

    def failed(self) -> None:
        self._failures += 1
        self._on_trial = False
        self._shut_until = self._now() + self._pause_seconds

    def gave_up(self) -> None:
        self._on_trial = False
