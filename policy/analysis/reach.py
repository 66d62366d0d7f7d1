"""Who may send a request, and who lacks just one permission for it.

Answered for everybody at once, from the classes of a `Population`: what it costs depends on how
many different sets of permissions there are, not on how many people hold them.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

import msgspec

from policy.analysis.cases import Case
from policy.analysis.confinement import Confinement
from policy.analysis.outcomes import Outcome
from policy.analysis.population import Population, Who, WhoKind
from policy.holding import Held
from policy.permissions import NO_DEMAND, Demand
from policy.table import DecisionTable

__all__ = ["NearMiss", "Reach", "one_short", "reach_of"]

Named = Mapping[WhoKind, tuple[str, ...]]
"""The names of each kind; strangers and callers without a role have an empty one."""


# Those whose very name a body can be compared with.
_SUBJECTS = {WhoKind.USER, WhoKind.CLIENT}


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

    `except_` names the callers who have cases of their own.
    """

    def named(who: Iterable[Who]) -> Named:
        kinds: dict[WhoKind, list[str]] = {kind: [] for kind in WhoKind}
        for each in who:
            if each.kind not in _SUBJECTS or _concerned(each.name, case, except_):
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
            short = _one_short(case.outcome, held)
            if short:
                divisions = case.outcome.where(held) if short & case.outcome.aware else None
                key = short, divisions or ()
                near[key] = near.get(key, 0) | 1 << number
        if not any(allowed.values()):
            together = tuple(_together(population, case, except_))
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


def _one_short(outcome: Outcome, held: Held) -> int:
    """The same for somebody who holds that, where a permission is given in all of the divisions.

    Who lacks nothing but something of a pinned service, whatever it is, is short of no permission.
    """
    demand = outcome.demand or NO_DEMAND
    if not outcome.unmet_by(held):
        return 0
    found = -1
    for bits in outcome.counting(held):
        if not demand.met_by(bits):
            found &= one_short(demand, bits)
        if outcome.realm and not bits & outcome.realm:
            found &= outcome.realm
    return found


def _concerned(subject: str, case: Case, except_: frozenset[str]) -> bool:
    return subject not in except_ if case.only is None else subject == case.only


def _together(population: Population, case: Case, except_: frozenset[str]) -> Iterator[Who]:
    """Values of the roles claim that are enough together, with the user for whom they are."""
    readings: Iterable[tuple[Outcome, int]] = [(case.outcome, population.known)]
    if case.outcome.own:
        readings = Confinement(population, case.outcome.realm, 0).readings(case.outcome)
    for outcome, among in readings:
        claims = dict(_claims(population, among))
        most = Held.joined(claims.values())
        for number in population.numbers(among):
            held = population.held(number, 0)
            if not outcome.allows(Held.joined((held, most))):
                continue
            for who in population.members(1 << number):
                known = who.kind is WhoKind.KNOWN
                if known or (who.kind is WhoKind.USER and _concerned(who.name, case, except_)):
                    if not known:
                        yield who
                    yield from _fewest(claims, outcome, held)
                    return


def _claims(population: Population, among: int) -> Iterator[tuple[Who, Held]]:
    """One value of the roles claim for all that give the same, and what they give."""
    for number in population.numbers(among & population.of_kind(WhoKind.CLAIM)):
        members = population.members(1 << number)
        claim = next(who for who in members if who.kind is WhoKind.CLAIM)
        yield claim, population.held(number, 0)


def _fewest(claims: Mapping[Who, Held], outcome: Outcome, held: Held) -> Iterator[Who]:
    """Values with which the rest of the demand is met: always the one that brings the most."""
    left = dict(claims)

    def meets(who: Who, held: Held) -> int:
        counting = outcome.counting(Held.joined((held, claims[who])))
        return sum(bool(bits & group) for bits in counting for group in outcome.clauses)

    while left and not outcome.allows(held):
        best = max(left, key=partial(meets, held=held))
        held = Held.joined((held, left.pop(best)))
        yield best
