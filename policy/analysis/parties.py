"""Those whom the same things happen to, told together.

A change touches many callers in the same way, and many requests for the same callers. Sets of
callers, one for each request, are turned over into sets of requests, one for each caller; whose are
equal are one *party*. Turning over is done on bytes: nothing loops over callers and requests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress

from policy.analysis.difference import Change, Difference
from policy.analysis.population import Who

__all__ = ["Bundle", "Party", "Shares", "gains_of", "losses_of"]

_CHUNK_BITS = 4096
_ZERO_ONE = bytes.maketrans(b"01", b"\x00\x01")


@dataclass(frozen=True, slots=True)
class Party:
    """Everybody who gains, or loses, the requests of just these bundles, by their numbers.

    `classes` are the members as a set of the population.
    """

    classes: int
    members: tuple[Who, ...]
    bundles: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Requests that are gained, or lost, by just the same callers: those of the set `whose`."""

    changes: tuple[Change, ...]
    whose: int


@dataclass(frozen=True, slots=True)
class Shares:
    """All gains, or all losses, of single callers: who, what, and each of both only once."""

    parties: tuple[Party, ...]
    bundles: tuple[Bundle, ...]

    def changes_of(self, party: Party) -> tuple[Change, ...]:
        return tuple(change for number in party.bundles for change in self.bundles[number].changes)


def gains_of(found: Difference, *, folded: bool = False) -> Shares:
    """Who gains what.

    `folded` tells what everybody gains as the gain of callers without a role alone, and not again
    for all whom it is no less true of.
    """
    return _shares(found, [(change.gained, change) for change in found.gains], folded=folded)


def losses_of(found: Difference, *, folded: bool = False) -> Shares:
    """Who loses what; `folded` as for gains, where some may have what is needed now."""
    return _shares(found, [(change.lost, change) for change in found.losses], folded=folded)


def _shares(found: Difference, touched: Sequence[tuple[int, Change]], *, folded: bool) -> Shares:
    population = found.population
    bundled: dict[int, list[Change]] = {}
    for all_, change in touched:
        whose = all_
        if folded and all_ & population.without_role:
            whose = all_ & (population.strangers | population.without_role)
        if whose:
            bundled.setdefault(whose, []).append(change)
    parties = [
        Party(classes, tuple(population.members(classes)), numbers)
        for classes, numbers in _alike(list(bundled), len(population))
    ]
    return Shares(
        tuple(parties), tuple(Bundle(tuple(changes), whose) for whose, changes in bundled.items())
    )


def _alike(sets: Sequence[int], size: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    """The classes that are in just the same of `sets`, and the numbers of those sets."""
    found: dict[bytes, int] = {}
    for start in range(0, size, _CHUNK_BITS):
        window = (1 << _CHUNK_BITS) - 1
        rows = [
            f"{(some >> start) & window:0{_CHUNK_BITS}b}"[::-1].encode().translate(_ZERO_ONE)
            for some in sets
        ]
        for number, column in enumerate(zip(*rows, strict=True)):
            if any(column):
                inside = bytes(column)
                found[inside] = found.get(inside, 0) | 1 << start + number
    for inside, classes in found.items():
        yield classes, tuple(compress(range(len(sets)), inside))
