"""The process that keeps the workers: starts them, asks them, replaces them, ends them in order.

It serves no client. A worker is known by its channel: when that ends, the worker is gone, however
it went, and its successor is forked at once; one that dies again and again has to wait longer each
time, and leaves its share of the port to the others meanwhile. What a dead worker had in its audit
journal is written by the supervisor, and what it had counted stays counted.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from gateway.audit import Journal
from gateway.clock import Clock
from gateway.logs import get as get_logger
from gateway.metrics import Snapshot, merged
from gateway.server.channel import Listening
from gateway.server.doors import Doors, give_up
from gateway.server.generations import Generations
from gateway.server.messages import (
    FROM_WORKER,
    Ask,
    Drain,
    FailedToStart,
    FromWorker,
    Reload,
    Reloaded,
    Report,
    Serving,
    StoppedAccepting,
)
from gateway.server.readiness import Answers, together
from gateway.server.worker import WorkerProcess, how_it_ended
from gateway.tasks import Tasks

__all__ = ["Patience", "Supervisor", "WorkerFailed"]

_log = get_logger("gateway.supervisor")

# How long a new generation may read and compile, and a worker start.
_PREPARING_SECONDS = 300.0

# After the grace for requests in flight: the rest of the audit, then patience is over.
_PATIENCE_SECONDS = 15.0


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a worker may take. gunicorn's `timeout` of 30 s is the precedent for a hung one.

    The first replacement comes at once; a worker that served for a while has earned that again.
    """

    heartbeat_seconds: float = 2.0
    hung_seconds: float = 30.0
    report_seconds: float = 1.0
    steady_seconds: float = 60.0
    back_off_seconds: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)


class WorkerFailed(Exception):
    """No worker could be started; the text is for the operator."""


