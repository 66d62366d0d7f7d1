"""What two policies ask of the same request, and which of them asks for more.

A demand is a list of clauses, each of which is met by any one of its permissions, or scopes. So one
demand is at least as strong as another if each clause of the other has a clause of it inside. Names
are compared, and not bits, which mean something else in every table; and with them where they have
to be held: in a division is more than anywhere, and in all divisions is more than in one.
"""

from enum import StrEnum

import msgspec

from policy.analysis.outcomes import Outcome
from policy.decision import Missing, Reason
from policy.origins import in_words
from policy.route import Route
from policy.services import UseRole
from policy.table import DecisionTable

__all__ = ["Side", "Strength", "strength_of"]

# A name, and where it has to be held: None for anywhere, no division for in all of them.
_Held = tuple[str, str, tuple[str, ...] | None]
_Clauses = frozenset[frozenset[_Held]]
_OWN = ("(the caller's own)",)


class Strength(StrEnum):
    """How the new demand compares to the old one."""

    SAME = "same"
    WEAKER = "weaker"
    STRONGER = "stronger"
    DIFFERENT = "different"  # some could meet only the old one, others only the new one


class Side(msgspec.Struct, frozen=True):
    """What one policy makes of a request.

    `needs` are the permissions of the outcome's demand by name, with the scopes: nothing if there is
    no demand, or none that can be met. Those of them that are `aware` have to be held in its
    divisions; where no permission is demanded, a pinned service may still need some of them.
    """

    route: Route | None
    outcome: Outcome
    needs: Missing
    aware: tuple[str, ...] = ()
    needs_some: bool = False

    @classmethod
    def of(cls, table: DecisionTable, route: Route | None, outcome: Outcome) -> "Side":
        demand = outcome.demand
        if demand is None:
            return cls(route, outcome, Missing())
        needs = table.permissions.missing_of(demand, outcome.divisions)
        implied = any(not clause & ~outcome.realm for clause in demand.clauses)
        return cls(
            route,
            outcome,
            needs,
            table.names_of(outcome.aware),
            needs_some=bool(outcome.realm) and not implied,
        )

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
        needs = self.needs
        groups = [(name,) for name in needs.all_of] + [*needs.any_of]
        told = [" or ".join(f"`{name}`" for name in group) for group in groups]
        if self.needs_some:
            told.append("some permission")
        if needs.scopes:
            told.append(f"scope {' or '.join(f'`{name}`' for name in needs.scopes)}")
        if told:
            return f"needs {', and '.join(told)}{self._there}"
        if self.use_role is UseRole.OFF:
            return "open to whoever is known, because roles are not obeyed"
        return "open to whoever is known"

    @property
    def _there(self) -> str:
        """Where it has to be held, if that matters."""
        if not self.aware:
            return ""
        if self.outcome.own:
            return ", in the caller's only division or in all"
        divisions = self.outcome.divisions
        return f", in {in_words(divisions)}" if divisions else ", in all divisions"

    @property
    def clauses(self) -> _Clauses | None:
        """What has to be met, None if nobody can."""
        if self.outcome.demand is None:
            return None
        needs, aware = self.needs, frozenset(self.aware)
        there = _OWN if self.outcome.own else self.outcome.divisions
        groups = [(name,) for name in needs.all_of] + [*needs.any_of]
        if self.needs_some:
            groups.append(self.aware)
        found = [
            frozenset(("permission", name, there if name in aware else None) for name in group)
            for group in groups
        ]
        if needs.scopes:
            found.append(frozenset(("scope", name, None) for name in needs.scopes))
        return frozenset(found)


_BARRED = {
    Reason.NO_ROUTE: "denied: no such operation",
    Reason.UNDECIDABLE: "denied: cannot be decided",
    Reason.GUARD_FAILED: "denied: a guard fails",
    Reason.CLOSED: "denied: closed to everybody",
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
    return all(any(_inside(clause, other) for clause in given) for other in wanted)


def _inside(clause: frozenset[_Held], other: frozenset[_Held]) -> bool:
    """Whether whatever meets the one meets the other."""
    return clause <= other or all(any(_implies(mine, one) for one in other) for mine in clause)


def _implies(mine: _Held, other: _Held) -> bool:
    if mine[:2] != other[:2]:
        return False
    have, want = mine[2], other[2]
    if want is None or have in (want, ()):
        return True
    return have is not None and bool(want) and set(want) <= set(have)
