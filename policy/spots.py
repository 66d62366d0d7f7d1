"""Where words begin, as numbers.

A large policy has a million words, and hardly ever does anybody ask where one of them stands. So
places are kept as they were found, and become locations for whoever asks.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policy.diagnostics import Location

__all__ = ["COLUMN_BITS", "Places", "Spot", "location_of"]

Spot = Any
"""Where a value begins, as `line * 2**32 + column` from 0: of a word this number; of a list a tuple
of it and the spots of the items; of a mapping a tuple of it and by turns those of keys and values.
"""

COLUMN_BITS = 32
_COLUMN = (1 << COLUMN_BITS) - 1


def location_of(spot: Spot, file: str) -> Location:
    """Where `spot` begins, as people count."""
    start = spot[0] if type(spot) is tuple else spot
    return Location(file, (start >> COLUMN_BITS) + 1, (start & _COLUMN) + 1)


@dataclass(frozen=True, slots=True)
class Places(Mapping[str, Location]):
    """Where each of the names of a list stands; of a name that is given twice, the last place."""

    file: str
    names: tuple[str, ...]
    spots: tuple[Spot, ...]

    def __getitem__(self, name: str) -> Location:
        for known, spot in zip(reversed(self.names), reversed(self.spots), strict=True):
            if known == name:
                return location_of(spot, self.file)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self.names))

    def __len__(self) -> int:
        return len(set(self.names))
