"""Everybody a policy speaks of, sorted by what they hold.

A table of a hundred thousand users has some hundreds of different sets of permissions. Whoever
holds the same in all tables at hand is of one *class*, and a set of classes is one integer with a
bit for each: so "who meets this demand" takes a few operations on integers, however many they are.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cached_property

import msgspec

from policy.analysis.outcomes import Outcome
from policy.inquiry import Caller, Kind, Means
from policy.permissions import Demand
from policy.table import DecisionTable

__all__ = ["Population", "Who", "WhoKind", "masks_of"]


class WhoKind(StrEnum):
    """What sort of caller is meant."""

    STRANGER = "anonymous"
    KNOWN = "known"  # proved who it is, and nothing gives it any role
    ROLE = "role"  # has this role and no other
    GROUP = "group"  # belongs to this group, and has nothing else
    CLAIM = "claim"  # has this value in its token's roles claim, and nothing else
    USER = "user"  # as the policy files say


class Who(msgspec.Struct, frozen=True, order=True):
    """One caller, or all callers of which the policy says the same."""

    kind: WhoKind
    name: str = ""

    def __str__(self) -> str:
        match self.kind:
            case WhoKind.STRANGER:
                return "anonymous callers"
            case WhoKind.KNOWN:
                return "callers without a role"
            case _:
                return f"{self.kind} `{self.name}`"

    def caller(self, table: DecisionTable) -> Caller:
        """A caller of this sort; of a group, one who has its roles."""
        if self.kind is WhoKind.STRANGER:
            return Caller(subject="", kind=Kind.ANONYMOUS, means=Means.NONE)
        roles: frozenset[str] = frozenset()
        if self.kind is WhoKind.ROLE:
            roles = frozenset({self.name})
        elif self.kind is WhoKind.GROUP and self.name in table.groups:
            roles = frozenset(table.groups[self.name].roles)
        return Caller(
            subject=self.name if self.kind is WhoKind.USER else "(unnamed)",
            kind=Kind.USER,
            means=Means.NONE,
            roles=roles,
            claims=frozenset({self.name} if self.kind is WhoKind.CLAIM else ()),
        )


def _everybody(tables: Sequence[DecisionTable]) -> Iterator[Who]:
    yield Who(WhoKind.STRANGER)
    yield Who(WhoKind.KNOWN)
    for kind, section in (
        (WhoKind.ROLE, "roles"),
        (WhoKind.GROUP, "groups"),
        (WhoKind.CLAIM, "claims"),
        (WhoKind.USER, "users"),
    ):
        names = dict.fromkeys(name for table in tables for name in getattr(table, section))
        yield from (Who(kind, name) for name in names)


def masks_of(table: DecisionTable, everybody: Sequence[Who]) -> list[int]:
    """What each of them holds in `table`; whoever it does not name holds nothing."""
    roles = {name: role.mask for name, role in table.roles.items()}
    groups = {name: _joined(roles, given.roles) for name, given in table.groups.items()}
    claims = {name: _joined(roles, given.roles) for name, given in table.claims.items()}
    users = {
        name: _joined(roles, given.roles) | _joined(groups, given.groups)
        for name, given in table.users.items()
    }
    by_kind = {
        WhoKind.ROLE: roles, WhoKind.GROUP: groups, WhoKind.CLAIM: claims, WhoKind.USER: users,
    }  # fmt: skip
    return [by_kind[who.kind].get(who.name, 0) if who.kind in by_kind else 0 for who in everybody]


def _joined(masks: dict[str, int], names: Sequence[str]) -> int:
    joined = 0
    for name in names:
        joined |= masks[name]
    return joined


class Population:
    """Everybody that any of `tables` names, and the two that none has to name.

    A set of them is an integer: bit n stands for everybody of class n. `known` are all but the
    `strangers`; `without_role` are callers without a role, and who has no more than they.
    """

    def __init__(self, *tables: DecisionTable) -> None:
        everybody = list(_everybody(tables))
        masks = list(zip(*(masks_of(table, everybody) for table in tables), strict=True))
        members: dict[tuple[int, ...] | None, list[Who]] = {None: [everybody[0]]}
        for who, held in zip(everybody[1:], masks[1:], strict=True):
            members.setdefault(held, []).append(who)
        self._tables = tables
        self._members = list(members.values())
        self._held = [held or (0,) * len(tables) for held in members]
        self.everybody = (1 << len(self._members)) - 1
        self.strangers, self.without_role = 1, 2  # they come first
        self.known = self.everybody & ~self.strangers

    def __repr__(self) -> str:
        return f"<Population of {sum(map(len, self._members))} in {len(self._members)} classes>"

    def __len__(self) -> int:
        """How many classes there are."""
        return len(self._members)

    @cached_property
    def _holders(self) -> list[list[int]]:
        """For each table and each of its permissions: who holds it."""
        holders = [[0] * len(table.permissions) for table in self._tables]
        for number, held in enumerate(self._held):
            for mask, of_table in zip(held, holders, strict=True):
                rest = mask
                while rest:
                    lowest = rest & -rest
                    of_table[lowest.bit_length() - 1] |= 1 << number
                    rest ^= lowest
        return holders

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
        return self.meeting(outcome.demand, table)

    def meeting(self, demand: Demand, table: int) -> int:
        """Who is known, and holds by the table of that number what is demanded."""
        found = self.known
        for group in demand.clauses:
            found &= self.holding(group, table)
        return found

    def holding(self, group: int, table: int) -> int:
        """Who holds at least one of the bits of `group` by the table of that number."""
        holders = self._holders[table]
        some, rest = 0, group
        while rest:
            lowest = rest & -rest
            some |= holders[lowest.bit_length() - 1]
            rest ^= lowest
        return some

    def members(self, some: int) -> Iterator[Who]:
        """Everybody of the classes whose bits are set."""
        while some:
            lowest = some & -some
            yield from self._members[lowest.bit_length() - 1]
            some ^= lowest

    def held(self, number: int, table: int) -> int:
        """What the members of that class hold by that table, as bits; strangers hold nothing."""
        return self._held[number][table]
