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
from collections.abc import Awaitable, Callable, Sequence

from gateway.attempts import HeldBy
from gateway.audit import Journal
from gateway.candidate import Reverted, Tally
from gateway.clock import Clock
from gateway.counts import Snapshot, merged
from gateway.logs import get as get_logger
from gateway.rollout import Plan
from gateway.server.channel import Listening
from gateway.server.distribution import Distribution
from gateway.server.doors import Doors, give_up
from gateway.server.generations import Generations
from gateway.server.messages import (
    FROM_WORKER,
    Ask,
    Drain,
    FailedToStart,
    FromWorker,
    Reloaded,
    Reopen,
    Report,
    Serving,
    StoppedAccepting,
    Turned,
)
from gateway.server.patience import PREPARING_SECONDS, Patience, all_set
from gateway.server.readiness import Answers, together
from gateway.server.worker import WorkerProcess, how_it_ended
from gateway.tasks import Tasks
from policy import Sources

__all__ = ["Supervisor", "WorkerFailed"]

_log = get_logger("gateway.supervisor")


class WorkerFailed(Exception):
    """No worker could be started; the text is for the operator."""


class Supervisor:
    """All workers of one gateway. Lives in an event loop of its own."""

    def __init__(
        self,
        nursery: socket.socket,
        doors: Doors,
        *,
        sources: Sources,
        parts: Callable[[], Sequence[bytes]],
        make_journal: Callable[[], Journal],
        settle_journal: Callable[[Journal], Awaitable[None]],
        clock: Clock,
        patience: Patience | None = None,
        on_helpless: Callable[[], None] = lambda: None,
    ) -> None:
        self._stopping = asyncio.Event()
        self._workers: dict[int, WorkerProcess] = {}
        self.distribution = Distribution(
            self._workers.values,
            sources=sources,
            parts=parts,
            is_ending=self._stopping.is_set,
        )
        self._generations = self.distribution.generations = Generations(
            nursery, self.distribution.version, on_gone=self.distribution.remake
        )
        self._doors = doors
        self._clock = clock
        self._patience = patience or Patience()
        self._make_journal = make_journal
        self._settle_journal = settle_journal
        self._tasks = Tasks("supervisor")
        self._settling = Tasks("journals")
        self._faults: dict[int, int] = {}  # deaths of a slot in a row
        self._waiting: set[int] = set()
        self._departed = Snapshot({}, {})
        self._deaths = 0
        self._begun = False
        self._draining_since = 0.0  # monotonic seconds
        self._on_helpless = on_helpless

    def __repr__(self) -> str:
        return f"<Supervisor of {list(self._workers.values())!r}>"

    @property
    def worker_pids(self) -> tuple[int, ...]:
        return tuple(worker.pid for worker in self._workers.values() if worker.pid)

    # --- start and end ------------------------------------------------------------------------

    async def start(self) -> None:
        """Start every worker; WorkerFailed if one of them cannot serve."""
        await self._generations.open()
        try:
            workers = await asyncio.gather(*map(self._start_worker, range(len(self._doors))))
        except OSError as error:
            raise WorkerFailed(f"no worker can be started: {error}") from None
        if not await all_set((worker.started for worker in workers), PREPARING_SECONDS):
            raise WorkerFailed("a worker was not ready to serve in time")
        for worker in workers:
            if worker.state == "starting":
                raise WorkerFailed(worker.fault or "a worker ended as soon as it was started")
        self._begun = True
        _ = self._tasks.start(self._keep_asking(), name="heartbeat")

    async def drain(self, grace_seconds: float) -> None:
        """Accept no more connections, let requests in flight end; returns once nothing accepts."""
        self._stopping.set()
        self._draining_since = self._clock.monotonic()
        for sockets in self._doors:
            for each in sockets:
                each.close()
        workers = list(self._workers.values())
        for worker in workers:
            worker.state = "draining"
            worker.channel.tell(Drain())
        await all_set((worker.stopped_accepting for worker in workers), grace_seconds)

    async def end(self, grace_seconds: float) -> None:
        """Wait for the workers to end; those that take too long are killed, their audit saved.

        How long is counted from the beginning of the drain.
        """
        if not self._stopping.is_set():
            await self.drain(grace_seconds)
        workers = list(self._workers.values())
        spent = self._clock.monotonic() - self._draining_since
        left = max(0.0, grace_seconds + self._patience.ending_seconds - spent)
        if not await all_set((each.gone for each in workers), left):
            for worker in list(self._workers.values()):
                _log.error("worker killed: it did not end in time", worker=worker.slot)
                worker.kill()
            await all_set((worker.gone for worker in workers), self._patience.ending_seconds)
        await self.distribution.close()
        await self._settling.close(grace_seconds=self._patience.ending_seconds)
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
        words = (
            "draining" if self._stopping.is_set() else f"{serving} of {len(self._doors)} serving"
        )
        if self._generations.gone:
            words += "; those that die cannot be replaced, see the log"
        answers["workers"] = (serving > 0 and not self._stopping.is_set(), words)
        return answers

    async def held(self) -> Sequence[HeldBy]:
        """What each worker decides by at this moment."""
        await self._reports()
        return await self.distribution.held()

    def _states(self) -> dict[tuple[str, ...], float]:
        counts: dict[tuple[str, ...], float] = {
            (state,): 0.0 for state in ("starting", "serving", "draining", "waiting")
        }
        for worker in self._workers.values():
            counts[worker.state,] += 1
        counts["waiting",] += len(self._waiting)
        return counts

    async def tallies(self) -> Sequence[Tally]:
        """See `gateway.trial.TrialCarrier`."""
        reports = await self._reports(tally=True)
        return [report.tally for _, report in sorted(reports.items()) if report.tally is not None]

    @property
    def reverted(self) -> Reverted | None:
        """See `gateway.trial.TrialCarrier`."""
        return self.distribution.reverted

    async def _reports(self, *, tally: bool = False) -> dict[int, Report]:
        asked = [worker for worker in self._workers.values() if worker.started.is_set()]
        for worker in asked:
            worker.reported.clear()
            worker.channel.tell(Ask(tally=tally))
        await all_set((worker.reported for worker in asked), self._patience.report_seconds)
        # What one that has ended meanwhile had counted is with the departed.
        return {
            worker.slot: worker.report
            for worker in asked
            if worker.report is not None and not worker.gone.is_set()
        }

    # --- changes ------------------------------------------------------------------------------

    async def take(self, sources: Sources) -> str:
        """See `gateway.reload.Carrier`."""
        return await self.distribution.take(sources)

    async def roll_back(self) -> str:
        """See `gateway.reload.Carrier`."""
        return await self.distribution.roll_back()

    async def try_out(self, sources: Sources, plan: Plan) -> str:
        """See `gateway.trial.TrialCarrier`."""
        return await self.distribution.try_out(sources, plan)

    async def withdraw(self) -> str:
        """See `gateway.trial.TrialCarrier`."""
        return await self.distribution.withdraw()

    def reopen_audit(self) -> None:
        """Have every worker follow a rotation of the audit file."""
        for worker in self._workers.values():
            worker.channel.tell(Reopen())

    # --- the workers --------------------------------------------------------------------------

    async def _start_worker(self, slot: int) -> WorkerProcess:
        """Fork a worker; OSError when that cannot be done now.

        It counts as one of ours before it is forked: what is told to all of them until it can
        listen, a reload or the end, waits for it in its channel.
        """
        ours, its = socket.socketpair()
        with its, contextlib.ExitStack() as undo:
            channel = Listening(ours, FROM_WORKER)
            undo.callback(channel.close)
            journal = self._make_journal()
            undo.callback(journal.close)
            worker = WorkerProcess(slot, channel, journal, self._clock.monotonic())
            await channel.open()
            if self._stopping.is_set():
                raise OSError("the gateway is ending")
            self._workers[slot] = worker
            undo.callback(worker.ended)
            undo.callback(self._workers.pop, slot)
            listening = (each.fileno() for each in self._doors[slot])
            worker.pid = await self._generations.fork(slot, [its.fileno(), journal.fd, *listening])
            undo.pop_all()
        _ = self._tasks.start(self._attend(worker), name=f"worker-{slot}")
        return worker

    async def _attend(self, worker: WorkerProcess) -> None:
        """Hear a worker out until it is gone, then see to what it left."""
        try:
            while (message := await worker.channel.next()) is not None:
                worker.silent_beats = 0
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
                worker.state = "draining" if self._stopping.is_set() else "serving"
                worker.started.set()
                self.distribution.welcome(worker)
            case FailedToStart():
                worker.fault = message.detail
            case StoppedAccepting():
                worker.stopped_accepting.set()
            case Turned():
                self.distribution.turned(message)
            case Reloaded():
                worker.reload = message
                worker.reloaded.set()

    async def _after(self, worker: WorkerProcess) -> None:
        slot = worker.slot
        del self._workers[slot]
        if worker.report is not None:
            self._departed = merged([self._departed, worker.report.snapshot.counters()])
        _ = self._settling.start(self._settle(worker), name=f"journal-{slot}")
        if self._stopping.is_set() or (worker.state == "starting" and not self._begun):
            return
        self._deaths += 1
        lived = self._clock.monotonic() - worker.began
        if lived > self._patience.steady_seconds:
            self._faults.pop(slot, None)
        delay = self._back_off(slot)
        _ = self._tasks.start(self._tell_of(worker, lived, delay), name=f"obituary-{slot}")
        await self._replace(slot, delay)

    async def _tell_of(self, worker: WorkerProcess, lived: float, delay: float) -> None:
        patience = self._patience.report_seconds
        status = await self._generations.end_of(worker.pid, seconds=patience)
        _log.error(
            "worker died", worker=worker.slot, pid=worker.pid, lived_seconds=round(lived, 1),
            how=worker.fault or how_it_ended(status), replaced_in_seconds=delay,
        )  # fmt: skip

    def _back_off(self, slot: int) -> float:
        """How long this slot has to wait after one more fault."""
        faults = self._faults[slot] = self._faults.get(slot, -1) + 1
        delays = self._patience.back_off_seconds
        return delays[min(faults, len(delays) - 1)]

    async def _replace(self, slot: int, delay: float) -> None:
        """Start another worker, as often as it takes."""
        reopen = None
        while not self._stopping.is_set():
            if delay:
                # Its share of the port is left to the others for a while.
                if reopen is None and len(self._doors) > 1:
                    reopen = give_up(self._doors[slot])
                self._waiting.add(slot)
                await asyncio.sleep(delay)
                self._waiting.discard(slot)
            try:
                if reopen is not None and not self._stopping.is_set():
                    self._doors[slot], reopen = reopen(), None
                await self._start_worker(slot)
            except OSError as error:
                if self._stopping.is_set():
                    return
                if self._generations.helpless and not self._workers:
                    self._on_helpless()
                    return
                delay = self._back_off(slot)
                _log.error(
                    "no worker can be started", worker=slot, why=str(error), again_in_seconds=delay
                )
            else:
                return

    async def _settle(self, worker: WorkerProcess) -> None:
        await self._settle_journal(worker.journal)

    async def _keep_asking(self) -> None:
        """Kill those that leave too many heartbeats in a row without an answer.

        Beats are counted, not seconds: while this process was halted nobody was asked.
        """
        beat = self._patience.heartbeat_seconds
        while True:
            await asyncio.sleep(beat)
            for worker in list(self._workers.values()):
                started = worker.started.is_set()
                most = self._patience.hung_seconds if started else PREPARING_SECONDS
                if worker.silent_beats * beat > most:
                    _log.error("worker killed: it has not answered", worker=worker.slot)
                    worker.kill()
                elif started:
                    worker.channel.tell(Ask())
                worker.silent_beats += 1