class Supervisor:
    """All workers of one gateway. Lives in an event loop of its own."""

    def __init__(
        self,
        nursery: socket.socket,
        doors: Doors,
        *,
        make_journal: Callable[[], Journal],
        settle_journal: Callable[[Journal], Awaitable[None]],
        clock: Clock,
        patience: Patience | None = None,
    ) -> None:
        self._generations = Generations(nursery)
        self._doors = doors
        self._clock = clock
        self._patience = patience or Patience()
        self._make_journal = make_journal
        self._settle_journal = settle_journal
        self._tasks = Tasks("supervisor")
        self._settling = Tasks("journals")
        self._workers: dict[int, WorkerProcess] = {}
        self._faults: dict[int, int] = {}  # deaths of a slot in a row
        self._waiting: set[int] = set()
        self._departed = Snapshot({}, {})
        self._deaths = 0
        self._stopping = False
        self._ended = asyncio.Event()
        self._reload_lock = asyncio.Lock()
        self.last_fault = ""

    def __repr__(self) -> str:
        return f"<Supervisor of {list(self._workers.values())!r}>"

    @property
    def worker_pids(self) -> tuple[int, ...]:
        return tuple(worker.pid for worker in self._workers.values())

    # --- start and end ------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every worker; WorkerFailed if one of them cannot serve."""
        await self._generations.open()
        await asyncio.gather(*(self._start_worker(slot) for slot in range(len(self._doors))))
        for worker in self._workers.values():
            async with asyncio.timeout(_PREPARING_SECONDS):
                await worker.started.wait()
            if worker.fault or worker.gone.is_set():
                raise WorkerFailed(worker.fault or "a worker ended as soon as it was started")
        _ = self._tasks.start(self._keep_asking(), name="heartbeat")

    async def drain(self, grace_seconds: float) -> None:
        """Accept no more connections, let requests in flight end; returns once nothing accepts."""
        self._stopping = True
        for sockets in self._doors:
            for each in sockets:
                each.close()
        workers = list(self._workers.values())
        for worker in workers:
            worker.state = "draining"
            worker.channel.tell(Drain())
        await _all((worker.stopped_accepting for worker in workers), grace_seconds)

    async def end(self, grace_seconds: float) -> None:
        """Wait for the workers to end; those that take too long are killed, their audit saved."""
        workers = list(self._workers.values())
        if not await _all((each.gone for each in workers), grace_seconds + _PATIENCE_SECONDS):
            for worker in list(self._workers.values()):
                _log.error("worker killed: it did not end in time", worker=worker.slot)
                worker.kill()
            await _all((worker.gone for worker in workers), _PATIENCE_SECONDS)
        await self._settling.close(grace_seconds=_PATIENCE_SECONDS)
        await self._tasks.close()
        await self._generations.close()

    def reap(self) -> None:
        """Children that ended: the root nursery's, where this process is the first of a container."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                self._generations.note_end(*ended)

    # --- questions ----------------------------------------------------------------------------

    async def snapshot(self) -> Snapshot:
        """What all workers have counted, those that ended among them."""
        reports = await self._reports()
        own = Snapshot(
            {
                "gateway_workers": self._states(),
                "gateway_worker_deaths_total": {(): float(self._deaths)},
                "gateway_worker_memory_bytes": {
                    (str(worker.slot),): worker.resident_bytes for worker in self._workers.values()
                },
            },
            {},
        )
        return merged([self._departed, own, *(report.snapshot for report in reports.values())])

    async def checks(self) -> Answers:
        """Every check of the workers, and whether there are any."""
        reports = await self._reports()
        serving = sum(worker.state == "serving" for worker in self._workers.values())
        answers = together({slot: report.checks for slot, report in reports.items()})
        words = "draining" if self._stopping else f"{serving} of {len(self._doors)} serving"
        answers["workers"] = (serving > 0 and not self._stopping, words)
        if self.last_fault:
            ok, detail = answers.get("policy", (True, ""))
            answers["policy"] = (ok, f"{detail}; the last reload was refused: {self.last_fault}")
        return answers

    def _states(self) -> dict[tuple[str, ...], float]:
        counts: dict[tuple[str, ...], float] = {
            (state,): 0.0 for state in ("starting", "serving", "draining", "waiting")
        }
        for worker in self._workers.values():
            counts[worker.state,] += 1
        counts["waiting",] += len(self._waiting)
        return counts

    async def _reports(self) -> dict[int, Report]:
        asked = [worker for worker in self._workers.values() if worker.started.is_set()]
        for worker in asked:
            worker.reported.clear()
            worker.channel.tell(Ask())
        await _all((worker.reported for worker in asked), self._patience.report_seconds)
        return {worker.slot: worker.report for worker in asked if worker.report is not None}

    # --- reload -------------------------------------------------------------------------------

    async def reload(self) -> str:
        """Take over what the files say now, or nothing of it; why not, empty if it was taken.

        A new generation judges the files first: the workers only hear of what has been found good.
        """
        async with self._reload_lock:
            if self._stopping:
                return ""
            renewed = await self._generations.renew()
            if renewed.faults:
                self.last_fault = renewed.faults
                _log.error("reload refused, everything stays as it was", why=renewed.faults)
                return renewed.faults
            return await self._reload_workers(renewed.version)

    async def _reload_workers(self, version: str) -> str:
        workers = [each for each in self._workers.values() if each.state == "serving"]
        for worker in workers:
            worker.reload = None
            worker.reloaded.clear()
            worker.channel.tell(Reload())
        await _all((worker.reloaded for worker in workers), _PREPARING_SECONDS)
        faults = []
        for worker in workers:
            told = worker.reload
            if told is None or told.faults or told.version != version:
                what = "no answer" if told is None else told.faults or f"it took {told.version}"
                faults.append(f"worker {worker.slot}: {what}")
        self.last_fault = "; ".join(faults)
        if faults:
            _log.error("reload not taken by every worker", why=self.last_fault)
        else:
            _log.info("reloaded", policy=version, workers=len(workers))
        return self.last_fault

    # --- the workers --------------------------------------------------------------------------

    async def _start_worker(self, slot: int) -> None:
        ours, its = socket.socketpair()
        worker = WorkerProcess(
            slot, Listening(ours, FROM_WORKER), self._make_journal(), self._clock.monotonic()
        )
        descriptors = [
            its.fileno(), worker.journal.fd, *(each.fileno() for each in self._doors[slot]),
        ]  # fmt: skip
        try:
            worker.pid = await self._generations.fork(slot, descriptors)
        except OSError as error:
            ours.close()
            _log.critical("no worker can be started", worker=slot, why=str(error))
            return
        finally:
            its.close()
        self._workers[slot] = worker
        await worker.channel.open()
        _ = self._tasks.start(self._attend(worker), name=f"worker-{slot}")

    async def _attend(self, worker: WorkerProcess) -> None:
        """Hear a worker out until it is gone, then see to what it left."""
        try:
            while (message := await worker.channel.next()) is not None:
                worker.heard = self._clock.monotonic()
                self._hear(worker, message)
        finally:
            worker.channel.close()
        worker.ended()
        await self._after(worker)

    def _hear(self, worker: WorkerProcess, message: FromWorker) -> None:
        match message:
            case Report():
                worker.report = message
                worker.reported.set()
            case Serving():
                worker.state = "draining" if self._stopping else "serving"
                worker.started.set()
            case FailedToStart():
                worker.fault = message.detail
            case StoppedAccepting():
                worker.stopped_accepting.set()
            case Reloaded():
                worker.reload = message
                worker.reloaded.set()

    async def _after(self, worker: WorkerProcess) -> None:
        slot = worker.slot
        del self._workers[slot]
        if worker.report is not None:
            self._departed = merged([self._departed, worker.report.snapshot.counters()])
        _ = self._settling.start(self._settle(worker), name=f"journal-{slot}")
        if self._stopping or worker.fault:
            return
        self._deaths += 1
        lived = self._clock.monotonic() - worker.began
        faults = self._faults[slot] = (
            0 if lived > self._patience.steady_seconds else self._faults.get(slot, -1) + 1
        )
        delays = self._patience.back_off_seconds
        delay = delays[min(faults, len(delays) - 1)]
        _log.error(
            "worker died", worker=slot, pid=worker.pid, lived_seconds=round(lived, 1),
            how=how_it_ended(await self._end_of(worker)), replaced_in_seconds=delay,
        )  # fmt: skip
        if delay:
            await self._hold_back(slot, delay)
        if not self._stopping:
            await self._start_worker(slot)

    async def _end_of(self, worker: WorkerProcess) -> int | None:
        return await self._generations.end_of(worker.pid, seconds=self._patience.report_seconds)

    async def _hold_back(self, slot: int, seconds: float) -> None:
        """Leave this worker's share of the port to the others for a while."""
        self._waiting.add(slot)
        reopen = give_up(self._doors[slot]) if len(self._doors) > 1 else None
        await asyncio.sleep(seconds)
        if reopen is not None and not self._stopping:
            self._doors[slot] = reopen()
        self._waiting.discard(slot)

    async def _settle(self, worker: WorkerProcess) -> None:
        await self._settle_journal(worker.journal)

    async def _keep_asking(self) -> None:
        while True:
            await asyncio.sleep(self._patience.heartbeat_seconds)
            for worker in list(self._workers.values()):
                if (
                    worker.started.is_set()
                    and self._clock.monotonic() - worker.heard > self._patience.hung_seconds
                ):
                    _log.error("worker killed: it has not answered", worker=worker.slot)
                    worker.kill()
                elif worker.started.is_set():
                    worker.channel.tell(Ask())


async def _all(events: Iterable[asyncio.Event], seconds: float) -> bool:
    """Wait for every event, for `seconds` at most; whether all have come."""
    try:
        async with asyncio.timeout(seconds):
            for event in list(events):
                await event.wait()
    except TimeoutError:
        return False
    return True
