"""A worker's policy changes while it serves: gently, and then by one assignment.

The table comes compiled. Building its values from the bytes is all that is left, in a thread that
rests after each millisecond of work: while it works, no request of this process is served (there is
one interpreter lock), and a request that waits for a millisecond is not noticed. The garbage
collector is kept away from the table for good; one that nobody can go back to is taken apart.
"""

import asyncio
import gc
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from gateway.candidate import Candidate, Reverted
from gateway.clock import Clock
from gateway.live import LivePolicy
from gateway.server.messages import Held, Try
from gateway.tasks import Tasks
from policy import DecisionTable, packed, take_down, unpacked

__all__ = ["PolicySwap", "parts_of"]

_PART_BYTES = 256 * 1024

# For each second of work the thread rests two: requests keep two thirds of the processor.
_REST_SHARE = 2.0
_WORK_SECONDS = 0.0005
_MOST_REST_SECONDS = 0.05

_STEPS_AT_ONCE = 200
_BREATH_SECONDS = 0.002
_STILL_USED_SECONDS = 1.0


def parts_of(table: DecisionTable) -> Iterator[bytes]:
    """A packed table, in pieces that are quickly passed on."""
    data = packed(table)
    for start in range(0, len(data), _PART_BYTES):
        yield data[start : start + _PART_BYTES]


class PolicySwap:
    """The one writer of `live` in a worker. What it was started with is shared with others."""

    def __init__(self, live: LivePolicy, *, clock: Clock, key: bytes) -> None:
        self._live = live
        self._key = key
        self._clock = clock
        self._inherited = live.table
        self._tasks = Tasks("retired policies")

    def __repr__(self) -> str:
        return f"<PolicySwap of {self._live!r}>"

    @property
    def held(self) -> Held:
        live = self._live
        before = "" if live.previous is None else live.previous.version
        return Held(version=live.table.version, since=live.since, previous=before)

    async def take(self, parts: Sequence[bytes], version: str) -> str:
        """Put the table of `parts` in force; why not, or empty. Without parts nothing changes."""
        if not parts:
            return ""
        table = await self._read(parts, version)
        if isinstance(table, str):
            return table
        tried = self._live.trial
        self._retire([self._live.put(table, self._clock.wall())])
        if tried is not None and self._live.trial is None:
            self._retire([tried.table])
        return ""

    async def keep(self, parts: Sequence[bytes], version: str) -> str:
        """Be able to go back to the table of `parts`; why not, or empty."""
        table = await self._read(parts, version)
        if isinstance(table, str):
            return table
        out, self._live.previous = self._live.previous, table
        self._retire([out])
        return ""

    def roll_back(self, version: str) -> str:
        """Put the version before in force, which has to be this one; why not, or empty."""
        previous = self._live.previous
        if previous is None or previous.version != version:
            return f"version {version} is not here"
        self._live.roll_back(self._clock.wall())
        return ""

    async def try_out(
        self, parts: Sequence[bytes], message: Try, on_revert: Callable[[Reverted], None]
    ) -> str:
        """Try the candidate of `parts` beside the table in force; why not, or empty.

        Without parts it is the one that is tried already, by another plan.
        """
        tried = self._live.trial
        if parts:
            table = await self._read(parts, message.version)
            if isinstance(table, str):
                return table
        elif tried is None or tried.table.version != message.version:
            return f"version {message.version} is not here"
        else:
            table = tried.table
        candidate = Candidate(
            self._live.table, table, message.plan, key=self._key, on_revert=on_revert
        )
        if message.reverted is not None:
            candidate.revert(message.reverted)
        self._live.trial = candidate
        if tried is not None and tried.table is not table:
            self._retire([tried.table])
        return ""

    def withdraw(self) -> None:
        """Try no candidate any more."""
        tried, self._live.trial = self._live.trial, None
        if tried is not None:
            self._retire([tried.table])

    def revert(self, version: str, reverted: Reverted) -> None:
        """The candidate of this version has reverted elsewhere."""
        trial = self._live.trial
        if trial is not None and trial.table.version == version:
            trial.revert(reverted)

    async def close(self) -> None:
        await self._tasks.close()

    async def _read(self, parts: Sequence[bytes], version: str) -> DecisionTable | str:
        gc.disable()
        try:
            table = await asyncio.to_thread(unpacked, DecisionTable, Resting(parts, self._clock))
        except (pickle.UnpicklingError, EOFError, MemoryError) as error:
            return f"the table cannot be read: {error}"
        finally:
            gc.freeze()
            gc.enable()
        if table.version != version:
            return f"the table is version {table.version}"
        return table

    def _retire(self, out: list[DecisionTable | None]) -> None:
        """What was shared at the start stays shared; to take it apart would be to copy it first."""
        if out[0] is not None and out[0] is not self._inherited:
            _ = self._tasks.start(_taken_apart(out), name="policy")


async def _taken_apart(out: list[DecisionTable | None]) -> None:
    """The list holds the only name of the table, so that its references can be counted."""
    # Nobody tells when a request ends with a table, and none is long over: it is looked at again.
    while sys.getrefcount(out[0]) > 2:  # noqa: ASYNC110 - the list's and the question's own
        await asyncio.sleep(_STILL_USED_SECONDS)
    table = out.pop()
    if table is None:
        return
    for number, _ in enumerate(take_down(table)):
        if number % _STEPS_AT_ONCE == 0:
            await asyncio.sleep(_BREATH_SECONDS)


class Resting:
    """Bytes in pieces, read by a thread that must not be in the way of others."""

    def __init__(
        self,
        parts: Sequence[bytes],
        clock: Clock,
        *,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._parts = list(reversed(parts))
        self._at = 0
        self._now = clock.monotonic
        self._rest = rest
        self._since = clock.monotonic()

    def __repr__(self) -> str:
        return f"<Resting, {len(self._parts)} parts left>"

    def read(self, size: int, /) -> bytes:
        """The next `size` bytes, less at the end."""
        worked = self._now() - self._since
        if worked > _WORK_SECONDS:
            self._rest(min(worked * _REST_SHARE, _MOST_REST_SECONDS))
            self._since = self._now()
        found: list[bytes] = []
        while size and self._parts:
            piece = self._parts[-1][self._at : self._at + size]
            found.append(piece)
            size -= len(piece)
            self._at += len(piece)
            if self._at == len(self._parts[-1]):
                self._parts.pop()
                self._at = 0
        return b"".join(found)

    def readline(self) -> bytes:
        raise pickle.UnpicklingError("no table has lines")
