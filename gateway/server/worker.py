"""One worker process as its supervisor sees it: a channel, a journal, and what was heard of it."""

import asyncio
import contextlib
import os
import signal

from gateway.audit import Journal
from gateway.server.channel import Listening
from gateway.server.messages import (
    FromWorker,
    Reload,
    Reloaded,
    Report,
    RollBack,
    Try,
    Withdraw,
)

__all__ = ["WorkerProcess", "how_it_ended"]


class WorkerProcess:
    """One worker process, as seen from here. `state` is a label of `gateway_workers`."""

    def __init__(
        self, slot: int, channel: Listening[FromWorker], journal: Journal, began: float
    ) -> None:
        self.slot = slot
        self.channel = channel
        self.journal = journal
        self.pid = 0
        self.state = "starting"
        self.began = began  # monotonic seconds
        self.silent_beats = 0  # heartbeats since it was heard
        self.report: Report | None = None
        self.fault = ""
        self.reload: Reloaded | None = None
        self.knows_before = False  # whether it has the version to roll back to
        self.tries = ""  # which candidate it has been told to try
        # What is waited for; a worker that is gone has done with all of it.
        self.started = asyncio.Event()
        self.stopped_accepting = asyncio.Event()
        self.reported = asyncio.Event()
        self.reloaded = asyncio.Event()
        self.gone = asyncio.Event()

    def __repr__(self) -> str:
        return f"<WorkerProcess {self.slot} pid {self.pid} {self.state}>"

    @property
    def resident_bytes(self) -> float:
        """Its memory, 0 where that cannot be told."""
        return _resident_bytes(self.pid)

    def ask_to_change(self, message: Reload | RollBack | Try | Withdraw) -> None:
        """Tell it to change what it decides by; `reloaded` is set when it has answered."""
        self.reload = None
        self.reloaded.clear()
        self.channel.tell(message)

    def kill(self) -> None:
        if self.pid and not self.gone.is_set():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def ended(self) -> None:
        for event in (self.gone, self.started, self.stopped_accepting, self.reported,
                      self.reloaded):  # fmt: skip
            event.set()


def how_it_ended(status: int | None) -> str:
    if status is None:
        return "unknown"
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"ended with status {os.waitstatus_to_exitcode(status)}"


def _resident_bytes(pid: int) -> float:
    try:
        with open(f"/proc/{pid}/statm", "rb") as file:  # noqa: PTH123 - a fixed path
            return float(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, IndexError):
        return 0.0
