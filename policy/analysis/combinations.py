"""Tokens that bring several claims: whom no single claim changes anything for.

A caller holds what its claims give together, and, if the policy names it, what it has as a user.
So a token with two claims may gain by a change of which neither claim alone has anything.

There are too many combinations to try, and no need to. Who is refused lacks some clause of the
old demand entirely, and so does every part of what it brings. So for each clause: take everything
that does not hold it. If that together does not meet the new demand, no choice from it does; if
it does, it is made smaller until nothing can be left out. Requests for which what somebody holds does
not simply add up are taken apart first (`policy.analysis.confinement`).
"""

from collections.abc import Iterable, Sequence

import msgspec

from policy.analysis.confinement import Confinement
from policy.analysis.outcomes import Outcome
from policy.analysis.population import Population, WhoKind
from policy.holding import Held
from policy.inquiry import Caller, Kind, Means
from policy.table import DecisionTable

__all__ = ["Combination", "Combinations"]

# A group of bits that nobody holds any of: what nobody can meet.
_NOBODY = 0

# What a token is made of: the class of each part, and whether it is a claim or the user.
_Parts = list[tuple[int, WhoKind]]


class Combination(msgspec.Struct, frozen=True, order=True):
    """A token with all of `claims`, and if there is a `user`, one that is for that user.

    It is a witness: others may have the same with other claims.
    """

    claims: tuple[str, ...]
    user: str | None = None

    def caller(self, table: DecisionTable) -> Caller:
        """Somebody who brings just this, and every scope."""
        return Caller(
            subject=self.user or "(unnamed)",
            kind=Kind.USER,
            means=Means.NONE,
            claims=frozenset(self.claims),
            scopes=frozenset(table.permissions.scopes),
        )

    def __str__(self) -> str:
        claims = " and ".join(f"`{name}`" for name in self.claims)
        word = "claims" if len(self.claims) > 1 else "claim"
        whose = "" if self.user is None else f" for user `{self.user}`"
        return f"a token with the {word} {claims}{whose}"


class Combinations:
    """The combinations of a population, in which no part by itself is what the whole is."""

    def __init__(self, population: Population) -> None:
        self._population = population
        self._claims = population.of_kind(WhoKind.CLAIM)
        self._users = population.of_kind(WhoKind.USER)
        self._known: dict[object, tuple[Combination, ...]] = {}
        self._confined: dict[tuple[int, int], Confinement] = {}

    def refused_and_allowed(
        self, refused: tuple[Outcome, int], allowed: tuple[Outcome, int]
    ) -> tuple[Combination, ...]:
        """Combinations that one outcome refuses and the other allows, each by its table's number.

        There is at least one if any caller has this without a part of it having it alone.
        """
        key = refused[0].gate, refused[1], allowed[0].gate
        if key not in self._known:
            self._known[key] = tuple(dict.fromkeys(self._found(*key, allowed[1])))
        return self._known[key]

    def _found(self, before: Outcome, old: int, after: Outcome, new: int) -> Iterable[Combination]:
        if after.demand is None or not list(after.clauses):
            return
        population = self._population
        gaining = population.allowed(after, new) & ~population.allowed(before, old)
        if gaining & population.without_role:
            return
        for lets, among in self._readings(after, new):
            wanted = [population.holding(group, new, lets) for group in lets.clauses]
            left = among & ~gaining
            for refused, more in self._refusals(before, old, left):
                some = left & refused
                for parts in self._among(some & self._claims, some & self._users, (*wanted, *more)):
                    yield self._named(self._fewest(parts, (before, old), (after, new)))

    def _readings(self, outcome: Outcome, table: int) -> Iterable[tuple[Outcome, int]]:
        """What allows whom, as far as what callers bring adds up."""
        if outcome.own:
            return self._confinement(outcome, table).readings(outcome)
        return [(outcome, self._population.known)]

    def _refusals(
        self, outcome: Outcome, table: int, among: int
    ) -> Iterable[tuple[int, tuple[int, ...]]]:
        """Sets of callers any of whom together are refused, with one of each of some other sets."""
        population = self._population
        if not outcome.own:
            for group in (_NOBODY,) if outcome.demand is None else outcome.clauses:
                yield population.known & ~population.holding(group, table, outcome), ()
            return
        where = self._confinement(outcome, table)
        for some, needed in where.refusals(outcome):
            yield some, () if needed is None else (needed,)
        some = among & ~where.everywhere
        yield some, where.refused_for_several(some & self._claims, some & self._users)

    def _confinement(self, outcome: Outcome, table: int) -> Confinement:
        key = outcome.realm, table
        if key not in self._confined:
            self._confined[key] = Confinement(self._population, outcome.realm, table)
        return self._confined[key]

    def _among(self, claims: int, users: int, wanted: Sequence[int]) -> Iterable[_Parts]:
        """One combination out of these that has somebody of each set of `wanted`, if there is."""
        only_users_have = [some for some in wanted if not claims & some]
        if not only_users_have:
            yield [(one, WhoKind.CLAIM) for one in _covering(claims, wanted)]
            return
        for some in only_users_have:
            users &= some
        if not users:
            return
        first = users & -users
        chosen = _covering(claims, [some for some in wanted if not first & some])
        yield [(first, WhoKind.USER), *((one, WhoKind.CLAIM) for one in chosen)]

    def _fewest(
        self, parts: _Parts, refused: tuple[Outcome, int], allowed: tuple[Outcome, int]
    ) -> _Parts:
        """Those of `parts` of which none can be left out."""
        for part in parts:
            rest = [other for other in parts if other != part]
            if not self._allows(refused, rest) and self._allows(allowed, rest):
                return self._fewest(rest, refused, allowed)
        return parts

    def _allows(self, by: tuple[Outcome, int], parts: _Parts) -> bool:
        outcome, table = by
        numbers = [one.bit_length() - 1 for one, _ in parts]
        held = Held.joined(self._population.held(number, table) for number in numbers)
        return outcome.allows(held)

    def _named(self, parts: _Parts) -> Combination:
        claims = sorted(self._name(one, kind) for one, kind in parts if kind is WhoKind.CLAIM)
        user = (self._name(one, kind) for one, kind in parts if kind is WhoKind.USER)
        return Combination(tuple(claims), next(user, None))

    def _name(self, one: int, kind: WhoKind) -> str:
        return next(who.name for who in self._population.members(one) if who.kind is kind)


def _covering(available: int, wanted: Sequence[int]) -> list[int]:
    """Few of `available` that have somebody of each set of `wanted`; none can be left out."""
    chosen: list[int] = []
    for number, some in enumerate(wanted):
        if any(one & some for one in chosen):
            continue
        fitting = available & some
        for other in wanted[number + 1 :]:
            # Rather one who serves for the others as well.
            fitting = fitting & other or fitting
        chosen.append(fitting & -fitting)
    for one in list(chosen):
        rest = [other for other in chosen if other != one]
        if all(any(other & some for other in rest) for some in wanted):
            chosen = rest
    return chosen
