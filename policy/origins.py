"""Where a caller has a permission from: user → group → role → included role → file and line."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from policy.diagnostics import Location, visible
from policy.inquiry import Caller, Kind, Means
from policy.table import Assignment, DecisionTable, Role

__all__ = ["Origin", "in_words", "origins_of"]


@dataclass(frozen=True, slots=True)
class Origin:
    """One way by which a permission came to a caller; `where` is the line that grants it.

    It is given in some `divisions` only, unless they are None.
    """

    permission: str
    path: tuple[str, ...]
    where: Location
    divisions: tuple[str, ...] | None = None

    def __str__(self) -> str:
        only = "" if self.divisions is None else f", only in {in_words(self.divisions)}"
        return f"{' → '.join(self.path)}{only} ({self.where})"


def in_words(divisions: Iterable[str]) -> str:
    """Divisions, for people: `a`, `b`; nothing in it acts on a terminal."""
    shown = (
        f"`{visible(name)}`" if name else "a division that cannot be told" for name in divisions
    )
    return ", ".join(shown) or "no division"


def origins_of(table: DecisionTable, caller: Caller, permission: str) -> Iterator[Origin]:
    """Every assignment that gives `caller` the permission, each with its shortest way."""
    bit = table.permissions.mask_of([permission])
    for path, name, divisions in _assigned(table, caller):
        role = table.roles[name]
        if role.mask & bit:
            granting, way = _granting(table, role, bit)
            where = granting.permission_places[permission]
            steps = (*path, *(f"role `{step}`" for step in way))
            yield Origin(permission, steps, where, divisions)


_Given = tuple[tuple[str, ...], str, tuple[str, ...] | None]


def _assigned(table: DecisionTable, caller: Caller) -> Iterator[_Given]:
    """Every role given to `caller`, with what gives it, and where."""
    if caller.kind is Kind.ANONYMOUS:
        return
    if caller.means is Means.CLIENT_CREDENTIALS:
        if (client := table.clients.get(caller.subject)) is not None:
            yield from _given((f"client `{caller.subject}`",), client)
    elif (user := table.users.get(caller.subject)) is not None:
        start = f"user `{caller.subject}`"
        yield from _given((start,), user)
        for group in user.groups:
            yield from _given((start, f"group `{group}`"), table.groups[group])
    for group in sorted(caller.groups & table.groups.keys()):
        yield from _given((f"group `{group}`",), table.groups[group])
    for value in sorted(caller.claims & table.claims.keys()):
        yield from _given((f"claim `{value}`",), table.claims[value])
    divisions = None if caller.divisions is None else tuple(sorted(caller.divisions))
    yield from (((), role, divisions) for role in sorted(caller.roles & table.roles.keys()))


def _given(path: tuple[str, ...], assignment: Assignment) -> Iterator[_Given]:
    within = dict(assignment.within)
    yield from ((path, role, within.get(role)) for role in assignment.roles)


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
