"""Did you mean …?

A wrong name is usually a right one with a slip of the finger, another case, or its words in
another notation. Suggesting costs time for every wrong name, so a file that is wrong throughout
gets its first findings with a suggestion and the rest without.
"""

from collections.abc import Iterable

__all__ = ["Suggestions", "distance"]

# Comparing two names takes some 10 µs; a set of names spends about half a second on it.
_PATIENCE = 50_000
# A third of the letters may be wrong, as in rustc and Cargo, but never more than this.
_MAX_DISTANCE = 3


class Suggestions:
    """The names that would have been right."""

    __slots__ = ("_left", "_names", "_plain")

    def __init__(self, names: Iterable[str]) -> None:
        self._names = tuple(names)
        # Most files are right, and then nobody asks.
        self._plain: dict[str, str] | None = None
        self._left = _PATIENCE

    def help_for(self, name: str) -> str | None:
        """`did you mean …?`, or None if nothing comes near."""
        near = self.closest(name)
        return None if near is None else f"did you mean `{near}`?"

    def closest(self, name: str) -> str | None:
        """The nearest right name, the first of several that are equally near."""
        if self._plain is None:
            self._plain = {_plain(right): right for right in reversed(self._names)}
        if (same := self._plain.get(_plain(name))) is not None:
            return same
        limit = min(max(len(name), 3) // 3, _MAX_DISTANCE)
        best: str | None = None
        for candidate in self._names:
            if abs(len(candidate) - len(name)) > limit or not self._left:
                continue
            self._left -= 1
            found = distance(name.lower(), candidate.lower(), limit)
            if found is not None:
                best, limit = candidate, found - 1
        return best


def distance(one: str, other: str, limit: int) -> int | None:
    """How many letters to insert, delete, replace or swap; None if more than `limit`."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return None
    return row[-1] if row[-1] <= limit else None


def _plain(name: str) -> str:
    """The letters and digits of a name, without case: what is left of it in any notation."""
    return "".join(filter(str.isalnum, name.casefold()))
