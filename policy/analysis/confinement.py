"""Where a pinned service looks in the caller's grants for the division: there, more may allow less.

A request that names no division is about the only one in which its caller holds something of the
service, or about none where that counts in all of them. So whoever holds something in a second
one is refused. Everything else that is asked of a policy only ever adds up. This does so too, as long
as nobody comes in who holds something elsewhere: so one such request is read as several, each for
some callers only.
"""

from collections.abc import Iterator

import msgspec

from policy.analysis.outcomes import Outcome
from policy.analysis.population import Population
from policy.divisions import UNCLEAR, is_one_name

__all__ = ["Confinement"]


class Confinement:
    """Who holds something of `realm` where, by the table of that number."""

    def __init__(self, population: Population, realm: int, table: int) -> None:
        self._population = population
        self._table = table
        self.everywhere = 0
        self.within: dict[str, int] = {}
        self.in_several = 0
        for number in range(1, len(population)):
            held, one = population.held(number, table), 1 << number
            if held.everywhere & realm:
                self.everywhere |= one
            there = [division for division, bits in held.by_division.items() if bits & realm]
            for division in there:
                self.within[division] = self.within.get(division, 0) | one
            if len(there) > 1:
                self.in_several |= one
        self._anywhere = self.everywhere
        for some in self.within.values():
            self._anywhere |= some

    def readings(self, outcome: Outcome) -> Iterator[tuple[Outcome, int]]:
        """What `outcome`, which looks for a division, comes to, and for whom.

        Several callers together are allowed just if one of these allows them, and they all are among
        those it is for.
        """
        yield msgspec.structs.replace(outcome, own=False), self._population.known
        for division in self.within:
            if is_one_name(division):
                yield _in(outcome, division), self._only_in(division)

    def refusals(self, outcome: Outcome) -> Iterator[tuple[int, int | None]]:
        """Sets of callers any of whom together are refused, with somebody of the second set if there
        is one, for what they lack.
        """
        plain = msgspec.structs.replace(outcome, own=False)
        for some in self._lacking(plain):
            yield some, self.everywhere
        for division in (*self.within, UNCLEAR):
            some = self._only_in(division)
            if division and not is_one_name(division):
                yield some, None
            else:
                for lacking in self._lacking(_in(outcome, division)):
                    yield some & lacking, None

    def refused_for_several(self, claims: int, users: int) -> tuple[int, ...]:
        """Sets of callers: with one of each there are several divisions, and nobody can say which.

        Out of `claims` any number may come together, with one of `users` at most. Those who hold
        something everywhere must not be among them.
        """
        of_claims = {name: some & claims for name, some in self.within.items() if some & claims}
        if not of_claims:
            return (self.in_several & users,)
        (first, some), *others = of_claims.items()
        if others:
            return some, others[0][1]
        elsewhere = 0
        for division, there in self.within.items():
            if division != first:
                elsewhere |= there
        return some, elsewhere & users

    def _only_in(self, division: str) -> int:
        """Who holds nothing outside of that division; also who holds nothing at all."""
        outside = self._anywhere & ~self.within.get(division, 0)
        return self._population.known & ~outside & ~self.everywhere & ~self.in_several

    def _lacking(self, outcome: Outcome) -> Iterator[int]:
        """For each clause all who do not have it."""
        for group in outcome.clauses:
            yield self._population.known & ~self._population.holding(group, self._table, outcome)


def _in(outcome: Outcome, division: str) -> Outcome:
    return msgspec.structs.replace(outcome, own=False, divisions=(division,))
