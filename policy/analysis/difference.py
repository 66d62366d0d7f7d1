"""What everybody gains and loses when one policy takes the place of another.

Nothing is sampled: every class of paths, every combination of conditions, everybody whom either
policy names, and every token. Whoever only the new policy names had nothing before, like a caller
without a role. Effects are those of `decide`; whether a service obeys them stands beside.
"""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

import msgspec

from policy.analysis.combinations import Combination, Combinations
from policy.analysis.inventory import Inventory, inventory_of
from policy.analysis.outcomes import Outcome, outcome_of
from policy.analysis.population import Population, Who
from policy.analysis.probes import Probe, probes_of
from policy.analysis.questions import questions_of
from policy.analysis.strength import Side, Strength, strength_of
from policy.decision import Decision
from policy.evaluator import decide
from policy.route import Route
from policy.services import UseRole
from policy.table import DecisionTable

__all__ = ["Change", "Difference", "difference"]


class Change(msgspec.Struct, frozen=True):
    """Requests of which both policies say the same as of `probe`, and not the same as each other.

    `gained` and `lost` are sets of the difference's population. The combinations are tokens that
    gain or lose though nothing that they bring does so alone.
    `strength` compares the demands; `opens` says that the new policy lets everybody through who is
    known, because its service only records, where the old one did not.
    """

    probe: Probe
    old: Side
    new: Side
    strength: Strength
    opens: bool
    gained: int = 0
    lost: int = 0
    gained_together: tuple[Combination, ...] = ()
    lost_together: tuple[Combination, ...] = ()

    @property
    def gains(self) -> bool:
        return bool(self.gained or self.gained_together)

    @property
    def loses(self) -> bool:
        return bool(self.lost or self.lost_together)

    @property
    def is_looser(self) -> bool:
        """Whether somebody could meet the new demand, or pass it, who could not before."""
        return self.opens or self.strength in {Strength.WEAKER, Strength.DIFFERENT}


@dataclass(frozen=True, eq=False)
class Difference:
    """Everything in which two policies differ.

    `effects` are the changes by which somebody gains or loses. `demands` are the changes of what
    an operation asks for, whether or not it touches anybody today; operations that only one of the
    policies has are in the inventory instead, unless they open.
    """

    old: DecisionTable
    new: DecisionTable
    population: Population
    effects: tuple[Change, ...]
    demands: tuple[Change, ...]
    inventory: Inventory

    @cached_property
    def gains(self) -> tuple[Change, ...]:
        return tuple(change for change in self.effects if change.gains)

    @cached_property
    def losses(self) -> tuple[Change, ...]:
        return tuple(change for change in self.effects if change.loses)

    @property
    def grants(self) -> bool:
        """Whether anybody gains, or could: a demand or a service's obedience has become looser."""
        enforcement = any(found.is_looser for found in self.inventory.enforcement)
        return bool(self.gains or enforcement or any(found.is_looser for found in self.demands))

    def __bool__(self) -> bool:
        return bool(self.effects or self.demands or self.inventory)

    def decided(self, change: Change, who: Who | Combination) -> tuple[Decision, Decision]:
        """What both policies really answer when `who` sends the change's request."""
        return self._decided(self.old, change, who), self._decided(self.new, change, who)

    def _decided(self, table: DecisionTable, change: Change, who: Who | Combination) -> Decision:
        caller = who.caller(table)
        answer = decide(table, change.probe.inquiry(caller, table.held_by(caller)))
        assert isinstance(answer, Decision), "a probe has a body where one is read"  # noqa: S101
        return answer


def difference(old: DecisionTable, new: DecisionTable) -> Difference:
    """Everything in which `new` differs from `old`."""
    population = Population(old, new)
    combinations = Combinations(population)
    known = {(route.service, route.id) for route in old.operations} & {
        (route.service, route.id) for route in new.operations
    }
    effects, demands = [], []
    for probe, before, after in _sides(old, new):
        change = _change(population, combinations, probe, before, after)
        if change.gains or change.loses:
            effects.append(change)
        if change.opens or (
            change.strength is not Strength.SAME
            and _are_comparable(before.route, after.route, known)
        ):
            demands.append(change)
    inventory = inventory_of(old, new, population)
    return Difference(old, new, population, tuple(effects), tuple(demands), inventory)


def _sides(old: DecisionTable, new: DecisionTable) -> Iterator[tuple[Probe, Side, Side]]:
    """Whatever both policies may say of a request together, each once, with a request."""
    tables = old, new
    seen: set[tuple[int, int, Outcome, Outcome]] = set()
    for question in questions_of(*tables):
        before, after = question.routes
        for probe in probes_of(question):
            outcomes = outcome_of(before, probe), outcome_of(after, probe)
            key = id(before), id(after), *outcomes
            if key not in seen:
                seen.add(key)
                yield probe, Side.of(old, before, outcomes[0]), Side.of(new, after, outcomes[1])


def _change(
    population: Population, combinations: Combinations, probe: Probe, old: Side, new: Side
) -> Change:
    before, after = population.allowed(old.outcome, 0), population.allowed(new.outcome, 1)
    was, now = (old.outcome, 0), (new.outcome, 1)
    return Change(
        probe,
        old,
        new,
        strength=strength_of(old, new),
        opens=_opens(old, new),
        gained=after & ~before,
        lost=before & ~after,
        gained_together=combinations.refused_and_allowed(was, now),
        lost_together=combinations.refused_and_allowed(now, was),
    )


def _opens(old: Side, new: Side) -> bool:
    """Whether a request is newly let through without being allowed.

    Where a service changes altogether, its change of enforcement says so for all its operations.
    """
    if not new.is_only_watched or old.is_only_watched or old.is_for_everybody_known:
        return False
    return old.route is None or new.route is None or old.route.service != new.route.service


def _are_comparable(
    old: Route | None, new: Route | None, known: AbstractSet[tuple[str, str]]
) -> bool:
    """Whether the change is one of what is asked for, and is not told as something else.

    An operation that is new or gone is told as that; a service that begins or ceases to obey roles
    demands nothing on one of the sides.
    """
    if old is None or new is None:
        there = old or new
        return there is not None and (there.service, there.id) in known
    return old.use_role is new.use_role or UseRole.OFF not in {old.use_role, new.use_role}
