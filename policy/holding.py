"""What a caller holds, as bits, and where it counts.

A grant is a role in some divisions, or in all of them. Most permissions do not care where they were
granted. Those that do (a catalogue calls them division aware) count in the divisions of their grants
only. Scopes are bits beside the permissions; they count everywhere.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

__all__ = ["NOTHING_HELD", "Held"]

_NOWHERE: Mapping[str, int] = MappingProxyType({})


class Held(msgspec.Struct, frozen=True):
    """The bits of one caller under one table.

    `anywhere` is everything that any grant gives, `everywhere` what grants in all divisions give.
    `by_division` has what is held in a division besides, of the bits that some service asks for by
    division; it is empty for nearly everybody.
    """

    anywhere: int = 0
    everywhere: int = 0
    by_division: Mapping[str, int] = _NOWHERE

    @classmethod
    def everywhere_alike(cls, bits: int) -> "Held":
        """What grants in all divisions give, and nothing besides."""
        return cls(bits, bits)

    def within(self, divisions: Sequence[str], aware: int) -> tuple[int, ...]:
        """The bits that count in each of `divisions`; if none is meant, of the bits `aware` those of
        grants in all divisions.
        """
        alike = self.anywhere & ~aware | self.everywhere & aware
        if not divisions:
            return (alike,)
        return tuple(alike | self.by_division.get(name, 0) & aware for name in divisions)

    @classmethod
    def joined(cls, several: "Iterable[Held]") -> "Held":
        """What grants of all of them give."""
        anywhere = everywhere = 0
        by_division: dict[str, int] = {}
        for held in several:
            anywhere |= held.anywhere
            everywhere |= held.everywhere
            for division, bits in held.by_division.items():
                by_division[division] = by_division.get(division, 0) | bits
        return cls(anywhere, everywhere, by_division)

    def plus(self, bits: int) -> "Held":
        """The same and `bits`, in all divisions."""
        return Held(self.anywhere | bits, self.everywhere | bits, self.by_division)

    @property
    def key(self) -> object:
        """Equal for those who hold the same, and hashable."""
        return self.anywhere, self.everywhere, frozenset(self.by_division.items())

    def __bool__(self) -> bool:
        return bool(self.anywhere)


NOTHING_HELD = Held()
