"""A thread that does one job after another, in the order they were given.

A daemon on purpose: a sink that blocks for ever (a pipe that nobody reads) must not keep the
process from ending once `AuditWriter.close` has lost its patience.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue

__all__ = ["Worker"]

Job = Callable[[], None]


class Worker:
    """Jobs handle their own exceptions; one that does not ends the thread, loudly."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __repr__(self) -> str:
        return f"Worker({self._thread.name!r})"

    def start(self) -> None:
        self._thread.start()

    def do(self, job: Job) -> None:
        self._jobs.put(job)

    def stop(self) -> None:
        """Let the jobs given so far be the last."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
