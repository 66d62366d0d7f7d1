"""YAML text to plain values, and where each of them stood.

The text is read event by event, so that nothing surprising is ever built: no tags, no anchors, no
merge keys, no second document, no key twice, bounded size and depth. A plain word is what it looks
like to somebody who never heard of YAML 1.1: `null`, `~` and nothing at all are nothing; `true`
and `false` are booleans; `12`, `-3` and `0.5` are numbers; everything else is text, also `on`,
`yes`, `012`, `0x1`, `1e3`, `1_000` and `2024-01-01`. Keys are always text.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from policy.diagnostics import Diagnostic, Location
from policy.errors import PolicyInvalid
from policy.reading import (
    MAX_BYTES,
    MAX_DEPTH,
    Plain,
    Reader,
    Unreadable,
)
from policy.spots import Places, Spot, location_of

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Path", "Place", "Plain", "Source", "parse", "scan"]

Path = tuple[str | int, ...]

# Up to this many keys, looking through them is quicker than making an index.
_FEW = 12


@dataclass(frozen=True, slots=True)
class Source:
    """What a file says, as plain values, with the place of each."""

    file: str
    value: Plain
    _root: Spot = field(repr=False)
    _indexes: dict[int, dict[str, int]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def place(self) -> "Place":
        """The place of the whole."""
        return Place(self, self.value, self._root, self._root)

    def where(self, path: Path = (), *, key: bool = False) -> Location:
        """The place of the value at `path`, or of its key; as near as possible if there is none."""
        return self.place.where(*path, key=key)

    def number_of(self, key: str, mapping: dict[str, Plain]) -> int:
        """The how-manieth key of this file's `mapping` it is."""
        if len(mapping) <= _FEW:
            return list(mapping).index(key)
        index = self._indexes.get(id(mapping))
        if index is None:
            index = self._indexes[id(mapping)] = {key: n for n, key in enumerate(mapping)}
        return index[key]


class Place(msgspec.Struct, frozen=True, eq=False, gc=False):
    """A value of a source, with its spot and that of its key: the way on to all that is within."""

    source: Source
    _value: Plain
    _spot: Spot
    _key: Spot

    def below(self, *steps: str | int) -> "Place":
        """What the steps lead to; if that is not there, the nearest thing on the way."""
        value, spot, key = self._value, self._spot, self._key
        for step in steps:
            if isinstance(value, dict) and isinstance(step, str) and step in value:
                number = 2 * self.source.number_of(step, value)
                key, spot = spot[number + 1 : number + 3]
                value = value[step]
            elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
                key = spot = spot[step + 1]
                value = value[step]
            else:
                # Nothing is below what is not there.
                return Place(self.source, None, spot, spot)
        return Place(self.source, value, spot, key)

    def where(self, *steps: str | int, key: bool = False) -> Location:
        """Where that stands, or its key."""
        if steps:
            return self.below(*steps).where(key=key)
        return location_of(self._key if key else self._spot, self.source.file)

    def of_names(self, names: tuple[str, ...]) -> Places:
        """Where each item of a list stands, by what was read of the list."""
        spots = self._spot[1:] if isinstance(self._value, list) else ()
        return Places(self.source.file, names, spots)

    def __iter__(self) -> Iterator[tuple[str, "Place"]]:
        """Every key of a mapping, with the place of its value; quicker than one by one."""
        if isinstance(self._value, dict):
            source, spots = self.source, self._spot
            pairs = zip(self._value.items(), spots[1::2], spots[2::2], strict=True)
            for (key, value), key_spot, spot in pairs:
                yield key, Place(source, value, spot, key_spot)


def parse(text: str | bytes, file: str) -> Source:
    """Read `text`; every finding at once as `PolicyInvalid`. `file` is what messages call it."""
    source, findings = scan(text, file)
    if source is None or findings:
        raise PolicyInvalid(findings)
    return source


def scan(text: str | bytes, file: str) -> tuple[Source | None, list[Diagnostic]]:
    """Read as much of `text` as can be understood, with every finding on the way."""
    reader = Reader(file)
    try:
        return Source(file, *reader.read(text)), reader.findings
    except Unreadable:
        return None, reader.findings
