"""Everybody a policy speaks of, sorted by what they hold.

A table of a hundred thousand users has some hundreds of different sets of permissions. Whoever
holds the same in all tables at hand is of one *class*, and a set of classes is one integer with a
bit for each: so "who meets this demand" takes a few operations on integers, however many they are.

What is held in some divisions only is kept apart: few have any of that, and only demands that ask
for it look there. Scopes are the policy's for a client; anybody else is taken with a token that
names all of them, since a policy does not say what tokens name.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property

from policy.analysis.outcomes import Outcome
from policy.analysis.who import Who, WhoKind, holdings_of
from policy.divisions import UNCLEAR
from policy.holding import NOTHING_HELD, Held
from policy.permissions import Demand
from policy.table import DecisionTable

__all__ = ["Population", "Who", "WhoKind", "holdings_of"]

_SECTIONS = (
    (WhoKind.ROLE, "roles"),
    (WhoKind.GROUP, "groups"),
    (WhoKind.CLAIM, "claims"),
    (WhoKind.CLIENT, "clients"),
    (WhoKind.USER, "users"),
)


def _everybody(tables: Sequence[DecisionTable]) -> Iterator[Who]:
    yield Who(WhoKind.STRANGER)
    yield Who(WhoKind.KNOWN)
    for kind, section in _SECTIONS:
        names = dict.fromkeys(name for table in tables for name in getattr(table, section))
        yield from (Who(kind, name) for name in names)


class Population:
    """Everybody that any of `tables` names, and the two that none has to name.

    A set of them is an integer: bit n stands for everybody of class n. `known` are all but the
    `strangers`; `without_role` are callers without a role, and who has no more than they.
    """

    def __init__(self, *tables: DecisionTable) -> None:
        everybody = list(_everybody(tables))
        holdings = list(zip(*(holdings_of(table, everybody) for table in tables), strict=True))
        members: dict[object, list[Who]] = {None: [everybody[0]]}
        self._held: list[tuple[Held, ...]] = [(NOTHING_HELD,) * len(tables)]
        for who, held in zip(everybody[1:], holdings[1:], strict=True):
            key = tuple(each.key for each in held)
            if key not in members:
                members[key] = []
                self._held.append(held)
            members[key].append(who)
        self._tables = tables
        self._members = list(members.values())
        self.everybody = (1 << len(self._members)) - 1
        self.strangers, self.without_role = 1, 2  # they come first
        self.known = self.everybody & ~self.strangers

    def __repr__(self) -> str:
        return f"<Population of {sum(map(len, self._members))} in {len(self._members)} classes>"

    def __len__(self) -> int:
        """How many classes there are."""
        return len(self._members)

    @cached_property
    def _holders(self) -> list["_Holders"]:
        """For each table: who holds what."""
        return [
            _Holders(table, [held[number] for held in self._held])
            for number, table in enumerate(self._tables)
        ]

    @cached_property
    def _of_kind(self) -> dict[WhoKind, int]:
        of_kind = dict.fromkeys(WhoKind, 0)
        for number, members in enumerate(self._members):
            for kind in {who.kind for who in members}:
                of_kind[kind] |= 1 << number
        return of_kind

    def of_kind(self, kind: WhoKind) -> int:
        """The classes that have a member of that kind."""
        return self._of_kind[kind]

    def allowed(self, outcome: Outcome, table: int) -> int:
        """Whom `outcome` allows by the table of that number."""
        if outcome.demand is None:
            return 0
        if outcome.for_strangers:
            return self.everybody
        found = self.known
        if outcome.own:
            for number in range(1, len(self)):
                if not outcome.allows(self._held[number][table]):
                    found &= ~(1 << number)
            return found
        for single in outcome.singly:
            for group in single.clauses:
                found &= self.holding(group, table, single)
        return found

    def meeting(self, demand: Demand, table: int) -> int:
        """Who is known, and holds by the table of that number what is demanded, wherever."""
        found = self.known
        for group in demand.clauses:
            found &= self.holding(group, table)
        return found

    def holding(self, group: int, table: int, outcome: Outcome | None = None) -> int:
        """Who holds at least one of the bits of `group` by the table of that number: in the
        division of `outcome`, a single one, if it has any for them.
        """
        holders = self._holders[table]
        some, rest = 0, group
        while rest:
            lowest = rest & -rest
            place = lowest.bit_length() - 1
            if outcome is not None and lowest & outcome.aware:
                some |= holders.within(place, *outcome.divisions)
            else:
                some |= holders.anywhere[place]
            rest ^= lowest
        return some

    def members(self, some: int) -> Iterator[Who]:
        """Everybody of the classes whose bits are set."""
        for number in self.numbers(some):
            yield from self._members[number]

    def numbers(self, some: int) -> Iterator[int]:
        """The classes whose bits are set, for `held`."""
        return _places(some)

    def held(self, number: int, table: int) -> Held:
        """What the members of that class hold by that table; strangers hold nothing."""
        return self._held[number][table]


class _Holders:
    """For each bit of one table the set of classes that hold it."""

    def __init__(self, table: DecisionTable, held: Sequence[Held]) -> None:
        size = (table.everything.anywhere).bit_length()
        self.anywhere = [0] * size
        self._everywhere = [0] * size
        self._by_division: dict[str, dict[int, int]] = {}
        for number, each in enumerate(held):
            _mark(self.anywhere, each.anywhere, number)
            _mark(self._everywhere, each.everywhere, number)
            for division, bits in each.by_division.items():
                there = self._by_division.setdefault(division, {})
                for place in _places(bits):
                    there[place] = there.get(place, 0) | 1 << number

    def within(self, place: int, division: str = UNCLEAR) -> int:
        """Who holds the bit at that place in that division, or else everywhere."""
        return self._everywhere[place] | self._by_division.get(division, {}).get(place, 0)


def _mark(holders: list[int], bits: int, number: int) -> None:
    for place in _places(bits):
        holders[place] |= 1 << number


def _places(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
