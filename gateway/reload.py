"""Compile aside, swap or keep the last good one: a bad policy never replaces a good one.

Compiling runs in a thread, one at a time. The swap is one assignment, so every request sees one
version; the table it began with stays its own to the end.
"""

import asyncio
from collections.abc import Callable

from gateway.clock import Clock
from gateway.live import LivePolicy
from gateway.logs import get as get_logger
from policy import DecisionTable

__all__ = ["PolicyReload"]

_log = get_logger("gateway.reload")


class PolicyReload:
    """The one writer of a `LivePolicy`. `taken` and `kept` count what became of the reloads."""

    def __init__(
        self, live: LivePolicy, load: Callable[[], DecisionTable], *, clock: Clock
    ) -> None:
        self._live = live
        self._load = load
        self._clock = clock
        self._lock = asyncio.Lock()
        self.taken = 0
        self.kept = 0
        self.last_fault = ""

    def __repr__(self) -> str:
        return f"<PolicyReload {self.taken} taken, {self.kept} kept>"

    @property
    def is_stale(self) -> bool:
        """Whether the files say something else than what is in force, as far as was tried."""
        return bool(self.last_fault)

    def check(self) -> tuple[bool, str]:
        """The policy in force always holds; whether a newer one was refused is worth a word."""
        words = f"version {self._live.table.version}"
        return (
            True,
            f"{words}; the last reload was refused, see the log" if self.is_stale else words,
        )

    async def run(self) -> str:
        """Put what the files say now in force; why not, or empty where it was done."""
        async with self._lock:
            try:
                table = await asyncio.to_thread(self._load)
            except Exception as error:  # noqa: BLE001 - whatever it is, the last good one stays
                self.kept += 1
                self.last_fault = str(error) or type(error).__name__
                _log.error(
                    "policy not taken, the last good one stays in force",
                    policy=self._live.table.version,
                    why=self.last_fault,
                )
                return self.last_fault
            self._live.since = self._clock.wall()
            self._live.table = table
            self.taken += 1
            self.last_fault = ""
            return ""
