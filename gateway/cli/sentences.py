"""Counts, lists and names in sentences, and lists that end before they are too long."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from policy import Missing, visible
from policy.analysis import Who, WhoKind

__all__ = ["KINDS", "counted", "kinds_of_requests", "lacking", "listed", "named", "shown"]

T = TypeVar("T")

KINDS = (WhoKind.ROLE, WhoKind.GROUP, WhoKind.CLAIM, WhoKind.CLIENT, WhoKind.USER)
"""The callers that have names, the broadest first."""

_NAMES_SHOWN = 3


def counted(number: int, word: str, words: str = "") -> str:
    """`1 role`, `2 roles`; `words` is the plural where no `s` at the end makes it."""
    return f"{number:,} {word if number == 1 else words or f'{word}s'}"


def kinds_of_requests(number: int) -> str:
    """`1 kind of request`, `2 kinds of requests`"""
    return counted(number, "kind of request", "kinds of requests")


def listed(parts: Sequence[str]) -> str:
    """`a, b and c`"""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def lacking(missing: Missing) -> list[str]:
    """Each thing that is missing, in words that follow `missing` or `needs`."""
    parts = [f"`{name}`" for name in missing.all_of]
    parts += [f"one of {', '.join(f'`{name}`' for name in group)}" for group in missing.any_of]
    if missing.scopes:
        parts.append(f"scope {' or '.join(f'`{name}`' for name in missing.scopes)}")
    if missing.divisions:
        where = listed([f"`{visible(name)}`" if name else "all" for name in missing.divisions])
        word = "divisions" if len(missing.divisions) > 1 else "division"
        parts.append(f"a grant in {word} {where}")
    return parts


def named(members: Iterable[Who]) -> str:
    """``role `a`, users `b` and `c` `` with no more than a few names of a kind."""
    by_kind: dict[WhoKind, list[str]] = {}
    for who in members:
        by_kind.setdefault(who.kind, []).append(who.name)
    parts = []
    for kind in KINDS:
        names = by_kind.get(kind, [])
        few = [f"`{name}`" for name in names[:_NAMES_SHOWN]]
        if len(names) > _NAMES_SHOWN:
            few.append(f"{len(names) - _NAMES_SHOWN:,} more")
        if names:
            parts.append(f"{kind}{'s' if len(names) > 1 else ''} {listed(few)}")
    return ", ".join(parts)


def shown(
    items: Sequence[T],
    limit: int,
    words: str,
    lines_of: Callable[[T], Iterable[str]],
    indent: str = "",
) -> Iterator[str]:
    """The lines of the first `limit` of `items`, and how many more there are of these `words`."""
    for item in items[:limit]:
        yield from (f"{indent}{line}" for line in lines_of(item))
    if len(items) > limit:
        yield f"{indent}… and {len(items) - limit:,} more {words}"
