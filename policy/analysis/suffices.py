"""The least that suffices: the smallest set of permissions, and the smallest role, for demands."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from policy.permissions import Demand
from policy.table import DecisionTable, Role

__all__ = ["least_of", "smallest_role"]

# Sets of so many permissions are still tried one after the other; beyond it, greedily.
_MOST_TRIED = 16


def least_of(demands: Iterable[Demand], held: int = 0) -> int:
    """The smallest mask that meets all of `demands`; among equals one with much of `held`.

    Where more than 16 permissions stand to choice it is a small one, not always the smallest.
    """
    joined = Demand.joined(demands)
    least = joined.all_of
    groups = [group for group in joined.any_of if not group & least]
    # A group that holds all of another is met with it.
    groups = [g for g in groups if not any(other != g and other & g == other for other in groups)]
    choice = sorted(_bits(Demand(0, tuple(groups)).bits), key=lambda bit: not bit & held)
    if len(choice) > _MOST_TRIED:
        return least | _greedy(groups, choice)
    for size in range(len(choice) + 1):
        for some in combinations(choice, size):
            mask = sum(some)
            if all(mask & group for group in groups):
                return least | mask
    return least


def smallest_role(table: DecisionTable, demands: Iterable[Demand], held: int = 0) -> Role | None:
    """The role with the fewest permissions that meets all of `demands`, if there is one.

    Among equals one that brings the least besides `held`.
    """
    wanted = Demand.joined(demands)
    found = [role for role in table.roles.values() if role.mask and wanted.met_by(role.mask)]
    return min(
        found,
        key=lambda role: (role.mask.bit_count(), (role.mask & ~held).bit_count(), role.name),
        default=None,
    )


def _greedy(groups: Sequence[int], choice: Sequence[int]) -> int:
    mask, rest = 0, list(groups)
    while rest:
        bit = max(choice, key=lambda one: sum(bool(one & group) for group in rest))
        mask |= bit
        rest = [group for group in rest if not group & bit]
    return mask


def _bits(mask: int) -> list[int]:
    bits = []
    while mask:
        lowest = mask & -mask
        bits.append(lowest)
        mask ^= lowest
    return bits
