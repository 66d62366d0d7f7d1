"""Callers who bring several values of the roles claim, users among them.

There are too many sets of values to try. But permissions only add up: if a caller can do something
with some of the values, then also with all those at once that the assertion lets it have. So that
one is asked about; and from what it has, values are taken away as long as it still can.
"""

from collections.abc import Sequence

from policy.analysis.assertions import Assertion, Rule, Verb
from policy.analysis.counterexamples import Counterexample, allowing, holding
from policy.analysis.crowd import Crowd
from policy.analysis.outcomes import Outcome
from policy.analysis.population import Who, WhoKind
from policy.analysis.selections import distinct
from policy.holding import Held
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
        brought, wrong = Held.joined(self._adds.values()), called.classes
        for outcomes in _outcomes(self._assertion):
            able = 0
            for outcome in outcomes:
                able |= self._able(outcome, brought)
            wrong &= able
        found = called.of(wrong)
        return [one for one in found if one[0].kind is WhoKind.KNOWN] or found

    def _able(self, outcome: Outcome, brought: Held) -> int:
        """Who is allowed with all that is brought."""
        population = self._crowd.population
        able = population.known
        for single in outcome.singly:
            (counting,) = single.counting(brought)
            for group in single.clauses:
                if not group & counting:
                    able &= population.holding(group, 0, single)
        return able

    def told(self, who: Who, number: int) -> Counterexample:
        """One of these callers with no more values than it takes."""
        held = self._crowd.held(number)
        most = Held.joined((held, *self._adds.values()))
        wanted = [
            next(outcome for outcome in outcomes if outcome.allows(most))
            for outcomes in _outcomes(self._assertion)
        ]
        needs_mark = self._assertion.rule is Rule.NEVER and not self._is_meant(who)
        values = self._fewest(held, wanted, needs_mark=needs_mark)
        all_of_it = tuple(values) if who.kind is WhoKind.KNOWN else (who, *values)
        if self._assertion.verb is Verb.HOLD:
            return holding(self._table, all_of_it, self._assertion.held)
        brought = Held.joined((held, *values.values()))
        return allowing(self._table, all_of_it, brought, self._assertion.asked)

    def _is_meant(self, who: Who) -> bool:
        return self._assertion.whom.has(who, self._table)

    def _may_bring(self, who: Who) -> bool:
        """Whether the assertion speaks of `who` when it brings values."""
        if who.kind not in {WhoKind.KNOWN, WhoKind.USER}:
            return False
        if self._assertion.rule is Rule.ONLY:
            return not self._is_meant(who)
        return bool(self._marks) or self._is_meant(who)

    def _fewest(
        self, held: Held, wanted: Sequence[Outcome], *, needs_mark: bool
    ) -> dict[Who, Held]:
        """Some of the values, none of which can be left out."""
        bits = 0
        for outcome in wanted:
            for group in outcome.clauses:
                bits |= group
        kept = {
            who: adds
            for who, adds in self._adds.items()
            if adds.anywhere & bits or (needs_mark and who in self._marks)
        }
        for who in list(kept):
            rest = {other: adds for other, adds in kept.items() if other != who}
            is_marked = not needs_mark or not self._marks.isdisjoint(rest)
            together = Held.joined((held, *rest.values()))
            if is_marked and all(outcome.allows(together) for outcome in wanted):
                kept = rest
        return kept


def _outcomes(assertion: Assertion) -> list[list[Outcome]]:
    """What there is to meet: one of each list, to do what an assertion forbids.

    Where a service is pinned and the request does not say to which division, more grants may well
    allow less. Whatever can be done so can be done by naming the division, too.
    """
    if assertion.verb is Verb.HOLD:
        return [[Outcome(Demand(assertion.held))]]
    return [
        [
            asked.lets
            for asked in distinct(group)
            if asked.lets.demand is not None and not asked.lets.own
        ]
        for group in assertion.asked
    ]
