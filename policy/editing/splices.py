"""Pieces of a text replaced, everything between them kept to the letter."""

from collections.abc import Iterable, Sequence

import msgspec

from policy.editing.errors import EditRefused

__all__ = ["Splice", "below", "blank_between", "line_end", "line_start", "next_line", "spliced"]


class Splice(msgspec.Struct, frozen=True, order=True):
    """What stands from `start` to `end` becomes `text`."""

    start: int
    end: int
    text: str = ""


def spliced(text: str, splices: Iterable[Splice]) -> str:
    """`text` with all `splices` made. Deletions may overlap; raises EditRefused if others do."""
    pieces: list[str] = []
    done = 0
    for splice in sorted(splices):
        if splice.start < done and splice.text:
            raise EditRefused("two changes concern the same place", "make them one after the other")
        pieces += text[done : splice.start], splice.text
        done = max(done, splice.end)
    return "".join((*pieces, text[done:]))


def line_start(text: str, place: int) -> int:
    """Where the line of that place begins."""
    return text.rfind("\n", 0, place) + 1


def line_end(text: str, place: int) -> int:
    """Where the line of that place ends, before its line break."""
    end = text.find("\n", place)
    if end < 0:
        return len(text)
    return end - 1 if end > place and text[end - 1] == "\r" else end


def next_line(text: str, place: int) -> int:
    """Where the line below begins, or the end."""
    end = text.find("\n", place)
    return len(text) if end < 0 else end + 1


def below(text: str, place: int, lines: Sequence[str], newline: str) -> Splice:
    """`lines` put below the line of that place; a last line without a line break stays without."""
    at = next_line(text, place)
    if at and text[at - 1] != "\n":
        return Splice(at, at, "".join(newline + line for line in lines))
    return Splice(at, at, "".join(line + newline for line in lines))


def blank_between(text: str, start: int, end: int) -> bool:
    """Whether there is an empty line from the one place to the other."""
    return any(not line.strip() for line in text[start:end].split("\n")[1:-1])
