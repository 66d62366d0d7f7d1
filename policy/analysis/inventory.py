"""What two policies hold: services and how they obey roles, operations, names, permissions.

The plain comparison beside the effects: it tells what was edited, also where nobody feels it yet.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from policy.analysis.population import Population, Who, WhoKind
from policy.holding import Held
from policy.route import Route
from policy.services import UseRole
from policy.table import DecisionTable

__all__ = [
    "Enforcement",
    "Holding",
    "Inventory",
    "Moved",
    "Names",
    "inventory_of",
]


class Enforcement(msgspec.Struct, frozen=True):
    """How a service obeys roles before and after; None where there is no such service."""

    service: str
    old: UseRole | None
    new: UseRole | None

    @property
    def is_looser(self) -> bool:
        """Whether everybody who is known is let through from now on."""
        return self.new in _LETS_THROUGH and self.old not in _LETS_THROUGH


_LETS_THROUGH = (UseRole.SHADOW, UseRole.OFF)


class Moved(msgspec.Struct, frozen=True):
    """An operation with another name, or at another place."""

    service: str
    old: str
    new: str
    old_request: str
    new_request: str


class Names(msgspec.Struct, frozen=True):
    """The names of one section that only one of the policies has."""

    section: str
    new: tuple[str, ...]
    gone: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.new or self.gone)


class Holding(msgspec.Struct, frozen=True):
    """Callers that both policies name, and the permissions by which what they hold differs.

    One that is held in some divisions only is told with the division; so are a client's scopes.
    """

    members: tuple[Who, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]


class Inventory(msgspec.Struct, frozen=True):
    """All of that; the names of operations are given as `operation of service`."""

    enforcement: tuple[Enforcement, ...]
    moved: tuple[Moved, ...]
    names: tuple[Names, ...]
    holdings: tuple[Holding, ...]

    def __bool__(self) -> bool:
        return bool(self.enforcement or self.moved or self.names or self.holdings)


_SECTIONS = ("services", "permissions", "roles", "groups", "claims", "clients", "users")


def inventory_of(old: DecisionTable, new: DecisionTable, population: Population) -> Inventory:
    """What was added, removed and renamed; `population` is that of `old` and `new`."""
    moved, operations = _operations(old, new)
    sections = (_names(name, getattr(old, name), getattr(new, name)) for name in _SECTIONS)
    return Inventory(
        enforcement=tuple(_enforcement(old, new)),
        moved=moved,
        names=tuple(names for names in (operations, *sections) if names),
        holdings=_holdings(old, new, population),
    )


def _enforcement(old: DecisionTable, new: DecisionTable) -> Iterable[Enforcement]:
    for name in {**old.services, **new.services}:
        modes = [
            table.services[name].use_role if name in table.services else None
            for table in (old, new)
        ]
        found = Enforcement(name, *modes)
        if found.is_looser or (found.old is not found.new and None not in modes):
            yield found


def _names(section: str, old: Iterable[str], new: Iterable[str]) -> Names:
    before, after = dict.fromkeys(old), dict.fromkeys(new)
    return Names(
        section,
        new=tuple(name for name in after if name not in before),
        gone=tuple(name for name in before if name not in after),
    )


def _operations(old: DecisionTable, new: DecisionTable) -> tuple[tuple[Moved, ...], Names]:
    before, after = _by_name(old), _by_name(new)
    gone = {name: route for name, route in before.items() if name not in after}
    added = {name: route for name, route in after.items() if name not in before}
    moved = [
        _moved(route, after[name])
        for name, route in before.items()
        if name in after and _request(route) != _request(after[name])
    ]
    at = {(route.service, _request(route)): name for name, route in added.items()}
    for name, route in list(gone.items()):
        if (now := at.get((route.service, _request(route)))) is not None:
            moved.append(_moved(route, added.pop(now)))
            del gone[name]
    return tuple(moved), _names("operations", map(_told, gone.values()), map(_told, added.values()))


def _by_name(table: DecisionTable) -> dict[tuple[str, str], Route]:
    return {(route.service, route.id): route for route in table.operations}


def _moved(old: Route, new: Route) -> Moved:
    return Moved(old.service, old.id, new.id, _request(old), _request(new))


def _request(route: Route) -> str:
    return f"{route.method} {route.template}"


def _told(route: Route) -> str:
    return f"{route.id} of {route.service}"


def _holdings(
    old: DecisionTable, new: DecisionTable, population: Population
) -> tuple[Holding, ...]:
    """Who holds more or less than before, those together of whom it is the same."""
    by_change: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Who]] = {}
    for number in range(1, len(population)):
        held = population.held(number, 0), population.held(number, 1)
        everybody = [who for who in population.members(1 << number) if _in_both(who, old, new)]
        clients = [who for who in everybody if who.kind is WhoKind.CLIENT]
        others = [who for who in everybody if who.kind is not WhoKind.CLIENT]
        for members, of_clients in ((clients, True), (others, False)):
            before = dict.fromkeys(_holds(old, held[0], scopes=of_clients))
            after = dict.fromkeys(_holds(new, held[1], scopes=of_clients))
            gained = tuple(name for name in after if name not in before)
            lost = tuple(name for name in before if name not in after)
            if members and (gained or lost):
                by_change.setdefault((gained, lost), []).extend(members)
    return tuple(
        Holding(tuple(members), gained, lost) for (gained, lost), members in by_change.items()
    )


def _holds(table: DecisionTable, held: Held, *, scopes: bool) -> Iterator[str]:
    """What is held, by name; with the division where it is held in some only."""
    yield from table.names_of(held.everywhere)
    for division, bits in held.by_division.items():
        yield from (f"{name} in {division}" for name in table.names_of(bits & ~held.everywhere))
    if scopes:
        yield from (f"scope {name}" for name in table.permissions.scopes_of(held.anywhere))


_NAMED_IN = {
    WhoKind.ROLE: "roles",
    WhoKind.GROUP: "groups",
    WhoKind.CLAIM: "claims",
    WhoKind.CLIENT: "clients",
    WhoKind.USER: "users",
}


def _in_both(who: Who, old: DecisionTable, new: DecisionTable) -> bool:
    if who.kind not in _NAMED_IN:
        return False
    sections: list[Mapping[str, object]] = [
        getattr(table, _NAMED_IN[who.kind]) for table in (old, new)
    ]
    return all(who.name in section for section in sections)
