"""Whether assertions hold, decided for every request and every caller; a counterexample if not.

Every class of requests is asked of every class of callers, so nothing is left to chance. Callers
are those of a `Population`, each by itself, and where an assertion wants it also those who bring
several values of the roles claim (`tokens.py`).
"""

from collections.abc import Iterable, Sequence

import msgspec

from policy.analysis.assertions import Assertion, Rule, Verb, assertions_of
from policy.analysis.counterexamples import Counterexample, allowing, holding, lacking, refusing
from policy.analysis.crowd import Crowd
from policy.analysis.meant import Reader
from policy.analysis.population import Who
from policy.analysis.selections import Asked, distinct
from policy.analysis.tokens import Tokens
from policy.holding import Held
from policy.loader import Text
from policy.permissions import Demand
from policy.table import DecisionTable

__all__ = ["MOST_TOLD", "Proof", "prove"]

MOST_TOLD = 100
"""Of how many callers a verdict tells why an assertion does not hold."""


class Proof(msgspec.Struct, frozen=True):
    """Whether `assertion` holds.

    `counterexamples` are the first of those for whom it does not, `others` the rest of them, by
    what they are called only. `callers` and `requests` say how many were looked at, without those
    who bring several values of the roles claim.
    """

    assertion: Assertion
    callers: int
    requests: int
    counterexamples: tuple[Counterexample, ...] = ()
    others: tuple[Who, ...] = ()

    @property
    def holds(self) -> bool:
        return not self.counterexamples


def prove(table: DecisionTable, texts: Iterable[Text], read: Reader) -> tuple[Proof, ...]:
    """The verdict on every assertion of `texts`, in their order.

    `read` reads the targets of single requests as the gateway would. Raises PolicyInvalid with
    every finding where the files are wrong, or do not fit the table.
    """
    assertions = assertions_of(table, texts, read)
    crowd = Crowd(table)
    return tuple(_verdict(table, crowd, assertion) for assertion in assertions)


def _verdict(table: DecisionTable, crowd: Crowd, assertion: Assertion) -> Proof:
    called = crowd.called(lambda who: _is_called(assertion, who, table))
    found = called.of(_wrong(crowd, assertion, called.classes))
    told = [_told(table, assertion, who, crowd.held(at)) for who, at in found[:MOST_TOLD]]
    if not found and assertion.together:
        tokens = Tokens(table, crowd, assertion)
        found = tokens.against()
        told = [tokens.told(*one) for one in found[:MOST_TOLD]]
    return Proof(
        assertion,
        callers=len(called),
        requests=sum(map(len, assertion.asked)),
        counterexamples=tuple(told),
        others=tuple(who for who, _ in found[MOST_TOLD:]),
    )


def _is_called(assertion: Assertion, who: Who, table: DecisionTable) -> bool:
    """Whether the assertion says something of `who`."""
    whom = assertion.whom
    match assertion.rule:
        case Rule.ONLY:
            return not whom.has(who, table) and whom.is_told_from(who)
        case Rule.NEVER:
            return whom.has(who, table)
        case Rule.ALWAYS:
            return whom.names(who)


def _wrong(crowd: Crowd, assertion: Assertion, called: int) -> int:
    """The classes among `called` for which the assertion does not hold."""
    population = crowd.population
    must = assertion.rule is Rule.ALWAYS
    if assertion.verb is Verb.HOLD:
        holders = population.meeting(Demand(assertion.held), 0)
        return called & ~holders if must else called & holders
    if must:
        wrong = 0
        for asked in distinct(_possible(assertion.asked[0])):
            wrong |= called & ~population.allowed(asked.lets, 0)
        return wrong
    for group in assertion.asked:
        able = 0
        for asked in distinct(group):
            able |= population.allowed(asked.lets, 0)
        called &= able
    return called


def _told(table: DecisionTable, assertion: Assertion, who: Who, held: Held) -> Counterexample:
    must = assertion.rule is Rule.ALWAYS
    if assertion.verb is Verb.HOLD:
        if must:
            return lacking(table, (who,), Demand(assertion.held).unmet_by(held.anywhere))
        return holding(table, (who,), assertion.held)
    if must:
        return refusing(table, (who,), held, _possible(assertion.asked[0]))
    return allowing(table, (who,), held, assertion.asked)


def _possible(group: Sequence[Asked]) -> list[Asked]:
    """The requests that somebody can be expected to send.

    Among an operation's requests there are some that are refused whoever sends them: a name of the
    query twice, a body that names another record than the path. Nobody means these by `always`,
    unless there is no other.
    """
    possible = {asked.route.index for asked in group if asked.lets.demand is not None}
    return [
        asked
        for asked in group
        if asked.lets.demand is not None or asked.route.index not in possible
    ]
