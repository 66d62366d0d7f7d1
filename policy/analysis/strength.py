"""What two policies ask of the same request, and which of them asks for more.

A demand is a list of clauses, each of which is met by any one of its permissions. So one demand
is at least as strong as another if each clause of the other has a clause of it inside. Names are
compared, and not bits, which mean something else in every table.
"""

from enum import StrEnum

import msgspec

from policy.analysis.outcomes import Outcome
from policy.decision import Missing, Reason
from policy.services import UseRole
from policy.table import DecisionTable, Route

__all__ = ["Side", "Strength", "strength_of"]

_Clauses = frozenset[frozenset[str]]


class Strength(StrEnum):
    """How the new demand compares to the old one."""

    SAME = "same"
    WEAKER = "weaker"
    STRONGER = "stronger"
    DIFFERENT = "different"  # some could meet only the old one, others only the new one


class Side(msgspec.Struct, frozen=True):
    """What one policy makes of a request.

    `needs` are the permissions of the outcome's demand by name: nothing if there is no demand,
    or none that can be met.
    """

    route: Route | None
    outcome: Outcome
    needs: Missing

    @classmethod
    def of(cls, table: DecisionTable, route: Route | None, outcome: Outcome) -> "Side":
        demand = outcome.demand
        needs = Missing() if demand is None else table.permissions.missing_of(demand)
        return cls(route, outcome, needs)

    @property
    def operation(self) -> str | None:
        """`operation of service`"""
        return None if self.route is None else f"{self.route.id} of {self.route.service}"

    @property
    def use_role(self) -> UseRole | None:
        """How roles are obeyed here; None where no operation answers."""
        return None if self.route is None else self.route.use_role

    @property
    def is_only_watched(self) -> bool:
        """Whether a denial of somebody who is known would be recorded and let through."""
        return self.use_role is UseRole.SHADOW

    @property
    def is_for_everybody_known(self) -> bool:
        return self.outcome.demand is not None and not self.outcome.demand

    def __str__(self) -> str:
        """What has to be brought: ``needs `a`, and `b` or `c` ``."""
        if self.outcome.demand is None:
            return _BARRED[self.outcome.barred or Reason.NO_ROUTE]
        if self.outcome.for_strangers:
            return "open to everybody"
        if self.needs:
            groups = [(name,) for name in self.needs.all_of] + [*self.needs.any_of]
            told = (" or ".join(f"`{name}`" for name in group) for group in groups)
            return f"needs {', and '.join(told)}"
        if self.use_role is UseRole.OFF:
            return "open to whoever is known, because roles are not obeyed"
        return "open to whoever is known"

    @property
    def clauses(self) -> _Clauses | None:
        """What has to be met, None if nobody can."""
        if self.outcome.demand is None:
            return None
        alone = (frozenset({name}) for name in self.needs.all_of)
        return frozenset(alone) | frozenset(map(frozenset, self.needs.any_of))


_BARRED = {
    Reason.NO_ROUTE: "denied: no such operation",
    Reason.UNDECIDABLE: "denied: cannot be decided",
    Reason.GUARD_FAILED: "denied: a guard fails",
}


def strength_of(old: Side, new: Side) -> Strength:
    """How what `new` demands compares to what `old` demands, whoever holds what."""
    more, less = _covers(new, old), _covers(old, new)
    if more and less:
        return Strength.SAME
    if more:
        return Strength.STRONGER
    return Strength.WEAKER if less else Strength.DIFFERENT


def _covers(strong: Side, weak: Side) -> bool:
    """Whether everybody whom `strong` allows is allowed by `weak`."""
    wanted, given = weak.clauses, strong.clauses
    if given is None:
        return True
    if wanted is None or (strong.outcome.for_strangers and not weak.outcome.for_strangers):
        return False
    return all(any(clause <= other for clause in given) for other in wanted)
