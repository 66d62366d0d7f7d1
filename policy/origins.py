"""Where a caller has a permission from: user → group → role → included role → file and line."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from policy.diagnostics import Location
from policy.inquiry import Caller, Kind
from policy.table import DecisionTable, Role

__all__ = ["Origin", "origins_of"]


@dataclass(frozen=True, slots=True)
class Origin:
    """One way by which a permission came to a caller; `where` is the line that grants it."""

    permission: str
    path: tuple[str, ...]
    where: Location

    def __str__(self) -> str:
        return f"{' → '.join(self.path)} ({self.where})"


def origins_of(table: DecisionTable, caller: Caller, permission: str) -> Iterator[Origin]:
    """Every assignment that gives `caller` the permission, each with its shortest way."""
    bit = table.permissions.mask_of([permission])
    for path, name in _assigned(table, caller):
        role = table.roles[name]
        if role.mask & bit:
            granting, way = _granting(table, role, bit)
            where = granting.permission_places[permission]
            yield Origin(permission, (*path, *(f"role `{step}`" for step in way)), where)


def _assigned(table: DecisionTable, caller: Caller) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every role given to `caller`, with what gives it."""
    if caller.kind is Kind.ANONYMOUS:
        return
    if (user := table.users.get(caller.subject)) is not None:
        start = f"user `{caller.subject}`"
        yield from (((start,), role) for role in user.roles)
        for group in user.groups:
            yield from (((start, f"group `{group}`"), role) for role in table.groups[group].roles)
    for value in sorted(caller.claims & table.claims.keys()):
        yield from (((f"claim `{value}`",), role) for role in table.claims[value].roles)
    yield from (((), role) for role in sorted(caller.roles & table.roles.keys()))


def _granting(table: DecisionTable, role: Role, bit: int) -> tuple[Role, tuple[str, ...]]:
    """The nearest role that names the permission itself, and the way to it."""
    way: tuple[str, ...] = (role.name,)
    waiting, seen = deque[tuple[Role, tuple[str, ...]]](), {role.name}
    while not role.own & bit:
        # A role that is off holds nothing, so no way leads through it.
        for name in role.includes:
            if table.roles[name].mask & bit and name not in seen:
                seen.add(name)
                waiting.append((table.roles[name], (*way, name)))
        role, way = waiting.popleft()
    return role, way
