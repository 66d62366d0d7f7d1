"""A candidate policy is tried beside the one in force: the desk of whoever rolls a change out.

`Trials` reads the candidate's files when it is told to, and hands those very bytes on. What is
promoted is what was tried: if its files or the catalogues have changed since, it has to be tried
again. Nothing of a trial outlives the gateway: after a restart the policy in
force is again what its files say.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import msgspec

from gateway.attempts import Attempt, Refused, refused_for
from gateway.candidate import Reverted, Tally, joined
from gateway.clock import Clock
from gateway.logs import get as get_logger
from gateway.reload import PolicyChanges
from gateway.rollout import Plan
from policy import PolicyError, Sources

__all__ = ["NO_CANDIDATE", "TrialCarrier", "TrialStatus", "Trials"]

_log = get_logger("gateway.trial")

NO_CANDIDATE = "no candidate is tried"

_CHANGED = (
    "the candidate's files or the catalogues have changed since they were tried: try them again"
)
_NO_FOLDER = "no candidate can be tried: name a folder in `candidate` of the settings"


class TrialStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The candidate, what it is tried beside, by which plan and since when, and what it has shown.

    `faults` says which workers do not try it. `since` is in seconds since the epoch.
    """

    version: str
    beside: str
    since: float
    state: Literal["running", "reverted"]
    plan: Plan
    tally: Tally
    faults: str = ""


class TrialCarrier(Protocol):
    """Who tries a candidate in every worker."""

    async def try_out(self, sources: Sources, plan: Plan) -> str:
        """Judge `sources` and try them beside the policy in force, with nothing seen yet.

        Which workers do not, or empty. Raises Refused; then everything is as it was.
        """

    async def withdraw(self) -> str:
        """Try nothing any more; which workers still do, or empty."""

    async def tallies(self) -> Sequence[Tally]:
        """What each worker has seen so far."""

    @property
    def reverted(self) -> Reverted | None:
        """Why the candidate governs nobody any more, if it has reverted by itself."""


class _Trial(msgspec.Struct, frozen=True):
    version: str
    plan: Plan
    since: float
    faults: str


class Trials:
    """The one who starts and ends trials. `read` gives the candidate's sources as they are now.

    Without a `read` nothing can be tried.
    """

    def __init__(
        self,
        read: Callable[[], Sources] | None,
        carrier: TrialCarrier,
        changes: PolicyChanges,
        *,
        clock: Clock,
    ) -> None:
        self._read = read
        self._carrier = carrier
        self._changes = changes
        self._clock = clock
        self._lock = asyncio.Lock()
        self._trial: _Trial | None = None

    def __repr__(self) -> str:
        return f"<Trials of {self._trial.version if self._trial else 'nothing'}>"

    @property
    def words(self) -> str:
        """What a probe's reader should know, or empty."""
        reverted = self._carrier.reverted
        if self._tried() is None or reverted is None:
            return ""
        return f"the candidate policy has reverted by itself: {reverted.why}"

    async def start(self, plan: Plan) -> TrialStatus:
        """Try what the candidate's files say now, by this plan. Raises Refused."""
        async with self._lock:
            sources = await asyncio.to_thread(self._sources)
            if sources.digest == self._changes.version:
                raise Refused("the candidate's files say what is in force already")
            faults = await self._carrier.try_out(sources, plan)
            trial = _Trial(sources.digest, plan, self._clock.wall(), faults)
            self._trial = trial
            _log.warning(
                "a candidate policy is tried",
                candidate=trial.version,
                policy=self._changes.version,
                share=plan.share,
                users=sorted(plan.users),
                groups=sorted(plan.groups),
                why=faults,
            )
            return await self._status(trial)

    async def status(self) -> TrialStatus | None:
        """What is tried, and what it has shown so far."""
        trial = self._tried()
        return None if trial is None else await self._status(trial)

    async def promote(self) -> Attempt:
        """Put what is tried in force everywhere. Raises Refused."""
        async with self._lock:
            trial = self._tried()
            if trial is None:
                raise Refused(NO_CANDIDATE)
            sources = await asyncio.to_thread(self._sources)
            if sources.digest != trial.version:
                raise Refused(_CHANGED)
            attempt = await self._changes.promote(sources)
            if attempt.outcome != "kept":
                self._trial = None
            return attempt

    async def withdraw(self) -> str:
        """Try nothing any more; which workers still do, or empty. Raises Refused."""
        async with self._lock:
            trial = self._tried()
            if trial is None:
                raise Refused(NO_CANDIDATE)
            faults = await self._carrier.withdraw()
            self._trial = None
            _log.warning("the candidate policy is withdrawn", candidate=trial.version, why=faults)
            return faults

    def _tried(self) -> _Trial | None:
        """A candidate that came into force another way is tried no more."""
        if self._trial is not None and self._trial.version == self._changes.version:
            self._trial = None
        return self._trial

    async def _status(self, trial: _Trial) -> TrialStatus:
        tally = joined(await self._carrier.tallies())
        return TrialStatus(
            version=trial.version,
            beside=self._changes.version,
            since=trial.since,
            state="running" if tally.reverted is None else "reverted",
            plan=trial.plan,
            tally=tally,
            faults=trial.faults,
        )

    def _sources(self) -> Sources:
        if self._read is None:
            raise Refused(_NO_FOLDER)
        try:
            return self._read()
        except PolicyError as error:
            raise refused_for(error) from None
