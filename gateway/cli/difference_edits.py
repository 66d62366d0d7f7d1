"""What was edited, in words: demands, enforcement, operations, names, permissions.

The part of a difference that need not touch anybody today, and may tomorrow.
"""

from collections.abc import Iterator
from functools import partial

from gateway.cli.sentences import listed, named, shown
from policy.analysis import Change, Difference, Enforcement, Holding, Names, Side, Strength

__all__ = ["demand_lines", "edit_lines", "enforcement_lines"]


def enforcement_lines(found: Difference, *, looser: bool) -> Iterator[str]:
    """Services that obey roles in another way."""
    for change in found.inventory.enforcement:
        if change.is_looser is looser:
            said = "lets through everybody who is known" if looser else "obeys roles in another way"
            yield f"{'!' if looser else '~'} service `{change.service}` {said}: {_modes(change)}"


def _modes(change: Enforcement) -> str:
    new = "none" if change.new is None else change.new.value
    return (
        f"use_role {new}, and it is new"
        if change.old is None
        else (f"use_role {change.old.value} → {new}")
    )


def demand_lines(found: Difference, limit: int, *, looser: bool) -> Iterator[str]:
    """Operations that ask for something else, each once, at its plainest request."""
    by_operation: dict[tuple[str | None, str | None], list[Change]] = {}
    for change in found.demands:
        if change.is_looser is looser:
            operations = change.old.operation, change.new.operation
            by_operation.setdefault(operations, []).append(change)
    yield from shown(list(by_operation.values()), limit, "operations", _demand)


_TELLS = {
    Strength.WEAKER: "asks for less",
    Strength.STRONGER: "asks for more",
    Strength.DIFFERENT: "asks for something else",
    Strength.SAME: "is let through whatever it asks for",
}


def _demand(changes: list[Change]) -> Iterator[str]:
    first = changes[0]
    operation = first.new.operation or first.old.operation
    more = (
        f"  (and {len(changes) - 1:,} more combinations of its conditions)" if changes[1:] else ""
    )
    yield f"operation {operation} {_TELLS[first.strength]}:"
    yield f"  ~ {first.probe}{more}"
    yield f"      before: {_asked(first.old, first)}"
    yield f"      now:    {_asked(first.new, first)}"


def _asked(side: Side, change: Change) -> str:
    because = f" because {' and '.join(side.outcome.because)}" if side.outcome.because else ""
    elsewhere = (
        f" ({side.operation})"
        if side is change.old and side.operation not in {None, change.new.operation}
        else ""
    )
    watched = ", which is only recorded" if change.opens and side is change.new else ""
    return f"{side}{because}{watched}{elsewhere}"


def edit_lines(found: Difference, limit: int) -> Iterator[str]:
    """What was added, removed, renamed, and who holds other permissions."""
    inventory = found.inventory
    for names in inventory.names:
        yield from _names(names, limit)
    yield from shown(
        inventory.moved,
        limit,
        "moved operations",
        lambda moved: [
            f"~ operation {moved.old} of {moved.service} is now {moved.new}, {moved.new_request}"
            if moved.old != moved.new
            else f"~ operation {moved.old} of {moved.service}: {moved.old_request} → {moved.new_request}"
        ],
    )
    yield from shown(
        inventory.holdings,
        limit,
        "sets of callers with other permissions",
        partial(_holding, limit),
    )


def _names(names: Names, limit: int) -> Iterator[str]:
    for word, found in (("new", names.new), ("gone", names.gone)):
        if found:
            few = [f"`{name}`" for name in found[:limit]]
            if len(found) > limit:
                few.append(f"{len(found) - limit:,} more")
            mark = "+" if word == "new" else "-"
            yield f"{mark} {word} {names.section}: {listed(few)}"


def _holding(limit: int, holding: Holding) -> Iterator[str]:
    yield f"{named(holding.members)} {'holds' if len(holding.members) == 1 else 'hold'}:"
    changed = [("+", name) for name in holding.gained] + [("-", name) for name in holding.lost]
    yield from shown(changed, limit, "permissions", lambda pair: [" ".join(pair)], indent="  ")
