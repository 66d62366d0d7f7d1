"""Which roles would bring what somebody lacks, the smallest first.

Small means few permissions: who gets a role gets everything in it.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import combinations

from policy.explanation import Supplier
from policy.permissions import Demand
from policy.table import DecisionTable, Role

__all__ = ["Remedy", "remedy_for"]

_MOST_SUPPLIERS = 5
# Pairs are tried one by one up to here; there are 80,000 of so many roles.
_MOST_PAIRED = 400


class Remedy(StrEnum):
    """How the roles that were found would help."""

    EACH = "each of these roles would do"
    TOGETHER = "no role brings everything; these would together"
    PARTLY = "no role brings everything; these would help"
    NONE = "no role would help"


def remedy_for(
    table: DecisionTable, needs: Sequence[Sequence[str]]
) -> tuple[Remedy, tuple[Supplier, ...]]:
    """The smallest roles that bring one permission of each of `needs`.

    Where no role has them all, those that have them together; if even all roles do not, those
    that bring some.
    """
    wanted = tuple(table.permissions.mask_of(names) for names in needs)
    bits = Demand(0, wanted).bits
    useful = sorted(
        (role for role in table.roles.values() if role.mask & bits),
        key=lambda role: (role.mask.bit_count(), role.name),
    )
    whole = [role for role in useful if _meets(role.mask, wanted)]
    if not useful:
        return Remedy.NONE, ()
    if whole:
        remedy, chosen = Remedy.EACH, whole[:_MOST_SUPPLIERS]
    elif together := _together(useful, wanted):
        remedy, chosen = Remedy.TOGETHER, together
    else:
        remedy, chosen = Remedy.PARTLY, useful[:_MOST_SUPPLIERS]
    return remedy, tuple(
        Supplier(role.name, table.names_of(role.mask & bits), role.mask.bit_count(), role.where)
        for role in chosen
    )


def _meets(mask: int, wanted: Sequence[int]) -> bool:
    return all(mask & group for group in wanted)


def _together(useful: Sequence[Role], wanted: Sequence[int]) -> list[Role]:
    """The smallest two that have everything, or some more; none if there are none."""
    pairs = (
        pair
        for pair in combinations(useful[:_MOST_PAIRED], 2)
        if _meets(pair[0].mask | pair[1].mask, wanted)
    )
    if pair := min(pairs, key=lambda two: (two[0].mask | two[1].mask).bit_count(), default=None):
        return list(pair)
    chosen = list(_more(useful, wanted))
    held = 0
    for role in chosen:
        held |= role.mask
    return sorted(chosen, key=useful.index) if _meets(held, wanted) else []


def _more(useful: Sequence[Role], wanted: Sequence[int]) -> Iterator[Role]:
    """Always the role that brings the most of what is left."""
    left = [group for group in wanted if any(role.mask & group for role in useful)]
    while left:
        best = max(useful, key=lambda role: sum(bool(role.mask & group) for group in left))
        yield best
        left = [group for group in left if not best.mask & group]
