"""Recorded decisions that another policy would have made otherwise, counted in bounded memory.

Lines that say the same of the same caller are one group: it is replayed once, and counted from
then on. What a flip is: the decision's effect changes. In a service that only watches
(`use_role: shadow`) a denial was let through; it counts as well where the other policy's service
would enforce it.
"""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

import msgspec

from gateway.audit.redact import CUT
from gateway.learning.lines import Line, caller_of
from policy import Caller, DecisionTable, Effect, Held, Kind, Means, Missing, Reason, UseRole
from policy.analysis import Recorded, Replay, Replayed, Standing

__all__ = ["Flip", "FlipKind", "Flips", "Unknown"]

_MOST_GROUPS = 50_000
_MOST_DOUBTS = 1_000
_ANONYMOUS = Kind.ANONYMOUS


class FlipKind(StrEnum):
    """What becomes of requests of the group; in the order in which they are told."""

    ALLOWED = "newly allowed"
    DENIED = "newly denied"
    ENFORCED = "denied before, let through in shadow, now refused"


class Flip(msgspec.Struct, kw_only=True):
    """Requests of one caller for one operation under the same conditions."""

    kind: FlipKind
    caller: str
    claims: tuple[str, ...]
    method: str
    service: str | None
    route: str | None
    conditions: tuple[str, ...]
    before: Reason
    after: Reason | None
    missing: Missing
    count: int = 0
    first: str = ""
    last: str = ""
    example: str = ""

    def add(self, line: Line) -> None:
        self.count += 1
        if not self.first or line.time < self.first:
            self.first = line.time
        if line.time >= self.last:
            self.last, self.example = line.time, line.id


class Unknown(msgspec.Struct, frozen=True):
    """Why a line cannot be told, and the operation it was for."""

    why: str
    operation: str


_NO_TABLE = "decided with other catalogues or services than those of --config and --against"

_Key = tuple[object, ...]


