"""Who may send a request, and who lacks just one permission for it.

Answered for everybody at once, from the classes of a `Population`: what it costs depends on how
many different sets of permissions there are, not on how many people hold them.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from policy.analysis.cases import Case
from policy.analysis.outcomes import Outcome
from policy.analysis.population import Population, Who, WhoKind, holdings_of
from policy.holding import Held
from policy.permissions import Demand
from policy.table import DecisionTable

__all__ = ["NearMiss", "Reach", "one_short", "reach_of"]

Named = Mapping[WhoKind, tuple[str, ...]]
"""The names of each kind; strangers and callers without a role have an empty one."""


class NearMiss(msgspec.Struct, frozen=True):
    """Those for whom any one of `permissions` would be enough, or any one of `scopes`.

    Where the request is about some `divisions`, it has to be granted in all of these.
    """

    permissions: tuple[str, ...]
    who: Named
    scopes: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()


class Reach(msgspec.Struct, frozen=True):
    """Who is allowed in one case, alone by what the policy gives them.

    `together` is a token that would do where nobody alone is allowed: its values of the roles
    claim, sent by the user who stands first, if one does.
    """

    case: Case
    allowed: Named
    near: tuple[NearMiss, ...]
    together: tuple[Who, ...]

    @property
    def anybody(self) -> bool:
        """Whether there is somebody who may."""
        return any(self.allowed.values()) or bool(self.together)


def reach_of(
    table: DecisionTable, population: Population, case: Case, *, except_: frozenset[str]
) -> Reach:
    """Who may in that case; `population` is of `table` alone.

    `except_` names the users who have cases of their own.
    """

    def named(who: Iterable[Who]) -> Named:
        kinds: dict[WhoKind, list[str]] = {kind: [] for kind in WhoKind}
        for each in who:
            if each.kind is not WhoKind.USER or _concerned(each.name, case, except_):
                kinds[each.kind].append(each.name)
        return {kind: tuple(sorted(names)) for kind, names in kinds.items()}

    demand = case.outcome.demand
    classes = population.allowed(case.outcome, 0)
    allowed = named(population.members(classes))
    near: dict[tuple[int, tuple[str, ...]], int] = {}
    together: tuple[Who, ...] = ()
    if demand is not None and not case.outcome.for_strangers:
        for number in range(1, len(population)):
            held = population.held(number, 0)
            short = one_short(demand, case.outcome.counting(held))
            if short:
                divisions = case.outcome.where(held) if short & case.outcome.aware else None
                key = short, divisions or ()
                near[key] = near.get(key, 0) | 1 << number
        if not any(allowed.values()):
            together = tuple(_together(table, population, case, except_))
    misses = (
        NearMiss(
            table.names_of(short),
            named(population.members(some)),
            table.permissions.scopes_of(short),
            divisions,
        )
        for (short, divisions), some in near.items()
    )
    return Reach(
        case=case,
        allowed=allowed,
        near=tuple(sorted(misses, key=lambda miss: (len(miss.permissions), miss.permissions))),
        together=together,
    )


def one_short(demand: Demand, held: int) -> int:
    """The permissions any one of which would make `held` meet `demand`; none if it does already."""
    unmet = demand.unmet_by(held)
    if unmet.all_of:
        single = unmet.all_of.bit_count() == 1 and not unmet.any_of
        return unmet.all_of if single else 0
    common = unmet.any_of[0] if unmet.any_of else 0
    for group in unmet.any_of:
        common &= group
    return common


def _concerned(user: str, case: Case, except_: frozenset[str]) -> bool:
    return user not in except_ if case.only is None else user == case.only


def _together(
    table: DecisionTable, population: Population, case: Case, except_: frozenset[str]
) -> Iterator[Who]:
    """Values of the roles claim that are enough together, with the user for whom they are."""
    names = [Who(WhoKind.CLAIM, name) for name in table.claims]
    claims = dict(zip(names, holdings_of(table, names), strict=True))
    outcome = case.outcome
    for number in range(1, len(population)):
        held = population.held(number, 0)
        if not outcome.allows(Held.joined((held, *claims.values()))):
            continue
        for who in population.members(1 << number):
            known = who.kind is WhoKind.KNOWN
            if known or (who.kind is WhoKind.USER and _concerned(who.name, case, except_)):
                if not known:
                    yield who
                yield from _fewest(claims, outcome, held)
                return


def _fewest(claims: Mapping[Who, Held], outcome: Outcome, held: Held) -> Iterator[Who]:
    """Values with which the rest of the demand is met: always the one that brings the most."""
    left = dict(claims)
    while left and not outcome.allows(held):
        counting = outcome.counting(held)
        unmet = [group for group in outcome.clauses if not group & counting]

        def brings(who: Who, held: Held = held, unmet: list[int] = unmet) -> int:
            more = outcome.counting(Held.joined((held, claims[who])))
            return sum(bool(more & group) for group in unmet)

        best = max(left, key=brings)
        held = Held.joined((held, left.pop(best)))
        yield best
