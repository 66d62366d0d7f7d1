"""Those of a population that are looked at: who exactly they are, and their classes as a set.

People of one class hold the same and may be told apart all the same: by a name, a group, a role.
"""

from collections.abc import Callable

import msgspec

from policy.analysis.population import Population, Who, WhoKind
from policy.holding import Held
from policy.table import DecisionTable

__all__ = ["Called", "Crowd"]

_RANK = {kind: number for number, kind in enumerate(WhoKind)}


class Called(msgspec.Struct, frozen=True):
    """Some callers by the number of their class, and the set of these classes."""

    by_class: dict[int, list[Who]]
    classes: int

    def __len__(self) -> int:
        return sum(map(len, self.by_class.values()))

    def of(self, classes: int) -> list[tuple[Who, int]]:
        """Those of these classes, each with its class: roles before who has them, then by name."""
        found = [
            (who, number)
            for number, some in self.by_class.items()
            if classes >> number & 1
            for who in some
        ]
        return sorted(found, key=lambda one: (_RANK[one[0].kind], one[0].name))


class Crowd:
    """Everybody that `table` names."""

    def __init__(self, table: DecisionTable) -> None:
        self.population = Population(table)
        self._members = [
            tuple(self.population.members(1 << number)) for number in range(len(self.population))
        ]

    def called(self, is_called: Callable[[Who], bool]) -> Called:
        """All of whom that is true."""
        by_class = {
            number: some
            for number, members in enumerate(self._members)
            if (some := [who for who in members if is_called(who)])
        }
        return Called(by_class, sum(1 << number for number in by_class))

    def held(self, number: int) -> Held:
        """What the members of that class hold."""
        return self.population.held(number, 0)