class Flips:
    """Lines decided by `table`, or by any policy with its rules or those of `other`."""

    def __init__(self, table: DecisionTable, other: DecisionTable) -> None:
        self._other = other
        self._replays: Mapping[str, Replay] = {
            other.rules: Replay(other, other), table.rules: Replay(table, other),
        }  # fmt: skip
        self._seen: dict[_Key, Flip | Unknown | None] = {}
        self._groups: dict[_Key, Flip] = {}
        self._standings: dict[tuple[object, ...], Standing] = {}
        self.replayed = self.same = self.undecided = self.flipped = 0
        self.unknown: Counter[Unknown] = Counter()
        self.examples: dict[Unknown, str] = {}
        self.first = self.last = ""

    def __repr__(self) -> str:
        return f"<Flips: {self.flipped} of {self.replayed}>"

    def add(self, line: Line) -> None:
        """Count one more line."""
        reason = line.decision
        if reason is None:
            self.undecided += 1
            return
        if not self.first or line.time < self.first:
            self.first = line.time
        self.last = max(line.time, self.last)
        key = (
            line.subject, line.kind is _ANONYMOUS, line.claims, line.method, line.service, line.route,
            line.reason, line.because, line.conditions, line.unread, line.enforced, line.policy,
        )  # fmt: skip
        try:
            found = self._seen[key]
        except KeyError:
            if len(self._seen) >= _MOST_GROUPS:
                self._seen.clear()
            found = self._seen[key] = self._found(line, reason)
        if found is None:
            self.replayed += 1
            self.same += 1
        elif isinstance(found, Unknown):
            self._count_unknown(found, line)
        else:
            self.replayed += 1
            self.flipped += 1
            found.add(line)

    def groups(self) -> list[Flip]:
        """What flips, the most frequent first within its kind."""
        order = list(FlipKind)
        return sorted(
            self._groups.values(),
            key=lambda flip: (order.index(flip.kind), -flip.count, flip.caller, flip.first),
        )

    def counts(self) -> dict[FlipKind, int]:
        found = Counter[FlipKind]()
        for flip in self._groups.values():
            found[flip.kind] += flip.count
        return {kind: found[kind] for kind in FlipKind}

    def _count_unknown(self, unknown: Unknown, line: Line) -> None:
        if unknown not in self.unknown and len(self.unknown) >= _MOST_DOUBTS:
            unknown = Unknown(unknown.why, "(further operations)")
        self.unknown[unknown] += 1
        self.examples.setdefault(unknown, line.id)

    def _found(self, line: Line, reason: Reason) -> Flip | Unknown | None:
        operation = line.route or "(no operation)"
        replay = self._replays.get(line.policy[: len(line.policy) // 2])
        if replay is None:
            return Unknown(_NO_TABLE, operation)
        recorded = Recorded(
            method=line.method,
            service=line.service,
            route=line.route,
            reason=reason,
            because=line.because,
            conditions=None if CUT in line.conditions else line.conditions,
            unread=line.unread,
            anonymous=line.kind is _ANONYMOUS,
            divisions=line.divisions,
        )
        found = replay.decided(recorded, self._standing(line))
        if found.doubt is not None:
            return Unknown(found.doubt, operation)
        kind = _kind(line, reason, found)
        return None if kind is None else self._group(kind, line, reason, found)

    def _group(self, kind: FlipKind, line: Line, reason: Reason, found: Replayed) -> Flip:
        key = (
            kind, line.subject, line.claims, line.method, line.service, line.route,
            line.conditions, reason, found.reason, found.missing,
        )  # fmt: skip
        flip = self._groups.get(key)
        if flip is None and len(self._groups) < _MOST_GROUPS:
            flip = self._groups[key] = Flip(
                kind=kind,
                caller=line.subject if line.kind is not _ANONYMOUS else "(anonymous)",
                claims=line.claims,
                method=line.method,
                service=line.service,
                route=line.route or (found.route.id if found.route else None),
                conditions=line.conditions,
                before=reason,
                after=found.reason,
                missing=found.missing or line.missing or Missing(),
            )
        if flip is None:  # a list that nobody would read
            flip = self._rest(kind)
        return flip

    def _rest(self, kind: FlipKind) -> Flip:
        rest = (kind, "(further groups)")
        flip = self._groups.get(rest)
        if flip is None:
            flip = self._groups[rest] = Flip(
                kind=kind, caller="(further groups)", claims=(), method="", service=None,
                route=None, conditions=(), before=Reason.PERMITTED, after=None, missing=Missing(),
            )  # fmt: skip
        return flip

    def _standing(self, line: Line) -> Standing:
        """What the caller holds in the other table, as far as the line names it."""
        key = line.subject, line.kind is _ANONYMOUS, line.claims, line.means
        standing = self._standings.get(key)
        if standing is None:
            if len(self._standings) >= _MOST_GROUPS:
                self._standings.clear()
            standing = self._standings[key] = _standing_of(self._other, line, caller_of(line))
        return standing


def _standing_of(table: DecisionTable, line: Line, caller: Caller) -> Standing:
    least = most = table.held_by(caller)
    if line.subject.endswith(CUT):
        most = table.everything
    elif any(claim.endswith(CUT) for claim in line.claims):
        everything = msgspec.structs.replace(caller, claims=frozenset(table.claims))
        most = Held.joined((most, table.held_by(everything)))
    if caller.means is not Means.CLIENT_CREDENTIALS:
        most = most.plus(table.permissions.every_scope)  # a line does not tell what the token named
    return Standing(caller, least, most)


def _kind(line: Line, before: Reason, found: Replayed) -> FlipKind | None:
    if found.effect is not before.effect:
        return FlipKind.ALLOWED if found.effect is Effect.ALLOW else FlipKind.DENIED
    if line.enforced or found.effect is Effect.ALLOW:
        return None
    is_enforced = found.route is not None and found.route.use_role is UseRole.ENFORCE
    return FlipKind.ENFORCED if is_enforced else None
