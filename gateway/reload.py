"""A changed policy is in force everywhere, or nowhere and the last good one stays.

`PolicyChanges` is the one desk that changes go over, whoever brings them: the watch over the files,
a signal, an operator's call. It reads the sources once; whoever carries the change out (`Carrier`)
is handed those very bytes, so that nobody can decide by other files than were judged. What came of
the last attempt is kept, findings and all, for whoever asks.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, get_args

import msgspec

from gateway.attempts import (
    Attempt,
    Finding,
    HeldBy,
    Left,
    Outcome,
    PolicyStatus,
    Refused,
    Source,
    refused_for,
)
from gateway.clock import Clock
from gateway.counts import Snapshot
from gateway.logs import get as get_logger
from policy import PolicyError, Sources

__all__ = ["Carrier", "PolicyChanges"]

_log = get_logger("gateway.reload")

_LEFT: Mapping[Left, str] = {
    "rollback": "rolled back from version {version}, which the files still say",
    "promotion": "a candidate was promoted over version {version}, which the files still say",
}


class Carrier(Protocol):
    """Who puts a policy in force. Each either does so everywhere or raises Refused."""

    async def take(self, sources: Sources) -> str:
        """Judge `sources`, put them in force, and take over users, keys and certificates as well.

        What could not be taken over of the latter in some worker, or empty.
        """

    async def roll_back(self) -> str:
        """Put the version before in force; which workers did not do so, or empty."""

    async def held(self) -> Sequence[HeldBy]:
        """What each worker decides by at this moment."""


class _Standing(msgspec.Struct, frozen=True):
    sources: Sources | None
    version: str
    since: float


class PolicyChanges:
    """The one writer of what is in force. `version` is what the start was made with.

    Without its `sources` nothing is taken over by a signal or a watch after a rollback to it.
    """

    def __init__(
        self,
        read: Callable[[], Sources],
        carrier: Carrier,
        version: str,
        *,
        sources: Sources | None = None,
        clock: Clock,
    ) -> None:
        self._read = read
        self._carrier = carrier
        self._clock = clock
        self._lock = asyncio.Lock()
        self._now = _Standing(sources, version, clock.wall())
        self._before: _Standing | None = None
        self._left = ""
        self._left_by: Left = "rollback"
        self._looked_at = self._now.version
        self._last = Attempt(
            at=self._now.since, source="start", outcome="taken", version=self._now.version
        )
        self._error: Attempt | None = None
        self._counts: dict[str, int] = dict.fromkeys(get_args(Outcome), 0)

    def __repr__(self) -> str:
        return f"<PolicyChanges {self._now.version}, {self._last.outcome} last>"

    @property
    def version(self) -> str:
        """What is in force."""
        return self._now.version

    @property
    def is_stale(self) -> bool:
        """Whether the files say something else than what is in force, as far as was tried."""
        return self._error is not None or bool(self._left)

    @property
    def words(self) -> str:
        """What a probe's reader should know, or empty."""
        if self._error is not None:
            return f"the last reload was refused: {self._error.why}"
        if self._left:
            return _LEFT[self._left_by].format(version=self._left)
        return ""

    def snapshot(self) -> Snapshot:
        return Snapshot(
            {
                "gateway_policy_reloads_total": {
                    (result,): float(count) for result, count in self._counts.items()
                },
                "gateway_policy_stale": {(): float(self.is_stale)},
            },
            {},
        )

    async def status(self) -> PolicyStatus:
        return PolicyStatus(
            version=self._now.version,
            since=self._now.since,
            previous=None if self._before is None else self._before.version,
            left=self._left or None,
            left_by=self._left_by if self._left else None,
            stale=self.is_stale,
            last_attempt=self._last,
            last_error=self._error,
            workers=tuple(await self._carrier.held()),
        )

    async def reload(self, source: Source) -> Attempt:
        """Put what the files say now in force, or keep what is, and say why.

        A watch that finds what has been tried already does nothing. Neither a watch nor a signal,
        which may have come to rotate the audit file, undoes a rollback or a promotion; an operator's
        call does.
        """
        async with self._lock:
            version = ""
            try:
                sources, version = await asyncio.to_thread(self._sources)
                if source == "watch" and version == self._looked_at:
                    return self._last
                self._looked_at = version
                if source != "api" and version == self._left:
                    if self._now.sources is None:
                        return self._last
                    sources, version = self._now.sources, self._now.version
                why = await self._carrier.take(sources)
            except Refused as refused:
                if not version:
                    self._looked_at = ""  # nothing could be read
                return self._kept(source, version, refused)
            return self._taken(source, sources, version, why)

    async def roll_back(self) -> Attempt:
        """Put the version before in force again, at once; the watch leaves it at that."""
        async with self._lock:
            if self._before is None:
                return self._kept(
                    "api", "", Refused("there is no version to go back to"), told=False
                )
            try:
                why = await self._carrier.roll_back()
            except Refused as refused:
                return self._kept("api", self._before.version, refused, told=False)
            left, self._now = self._now, self._before
            self._now = msgspec.structs.replace(self._now, since=self._clock.wall())
            self._before = left
            self._leave(left.version, "rollback")
            _log.warning("policy rolled back", policy=self._now.version, before=left.version)
            return self._note("api", "rolled-back", self._now.version, why)

    async def promote(self, sources: Sources) -> Attempt:
        """Put a candidate in force; the watch leaves it at that until the files say something new."""
        async with self._lock:
            version = sources.digest
            try:
                why = await self._carrier.take(sources)
            except Refused as refused:
                return self._kept("api", version, refused, told=False)
            left = self._now
            if version != left.version:
                self._before = left
                self._now = _Standing(sources, version, self._clock.wall())
                self._leave(left.version, "promotion")
            _log.warning("candidate policy promoted", policy=version, before=left.version, why=why)
            return self._note("api", "promoted", version, why)

    def _leave(self, version: str, by: Left) -> None:
        """The files say what was left, unless they have never been taken."""
        self._left = version if self._looked_at == version else ""
        self._left_by = by
        self._error = None if self._looked_at == self._now.version else self._error

    def _sources(self) -> tuple[Sources, str]:
        try:
            sources = self._read()
        except PolicyError as error:
            raise refused_for(error) from None
        return sources, sources.digest

    def _taken(self, source: Source, sources: Sources, version: str, why: str) -> Attempt:
        is_new = version != self._now.version
        if is_new:
            self._before = self._now
            self._now = _Standing(sources, version, self._clock.wall())
        if is_new or self._looked_at == version:
            self._left = ""
        outcome: Outcome = "taken" if is_new else "unchanged"
        attempt = self._note(source, outcome, version, why)
        self._error = attempt if why else None
        if why:
            _log.error("reload not taken by every worker", policy=version, why=why)
        else:
            _log.info("reloaded", policy=version, source=source, outcome=outcome)
        return attempt

    def _kept(
        self, source: Source, version: str, refused: Refused, *, told: bool = True
    ) -> Attempt:
        attempt = self._note(source, "kept", version, str(refused), refused.findings)
        if told:
            self._error = attempt
        _log.error(
            "policy change refused, everything stays as it was",
            policy=self._now.version,
            source=source,
            why=str(refused),
            findings=[str(each) for each in refused.findings],
        )
        return attempt

    def _note(
        self,
        source: Source,
        outcome: Outcome,
        version: str,
        why: str,
        findings: tuple[Finding, ...] = (),
    ) -> Attempt:
        self._counts[outcome] += 1
        self._last = Attempt(
            at=self._clock.wall(), source=source, outcome=outcome, version=version, why=why,
            findings=findings,
        )  # fmt: skip
        return self._last
