"""A candidate policy beside the active one: asked about the same requests, and what came of it.

Each request is decided by one of the two, and the other is asked afterwards, without effect: for
callers of the rollout the candidate decides, for all others the active policy. What the two say
differently is counted by operation and reasons, with the last of a few callers as examples; nothing grows with
the number of requests or callers. Without a candidate none of this exists.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Literal

import msgspec
from msgspec.structs import replace

from gateway.rollout import Plan, Watch
from policy import (
    NOTHING,
    Caller,
    Decision,
    DecisionTable,
    Effect,
    Held,
    Inquiry,
    Missing,
    Reason,
    decide,
)

__all__ = ["Candidate", "Change", "Compared", "Example", "Reverted", "Tally", "joined"]

Compared = Literal["same", "newly-allowed", "newly-denied", "other-reason", "undetermined"]
"""What the candidate says of a request, seen from the active policy; a label of a metric."""

_MOST_CALLERS = 10_000
_MOST_CHANGES = 2_000


class Change(msgspec.Struct, frozen=True):
    """What both policies said of requests for an operation; "" where none is known.

    None is said by a policy that would have had to see the body, which nobody read.
    """

    service: str
    route: str
    active: Reason | None
    candidate: Reason | None


class Example(msgspec.Struct, frozen=True):
    """One request of which the two say different things; `enforced` are those of the rollout."""

    id: str
    subject: str
    change: Change
    active_missing: Missing
    candidate_missing: Missing
    enforced: bool


class Reverted(msgspec.Struct, frozen=True):
    """Why the rollout went back by itself, and the request after which it did."""

    why: str
    id: str


class Tally(msgspec.Struct):
    """What has been seen so far; plain data, which one process can send to another.

    `compared` are requests that both decided; of those `undetermined` one would have had to see the
    body. `enforced` were decided by the candidate. `other` are changes beyond what is told apart,
    `examples` the last of each caller and change.
    """

    compared: int = 0
    undetermined: int = 0
    enforced: int = 0
    other: int = 0
    changes: list[tuple[Change, int]] = []
    examples: list[Example] = []
    reverted: Reverted | None = None


class _Known(msgspec.Struct, frozen=True):
    """What is remembered of a caller; `caller` keeps its identity from being given away."""

    caller: Caller
    governed: bool
    held_active: Held
    held_candidate: Held


class Candidate:
    """The candidate `table` beside the `active` one, both as long as it lives.

    Used on one event loop. Once reverted it goes on comparing and governs nobody; `on_revert` is
    called when it reverts by itself. `key` settles who is in the plan's share.
    """

    def __init__(
        self,
        active: DecisionTable,
        table: DecisionTable,
        plan: Plan | None = None,
        *,
        key: bytes = b"",
        on_revert: Callable[[Reverted], None] = lambda _: None,
        most_examples: int = 100,
    ) -> None:
        self.active, self.table = active, table
        self.plan = plan or Plan()
        self.reverted: Reverted | None = None
        self._key = key
        self._on_revert = on_revert
        self._most_examples = most_examples
        self._rollout = self.plan.rollout(key)
        self._watch = Watch(self.plan.band)
        self._known: dict[int, _Known] = {}
        self._changes = Counter[Change]()
        self._examples: dict[tuple[Change, str], Example] = {}
        self._compared = self._undetermined = self._enforced = self._other = 0

    def __repr__(self) -> str:
        state = "reverted" if self.reverted else f"share {self._rollout.share}"
        return f"<Candidate {self.table.version}: {state}, {self._compared} compared>"

    def beside(self, active: DecisionTable) -> "Candidate | None":
        """The same beside another active policy, with nothing seen yet; None where it is that."""
        if active.version == self.table.version:
            return None
        anew = Candidate(
            active,
            self.table,
            self.plan,
            key=self._key,
            on_revert=self._on_revert,
            most_examples=self._most_examples,
        )
        anew.reverted = self.reverted
        return anew

    def revert(self, reverted: Reverted) -> None:
        """Govern nobody from now on: it has reverted elsewhere."""
        self.reverted = self.reverted or reverted

    def table_for(self, caller: Caller) -> DecisionTable:
        """The table by which requests of `caller` are decided."""
        if self.reverted is None and self._of(caller).governed:
            return self.table
        return self.active

    def compare(self, id_: str, inquiry: Inquiry, decision: Decision) -> Compared | None:
        """Ask the other table what became of a request that was decided by one of the two.

        `inquiry` is the one that was decided, with the body's facts where they were read. A
        decision by any third table, such as one from before a reload, is passed over: None.
        """
        known = self._of(inquiry.caller)
        by_candidate = decision.policy == self.table.version
        if not by_candidate and decision.policy != self.active.version:
            return None
        other, held = (
            (self.active, known.held_active) if by_candidate else (self.table, known.held_candidate)
        )
        answer = decide(other, replace(inquiry, held=held))
        told = answer if isinstance(answer, Decision) else None
        active, candidate = (told, decision) if by_candidate else (decision, told)
        if told is None:
            self._undetermined += 1
        else:
            self._compared += 1
        if told is None or told.reason is not decision.reason:
            self._note(id_, inquiry.caller, active, candidate, enforced=by_candidate)
        if by_candidate and self.reverted is None:
            self._watch_over(id_, decision, told)
        return _seen(active, candidate)

    def _watch_over(self, id_: str, candidate: Decision, active: Decision | None) -> None:
        """What the active policy would have seen the body for counts as what it would have allowed:
        rather too early back than too late.
        """
        self._enforced += 1
        why = self._watch.add(
            denied=candidate.effect is Effect.DENY,
            would_be_denied=active is not None and active.effect is Effect.DENY,
        )
        if why is not None:
            self.reverted = Reverted(why, id_)
            self._on_revert(self.reverted)

    def tally(self) -> Tally:
        """What has been seen so far."""
        return Tally(
            compared=self._compared,
            undetermined=self._undetermined,
            enforced=self._enforced,
            other=self._other,
            changes=self._changes.most_common(),
            examples=list(self._examples.values()),
            reverted=self.reverted,
        )

    def _note(
        self,
        id_: str,
        caller: Caller,
        active: Decision | None,
        candidate: Decision | None,
        *,
        enforced: bool,
    ) -> None:
        routes = (each.route for each in (active, candidate) if each is not None)
        route = next(filter(None, routes), None)
        change = Change(
            "" if route is None else route.service,
            "" if route is None else route.id,
            None if active is None else active.reason,
            None if candidate is None else candidate.reason,
        )
        if change in self._changes or len(self._changes) < _MOST_CHANGES:
            self._changes[change] += 1
        else:
            self._other += 1
        # One for each caller and change: whoever asks often does not crowd out the others.
        key = change, caller.subject
        self._examples.pop(key, None)
        self._examples[key] = Example(
            id_,
            caller.subject,
            change,
            NOTHING if active is None else active.missing,
            NOTHING if candidate is None else candidate.missing,
            enforced,
        )
        if len(self._examples) > self._most_examples:
            del self._examples[next(iter(self._examples))]

    def _of(self, caller: Caller) -> _Known:
        # By identity: callers are remembered by whoever identified them.
        known = self._known.get(id(caller))
        if known is None:
            if len(self._known) >= _MOST_CALLERS:
                self._known.clear()
            known = self._known[id(caller)] = _Known(
                caller,
                self._rollout.includes(caller, self.active),
                self.active.held_by(caller),
                self.table.held_by(caller),
            )
        return known


def _seen(active: Decision | None, candidate: Decision | None) -> Compared:
    if active is None or candidate is None:
        return "undetermined"
    if active.reason is candidate.reason:
        return "same"
    if active.effect is candidate.effect:
        return "other-reason"
    return "newly-denied" if candidate.effect is Effect.DENY else "newly-allowed"


def joined(tallies: Iterable[Tally], most_examples: int = 100) -> Tally:
    """What several processes have seen together; whichever reverted first in their order counts."""
    whole = Tally()
    examples: dict[tuple[Change, str], Example] = {}
    changes = Counter[Change]()
    for tally in tallies:
        whole.compared += tally.compared
        whole.undetermined += tally.undetermined
        whole.enforced += tally.enforced
        whole.other += tally.other
        changes.update(dict(tally.changes))
        examples |= {(one.change, one.subject): one for one in tally.examples}
        whole.reverted = whole.reverted or tally.reverted
    whole.examples = list(examples.values())[-most_examples:]
    whole.changes = changes.most_common()
    return whole
