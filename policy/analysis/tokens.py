"""Callers who bring several values of the roles claim, users among them.

There are too many sets of values to try. But permissions only add up: if a caller can do something
with some of the values, then also with all those at once that the assertion lets it have. So that
one is asked about; and from what it has, values are taken away as long as it still can.
"""

from policy.analysis.assertions import Assertion, Rule, Verb
from policy.analysis.counterexamples import Counterexample, allowing, holding
from policy.analysis.crowd import Crowd
from policy.analysis.population import Who, WhoKind
from policy.analysis.selections import distinct
from policy.permissions import Demand
from policy.table import DecisionTable

__all__ = ["Tokens"]


class Tokens:
    """What there is to bring for the callers that an assertion speaks of."""

    def __init__(self, table: DecisionTable, crowd: Crowd, assertion: Assertion) -> None:
        self._table = table
        self._crowd = crowd
        self._assertion = assertion
        values = crowd.called(lambda who: who.kind is WhoKind.CLAIM)
        never = assertion.rule is Rule.NEVER
        self._adds = {
            who: crowd.held(number)
            for who, number in values.of(values.classes)
            # With a value that `only` names, a caller is one of those who may.
            if never or not self._is_meant(who)
        }
        # Whoever has one of these is meant by `never`, whoever else it is.
        self._marks = {who for who in self._adds if never and self._is_meant(who)}

    def against(self) -> list[tuple[Who, int]]:
        """The callers for whom the assertion does not hold with all that they may bring.

        If it takes nothing but a token, that one is told and no user: each could bring it.
        """
        called = self._crowd.called(self._may_bring)
        brought, wrong = _joined(self._adds), called.classes
        for demands in _demands(self._assertion):
            able = 0
            for demand in demands:
                able |= self._crowd.population.meeting(demand.unmet_by(brought), 0)
            wrong &= able
        found = called.of(wrong)
        return [one for one in found if one[0].kind is WhoKind.KNOWN] or found

    def told(self, who: Who, number: int) -> Counterexample:
        """One of these callers with no more values than it takes."""
        held = self._crowd.held(number)
        most = held | _joined(self._adds)
        wanted = Demand.joined(
            next(demand for demand in demands if demand.met_by(most))
            for demands in _demands(self._assertion)
        )
        needs_mark = self._assertion.rule is Rule.NEVER and not self._is_meant(who)
        values = self._fewest(held, wanted, needs_mark=needs_mark)
        all_of_it = tuple(values) if who.kind is WhoKind.KNOWN else (who, *values)
        if self._assertion.verb is Verb.HOLD:
            return holding(self._table, all_of_it, self._assertion.held)
        return allowing(self._table, all_of_it, held | _joined(values), self._assertion.asked)

    def _is_meant(self, who: Who) -> bool:
        return self._assertion.whom.has(who, self._table)

    def _may_bring(self, who: Who) -> bool:
        """Whether the assertion speaks of `who` when it brings values."""
        if who.kind not in {WhoKind.KNOWN, WhoKind.USER}:
            return False
        if self._assertion.rule is Rule.ONLY:
            return not self._is_meant(who)
        return bool(self._marks) or self._is_meant(who)

    def _fewest(self, held: int, wanted: Demand, *, needs_mark: bool) -> dict[Who, int]:
        """Some of the values, none of which can be left out."""
        kept = {
            who: adds
            for who, adds in self._adds.items()
            if adds & wanted.bits or (needs_mark and who in self._marks)
        }
        for who in list(kept):
            rest = {other: adds for other, adds in kept.items() if other != who}
            is_marked = not needs_mark or not self._marks.isdisjoint(rest)
            if is_marked and wanted.met_by(held | _joined(rest)):
                kept = rest
        return kept


def _demands(assertion: Assertion) -> list[list[Demand]]:
    """What there is to meet: one of each list, to do what an assertion forbids."""
    if assertion.verb is Verb.HOLD:
        return [[Demand(assertion.held)]]
    return [
        [asked.lets.demand for asked in distinct(group) if asked.lets.demand is not None]
        for group in assertion.asked
    ]


def _joined(values: dict[Who, int]) -> int:
    joined = 0
    for adds in values.values():
        joined |= adds
    return joined
