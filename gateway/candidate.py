"""A candidate policy beside the active one: asked about the same requests, and what came of it.

Each request is decided by one of the two, and the other is asked afterwards, without effect: for
callers of the rollout the candidate decides, for all others the active policy. What the two say
differently is counted by operation and reasons, with the last few as examples; nothing grows with
the number of requests or callers. Without a candidate none of this exists.
"""

from collections import Counter, deque
from collections.abc import Iterable

import msgspec

from gateway.rollout import Band, Rollout, Watch
from policy import Caller, Decision, DecisionTable, Effect, Inquiry, Missing, Reason, decide

__all__ = ["Candidate", "Change", "Example", "Reverted", "Tally", "joined"]

_MOST_CALLERS = 10_000
_MOST_CHANGES = 10_000


class Change(msgspec.Struct, frozen=True):
    """What both policies said of requests for an operation; "" where none is known."""

    service: str
    route: str
    active: Reason
    candidate: Reason


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

    `undetermined` are requests of which the other policy would have had to see the body, `other`
    changes beyond what is told apart.
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
    held_active: int
    held_candidate: int


class Candidate:
    """The candidate `table` beside the `active` one, both as long as it lives.

    Used on one event loop. Once reverted it goes on comparing and governs nobody.
    """

    def __init__(
        self,
        active: DecisionTable,
        table: DecisionTable,
        rollout: Rollout | None = None,
        band: Band | None = None,
        *,
        most_examples: int = 100,
    ) -> None:
        self.active, self.table = active, table
        self.reverted: Reverted | None = None
        self._rollout = rollout or Rollout()
        self._watch = Watch(band or Band())
        self._known: dict[int, _Known] = {}
        self._changes = Counter[Change]()
        self._examples: deque[Example] = deque(maxlen=most_examples)
        self._compared = self._undetermined = self._enforced = self._other = 0

    def __repr__(self) -> str:
        state = "reverted" if self.reverted else f"share {self._rollout.share}"
        return f"<Candidate {self.table.version}: {state}, {self._compared} compared>"

    def table_for(self, caller: Caller) -> DecisionTable:
        """The table by which requests of `caller` are decided."""
        if self.reverted is None and self._of(caller).governed:
            return self.table
        return self.active

    def compare(self, id_: str, inquiry: Inquiry, decision: Decision) -> None:
        """Ask the other table what became of a request that was decided by one of the two.

        `inquiry` is the one that was decided, with the body's facts where they were read. A
        decision by any third table, such as one from before a reload, is passed over.
        """
        known = self._of(inquiry.caller)
        by_candidate = decision.policy == self.table.version
        if not by_candidate and decision.policy != self.active.version:
            return
        other, held = (
            (self.active, known.held_active) if by_candidate else (self.table, known.held_candidate)
        )
        answer = decide(
            other,
            Inquiry(
                caller=inquiry.caller,
                held=held,
                method=inquiry.method,
                segments=inquiry.segments,
                query=inquiry.query,
                body=inquiry.body,
            ),
        )
        if not isinstance(answer, Decision):
            self._undetermined += 1
            return
        self._compared += 1
        active, candidate = (answer, decision) if by_candidate else (decision, answer)
        if active.reason is not candidate.reason:
            self._note(id_, inquiry.caller, active, candidate, enforced=by_candidate)
        if by_candidate and self.reverted is None:
            self._enforced += 1
            why = self._watch.add(
                denied=candidate.effect is Effect.DENY, would_be_denied=active.effect is Effect.DENY
            )
            if why is not None:
                self.reverted = Reverted(why, id_)

    def tally(self) -> Tally:
        """What has been seen so far."""
        return Tally(
            compared=self._compared,
            undetermined=self._undetermined,
            enforced=self._enforced,
            other=self._other,
            changes=self._changes.most_common(),
            examples=list(self._examples),
            reverted=self.reverted,
        )

    def _note(
        self, id_: str, caller: Caller, active: Decision, candidate: Decision, *, enforced: bool
    ) -> None:
        route = active.route or candidate.route
        change = Change(
            "" if route is None else route.service,
            "" if route is None else route.id,
            active.reason,
            candidate.reason,
        )
        if change in self._changes or len(self._changes) < _MOST_CHANGES:
            self._changes[change] += 1
        else:
            self._other += 1
        self._examples.append(
            Example(id_, caller.subject, change, active.missing, candidate.missing, enforced)
        )

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


def joined(tallies: Iterable[Tally], most_examples: int = 100) -> Tally:
    """What several processes have seen together; whichever reverted first in their order counts."""
    whole = Tally()
    changes = Counter[Change]()
    for tally in tallies:
        whole.compared += tally.compared
        whole.undetermined += tally.undetermined
        whole.enforced += tally.enforced
        whole.other += tally.other
        changes.update(dict(tally.changes))
        whole.examples = [*whole.examples, *tally.examples][-most_examples:]
        whole.reverted = whole.reverted or tally.reverted
    whole.changes = changes.most_common()
    return whole
