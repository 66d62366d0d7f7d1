"""What an operation requires, from the author's words to bits and closures.

Nothing is checked here: `checks.py` has seen to it that every name leads somewhere.
"""

from collections.abc import Iterable, Iterator

from policy.catalogue import Catalogue, Operation
from policy.conditions import condition_of, guard_of
from policy.divisions import DivisionPlace, DivisionSource
from policy.entries import AllOf, AnyOf, DivisionEntry, Requires
from policy.permissions import NO_DEMAND, Demand, Permissions
from policy.route import Access, Requirement
from policy.rules import Extra, Guard

__all__ = ["ACCESS_WORDS", "demand_of", "named_in", "requirement_of"]

ACCESS_WORDS = frozenset({
    Access.PUBLIC.value,
    Access.AUTHENTICATED.value,
    Access.NOBODY.value,
})  # fmt: skip
"""What `requires` may say instead of permissions."""


def named_in(requires: Requires) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every permission that `requires` names, with its path from there."""
    match requires:
        case str():
            yield (), requires
        case AnyOf():
            yield from ((("any", number), name) for number, name in enumerate(requires.any))
        case AllOf():
            yield from ((("all", *path), name) for path, name in named_in(requires.all))
        case _:
            for number, item in enumerate(requires):
                yield from (((number, *path), name) for path, name in named_in(item))


def demand_of(requires: Requires, permissions: Permissions) -> Demand:
    """The bits of `requires`, which names permissions. One of one is that one."""
    match requires:
        case str():
            return Demand(permissions.mask_of([requires]))
        case AnyOf():
            group = permissions.mask_of(requires.any)
            is_one = group.bit_count() == 1
            return Demand(group, alone=group) if is_one else Demand(0, (group,))
        case AllOf():
            return demand_of(requires.all, permissions)
        case _:
            return Demand.joined(demand_of(item, permissions) for item in requires)


def requirement_of(
    operation: Operation, catalogue: Catalogue, permissions: Permissions, aware: int
) -> Requirement:
    """What `operation` requires, with the rules of switches that are off left out.

    A scope is a demand like any other, where the service asks for scopes. `aware` are the bits of
    the catalogue's permissions that are asked for by division.
    """
    access = _access_of(operation.requires)
    floor = (
        NO_DEMAND if access is not Access.PERMITTED else demand_of(operation.requires, permissions)
    )
    demands, extras = [floor], []
    if operation.scopes and catalogue.spec.use_scopes and access not in _UNSCOPED:
        demands.append(Demand(0, (permissions.scope_mask_of(operation.scopes),)))
    for number, also in enumerate(operation.also):
        if not _applies(also.switch, catalogue):
            continue
        demand = demand_of(also.requires, permissions)
        if also.when is None:
            demands.append(demand)
        else:
            condition = condition_of(also.when, catalogue.lists)
            where = operation.also_place.where(number)
            extras.append(Extra(condition=condition, demand=demand, where=where))
    return Requirement(
        access=access,
        demand=Demand.joined(demands),
        extras=tuple(extras),
        guards=tuple(_guards_of(operation, catalogue)) if operation.guards else (),
        aware=aware,
        source=_source_of(operation.division, operation, catalogue),
    )


_UNSCOPED = frozenset({Access.PUBLIC, Access.NOBODY})


def _source_of(
    entry: DivisionEntry | None, operation: Operation, catalogue: Catalogue
) -> DivisionSource | None:
    if entry is None or catalogue.spec.pin_header is not None:
        return None
    for place in DivisionPlace:
        if (name := getattr(entry, place.value)) is not None:
            position = 0
            if place is DivisionPlace.PATH:
                position = _positions_in(operation, catalogue)[name]
            return DivisionSource(place, name, position)
    return None


def _positions_in(operation: Operation, catalogue: Catalogue) -> dict[str, int]:
    """Where parameters stand in the path that a request is decided by: below the prefix."""
    below = len(catalogue.spec.prefix_segments)
    return {name: below + position for position, name in operation.template.parameters}


def _guards_of(operation: Operation, catalogue: Catalogue) -> Iterable[Guard]:
    positions = _positions_in(operation, catalogue)
    for number, guard in enumerate(operation.guards):
        if _applies(guard.switch, catalogue):
            text, test, samples = guard_of(guard, catalogue.lists, positions)
            where = operation.guards_place.where(number)
            yield Guard(text=text, test=test, samples=samples, where=where)


def _applies(switch: str | None, catalogue: Catalogue) -> bool:
    return switch is None or switch in catalogue.switches_on


def _access_of(requires: Requires) -> Access:
    return Access(requires) if requires in ACCESS_WORDS else Access.PERMITTED
