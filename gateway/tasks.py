"""The only place that starts tasks: each has a name, an owner that keeps it, and an end.

A bare `asyncio.create_task` is forgotten three times over: the loop keeps only a weak reference,
nobody hears of its crash, and nobody waits for it at shutdown. Whoever needs tasks makes one
`Tasks` per concern, starts them there and closes it. Cancelling somebody who merely awaits such
a task through `asyncio.shield` leaves the task itself running.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import structlog

__all__ = ["Tasks"]

T = TypeVar("T")

_log = structlog.get_logger("gateway.tasks")


class Tasks:
    """The running tasks of one concern.

    A cancelled task may take `clean_up_seconds` over its clean-up before it is named in the log
    and left behind.
    """

    def __init__(self, concern: str, *, clean_up_seconds: float = 5.0) -> None:
        self._concern = concern
        self._clean_up_seconds = clean_up_seconds
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def __len__(self) -> int:
        return len(self._running)

    def __bool__(self) -> bool:
        """A `Tasks` is never a stand-in for "has tasks": ask `len`."""
        return True

    def __repr__(self) -> str:
        state = ", closed" if self._closed else ""
        return f"Tasks({self._concern!r}, {len(self._running)} running{state})"

    def start(self, coroutine: Coroutine[Any, Any, T], *, name: str) -> asyncio.Task[T]:
        """Run `coroutine` as `concern/name`; a crash is logged even if nobody awaits it."""
        if self._closed:
            coroutine.close()
            raise RuntimeError(f"cannot start `{name}`: the tasks of `{self._concern}` are closed")
        task = asyncio.create_task(  # noqa: TID251 - this is the place the ban points to
            coroutine, name=f"{self._concern}/{name}"
        )
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def settle(self, seconds: float) -> None:
        """Wait until no task is running any more, for `seconds` at most."""
        await self._wait(seconds)

    async def close(self, *, grace_seconds: float = 0.0) -> None:
        """Let tasks end by themselves for a while, then cancel the rest and wait for them.

        Safe to call twice, and from inside one of its own tasks (which is then left alone).
        If the closing itself is cancelled, every task has still been told to end.
        """
        self._closed = True
        try:
            if grace_seconds > 0:
                await self._wait(grace_seconds)
        finally:
            for task in self._others():
                task.cancel()
        await self._wait(self._clean_up_seconds)
        stubborn = sorted(task.get_name() for task in self._others())
        if stubborn:
            _log.error("tasks ignored their cancellation", tasks=stubborn)

    def _others(self) -> set[asyncio.Task[Any]]:
        return self._running - {asyncio.current_task()}

    async def _wait(self, seconds: float) -> None:
        if others := self._others():
            await asyncio.wait(others, timeout=seconds)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (crash := task.exception()) is not None:
            _log.error("task crashed", task=task.get_name(), exc_info=crash)
