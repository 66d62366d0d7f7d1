"""What an edit means: which operations it opens and closes, and for whom.

Both policies have the same catalogues, so every request asks the same of its caller in both, and
only what callers hold is another. So it is enough to compare, for everybody who holds something
else than before, which of all requests they may send.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from policy.analysis import (
    Outcome,
    Population,
    Who,
    WhoKind,
    outcome_of,
    probes_of,
    questions_of,
    writes,
)
from policy.holding import Held
from policy.route import Route
from policy.table import DecisionTable

__all__ = ["Effect", "Reach", "effect_of", "of_kind", "reach_of"]

_CALLERS = frozenset({WhoKind.USER, WhoKind.CLIENT, WhoKind.CLAIM})


class Reach(msgspec.Struct, frozen=True):
    """Operations in the order of the catalogues.

    Of what is held, `whole` are those of which every request is allowed, `partly` those of which
    some are. Of what is gained or lost, `partly` are those of which some requests were allowed
    before, or still are; of `whole` none were, or are.
    """

    whole: tuple[Route, ...] = ()
    partly: tuple[Route, ...] = ()

    @property
    def writes(self) -> int:
        """How many of the operations change something, counted as `check` counts them."""
        return sum(map(writes, (*self.whole, *self.partly)))

    def __str__(self) -> str:
        """`3 operations (2 writes)`"""
        many = len(self.whole) + len(self.partly)
        operations = f"{many} operation" + ("" if many == 1 else "s")
        return f"{operations} ({self.writes} write{'' if self.writes == 1 else 's'})"

    def __bool__(self) -> bool:
        return bool(self.whole or self.partly)


class Effect(msgspec.Struct, frozen=True):
    """What callers gain and lose, and who: users, claim values, and callers of a group or role."""

    opened: Reach
    closed: Reach
    gaining: tuple[Who, ...]
    losing: tuple[Who, ...]


def reach_of(table: DecisionTable, held: Held) -> Reach:
    """What a caller who holds these permissions may call, all of it or some requests of it."""
    whole, partly = [], []
    for route, outcomes in _outcomes(table).items():
        allowed = [each.allows(held) for each in outcomes]
        if all(allowed):
            whole.append(route)
        elif any(allowed):
            partly.append(route)
    return Reach(tuple(whole), tuple(partly))


def effect_of(old: DecisionTable, new: DecisionTable) -> Effect:
    """The difference between two policies that share their catalogues and services."""
    population = Population(old, new)
    renamed = _renamed(old, new)
    moved = []
    for number in range(1, len(population)):
        before, after = population.held(number, 0), population.held(number, 1)
        some = tuple(population.members(1 << number))
        if before.key != after.key and not all(who in renamed for who in some):
            moved.append((number, before, after, any(who.kind in _CALLERS for who in some)))
    # Who may really call counts; what a role would open counts only while nobody has it.
    if any(has_callers for *_, has_callers in moved):
        moved = [each for each in moved if each[-1]]
    opened: dict[Route, bool] = {}
    closed: dict[Route, bool] = {}
    gaining = losing = 0
    for route, outcomes in _outcomes(new).items() if moved else ():
        for number, before, after, _ in moved:
            was = [each.allows(before) for each in outcomes]
            now = [each.allows(after) for each in outcomes]
            if any(new and not old for old, new in zip(was, now, strict=True)):
                gaining |= 1 << number
                opened[route] = opened.get(route, False) or not any(was)
            if any(old and not new for old, new in zip(was, now, strict=True)):
                losing |= 1 << number
                closed[route] = closed.get(route, False) or not any(now)
    return Effect(
        _reach(opened),
        _reach(closed),
        tuple(sorted(population.members(gaining))),
        tuple(sorted(population.members(losing))),
    )


def _renamed(old: DecisionTable, new: DecisionTable) -> frozenset[Who]:
    """The two names of a role that is the same under another name."""
    gone = [role for name, role in old.roles.items() if name not in new.roles]
    come = [role for name, role in new.roles.items() if name not in old.roles]
    if len(gone) == len(come) == 1 and gone[0].mask == come[0].mask:
        return frozenset(Who(WhoKind.ROLE, role.name) for role in (*gone, *come))
    return frozenset()


def of_kind(some: Iterable[Who], kind: WhoKind) -> tuple[str, ...]:
    """The names of those of that kind."""
    return tuple(who.name for who in some if who.kind is kind)


def _reach(found: Mapping[Route, bool]) -> Reach:
    ordered = sorted(found, key=lambda route: route.index)
    return Reach(
        tuple(route for route in ordered if found[route]),
        tuple(route for route in ordered if not found[route]),
    )


@lru_cache(maxsize=1)
def _outcomes(table: DecisionTable) -> dict[Route, tuple[Outcome, ...]]:
    """What each operation asks, for every combination of its conditions.

    Requests that nobody is allowed to send say nothing of anybody.
    """
    found: dict[Route, dict[Outcome, None]] = {}
    for question in questions_of(table):
        (route,) = question.routes
        if route is None:
            continue
        for probe in probes_of(question):
            outcome = outcome_of(route, probe)
            if outcome.demand is not None:
                found.setdefault(route, {})[outcome] = None
    return {route: tuple(found[route]) for route in sorted(found, key=lambda each: each.index)}
