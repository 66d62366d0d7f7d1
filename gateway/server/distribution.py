"""One policy for all workers: judged once, handed to each as it was compiled, taken by all.

The supervisor's side of a change. A generation compiles, aside from everybody who serves; workers
get the finished table. What is in force and what was before it are kept as they were sent, because
a worker that was started since has only the one it was forked with. So is a candidate that is tried
beside it; when that reverts in one worker, it has reverted in all.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import msgspec

from gateway.attempts import HeldBy, Refused
from gateway.candidate import Reverted
from gateway.logs import get as get_logger
from gateway.rollout import Plan
from gateway.server.generations import Generations
from gateway.server.messages import (
    Keep,
    Part,
    Reload,
    Revert,
    RollBack,
    Try,
    Turned,
    Withdraw,
)
from gateway.server.patience import PREPARING_SECONDS, all_set
from gateway.server.worker import WorkerProcess
from gateway.tasks import Tasks
from policy import Sources, packed

__all__ = ["Distribution"]

_log = get_logger("gateway.supervisor")

_AGAIN_SECONDS = 5.0


class _Version:
    """A policy as it was judged. `parts` makes those of the table that the start came with."""

    def __init__(self, version: str, sources: bytes, parts: Callable[[], Sequence[bytes]]) -> None:
        self.version = version
        self.sources = sources
        self._make = parts
        self._parts: Sequence[bytes] | None = None

    async def parts(self) -> Sequence[bytes]:
        if self._parts is None:
            self._parts = await asyncio.to_thread(self._make)
        return self._parts


class _Trial(msgspec.Struct):
    """A candidate as it was judged, how it is tried, and whether it has reverted."""

    version: str
    parts: Sequence[bytes]
    plan: Plan
    reverted: Reverted | None = None

    def message(self) -> Try:
        return Try(version=self.version, plan=self.plan, reverted=self.reverted)


class Distribution:
    """Puts policies in force in all `workers`, and candidates beside them.

    See `gateway.reload.Carrier` and `gateway.trial.TrialCarrier`.
    """

    def __init__(
        self,
        workers: Callable[[], Iterable[WorkerProcess]],
        *,
        sources: Sources,
        parts: Callable[[], Sequence[bytes]],
        is_ending: Callable[[], bool],
    ) -> None:
        self._workers = workers
        self._is_ending = is_ending
        self._now = _Version(sources.digest, packed(sources), parts)
        self._before: _Version | None = None
        self._trial: _Trial | None = None
        self._tasks = Tasks("distribution")
        self._lock = asyncio.Lock()
        self.generations: Generations

    def __repr__(self) -> str:
        return f"<Distribution of {self._now.version}>"

    @property
    def version(self) -> str:
        return self._now.version

    @property
    def reverted(self) -> Reverted | None:
        """See `gateway.trial.TrialCarrier`."""
        return None if self._trial is None else self._trial.reverted

    async def take(self, sources: Sources) -> str:
        """Have a generation judge `sources`; what it finds good is put in force everywhere."""
        async with self._lock:
            if self._is_ending():
                raise Refused("the gateway is ending")
            text = await asyncio.to_thread(packed, sources)
            version, parts = await self.generations.renew(
                text, known=self._now.version, seconds=PREPARING_SECONDS
            )
            if version != self._now.version:
                self._before, self._now = self._now, _Version(version, text, lambda: parts)
            # Also to those that are just being forked, maybe from the generation before.
            asked = self._asked()
            for worker in asked:
                _send(worker, parts)
                worker.knows_before = worker.knows_before or bool(parts)
                worker.ask_to_change(Reload(version=version))
            self._end_trial_of(version, asked)
            return await self._answers(asked, version)

    async def roll_back(self) -> str:
        """Every worker goes back to the version before, which it has in memory."""
        async with self._lock:
            if self._before is None or self._is_ending():
                raise Refused("there is no version to go back to")
            self._now, self._before = self._before, self._now
            self.generations.roll_back()
            asked = self._asked()
            for worker in asked:
                if not worker.knows_before:
                    await _keep(worker, self._now)
            for worker in asked:
                worker.ask_to_change(RollBack(version=self._now.version))
            self._end_trial_of(self._now.version, asked)
            return await self._answers(asked, self._now.version)

    async def try_out(self, sources: Sources, plan: Plan) -> str:
        """See `gateway.trial.TrialCarrier`."""
        async with self._lock:
            if self._is_ending():
                raise Refused("the gateway is ending")
            trial = self._trial
            if trial is not None and trial.version == sources.digest:
                trial = _Trial(trial.version, trial.parts, plan)
            else:
                text = await asyncio.to_thread(packed, sources)
                version, parts = await self.generations.judge(text, seconds=PREPARING_SECONDS)
                trial = _Trial(version, parts, plan)
            self._trial = trial
            asked = self._asked()
            for worker in asked:
                _bring(worker, trial)
                worker.ask_to_change(trial.message())
            return await self._answers(asked, trial.version)

    async def withdraw(self) -> str:
        """See `gateway.trial.TrialCarrier`."""
        async with self._lock:
            self._trial = None
            asked = self._asked()
            for worker in asked:
                worker.tries = ""
                worker.ask_to_change(Withdraw())
            return await self._answers(asked, self._now.version)

    def turned(self, turned: Turned) -> None:
        """The candidate has reverted by itself in one worker, and so in all."""
        trial = self._trial
        if trial is None or trial.version != turned.version or trial.reverted is not None:
            return
        trial.reverted = turned.reverted
        _log.error(
            "the candidate policy has reverted by itself",
            candidate=trial.version,
            why=turned.reverted.why,
            id=turned.reverted.id,
        )
        for worker in self._asked():
            worker.channel.tell(Revert(version=trial.version, reverted=turned.reverted))

    async def held(self) -> Sequence[HeldBy]:
        """What each worker says that it decides by."""
        reports = [(each.slot, each.report) for each in self._workers() if each.report is not None]
        return [
            HeldBy(
                worker=slot,
                version=report.policy.version,
                since=report.policy.since,
                previous=report.policy.previous,
            )
            for slot, report in sorted(reports)
        ]

    def welcome(self, worker: WorkerProcess) -> None:
        """A worker serves that may never have heard of the version before, or of the candidate."""
        if (self._before or self._trial) is not None and not self._is_ending():
            _ = self._tasks.start(self._bring_up(worker), name=f"welcome-{worker.slot}")

    def remake(self) -> None:
        """The generation is gone: make another from the last good sources."""
        if not self._is_ending():
            _ = self._tasks.start(self._remake(), name="remake")

    async def close(self) -> None:
        await self._tasks.close()

    async def _bring_up(self, worker: WorkerProcess) -> None:
        async with self._lock:
            if self._before is not None and not worker.knows_before:
                await _keep(worker, self._before)
            if self._trial is not None and worker.tries != self._trial.version:
                _bring(worker, self._trial)
                worker.channel.tell(self._trial.message())

    def _end_trial_of(self, version: str, workers: Sequence[WorkerProcess]) -> None:
        """What is in force is tried no more; workers see that for themselves."""
        if self._trial is not None and self._trial.version == version:
            self._trial = None
            for worker in workers:
                worker.tries = ""

    def _asked(self) -> list[WorkerProcess]:
        return [each for each in self._workers() if each.state != "draining"]

    async def _remake(self) -> None:
        while not self._is_ending() and self.generations.gone and not self.generations.helpless:
            async with self._lock:
                now = self._now
                try:
                    await self.generations.renew(
                        now.sources, known=now.version, seconds=PREPARING_SECONDS
                    )
                except Refused as refused:
                    _log.error("no generation can be made", why=str(refused))
                else:
                    _log.info("another generation is there", policy=now.version)
                    return
            await asyncio.sleep(_AGAIN_SECONDS)

    async def _answers(self, asked: Sequence[WorkerProcess], version: str) -> str:
        await all_set((worker.reloaded for worker in asked), PREPARING_SECONDS)
        faults = []
        for worker in asked:
            told = worker.reload
            if worker.gone.is_set():
                continue  # its successor comes from the generation of now
            if told is None or told.faults or told.version != version:
                what = "no answer" if told is None else told.faults or f"it took {told.version}"
                faults.append(f"worker {worker.slot}: {what}")
        return "; ".join(faults)


async def _keep(worker: WorkerProcess, version: _Version) -> None:
    _send(worker, await version.parts())
    worker.channel.tell(Keep(version=version.version))
    worker.knows_before = True


def _bring(worker: WorkerProcess, trial: _Trial) -> None:
    """Send the candidate's table, unless it has been sent before."""
    if worker.tries != trial.version:
        _send(worker, trial.parts)
        worker.tries = trial.version


def _send(worker: WorkerProcess, parts: Iterable[bytes]) -> None:
    for part in parts:
        worker.channel.tell(Part(data=part))
