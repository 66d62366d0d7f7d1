"""Every path that makes a difference to one table, or to several together.

A request's path matters by the operation that it finds, and by nothing else. So all paths of one
method fall into classes: those that walk through the tries of all tables in the same way. One
path stands for each class, whatever shadows what in which table. There are hardly more classes
than templates.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import product

import msgspec

from policy.divisions import DivisionPlace
from policy.route import Route
from policy.routes import Node
from policy.table import DecisionTable
from policy.template import Grammar

__all__ = ["Question", "questions_of"]

# The letters that each alphabet has and no narrower one, the most readable first. A dot alone is
# no segment, so it stands behind another letter.
_OWN_LETTERS = (
    "1234567890",
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-",
    ".",
    "éàüñßøåæçþ ~",
)

# As many as there are ways in which a path's parameter may be narrow.
_UNNAMED = ("other1", "1", "2", "3", "x.y")

# Per table the nodes that the segments so far may have led to.
_Live = tuple[tuple[Node[Route], ...], ...]


class Question(msgspec.Struct, frozen=True):
    """A method and path, and the operation that answers it in each of the tables."""

    method: str
    segments: tuple[str, ...]
    routes: tuple[Route | None, ...]


def questions_of(*tables: DecisionTable) -> Iterator[Question]:
    """One question for each class of paths that some operation answers."""
    methods = dict.fromkeys(method for table in tables for method in table.routes.methods)
    for method in methods:
        roots = tuple(table.routes.root_of(method) for table in tables)
        live: _Live = tuple(() if root is None else (root,) for root in roots)
        for segments in _paths(live, ()):
            found = tuple(table.routes.find(method, segments) for table in tables)
            if method == "HEAD" and found == _answers_of_get(tables, segments):
                continue  # HEAD asks for what GET would answer
            yield Question(method, segments, found)
            for other in _in_other_divisions(segments, found):
                if tuple(table.routes.find(method, other) for table in tables) == found:
                    yield Question(method, other, found)


def _in_other_divisions(
    segments: tuple[str, ...], routes: Iterable[Route | None]
) -> Iterator[tuple[str, ...]]:
    """The same path with every division that a policy names, and one that none does, where an
    operation reads its division from it.
    """
    known = [route for route in routes if route is not None]
    sources = [route.requirement.source for route in known]
    positions = {
        source.position
        for source in sources
        if source is not None and source.place is DivisionPlace.PATH
    }
    if not positions:
        return
    named = dict.fromkeys(division for route in known for division in route.divisions)
    words = [*named, *(word for word in _UNNAMED if word not in named)]
    for chosen in product(words, repeat=len(positions)):
        instead = dict(zip(sorted(positions), chosen, strict=True))
        other = tuple(instead.get(place, segment) for place, segment in enumerate(segments))
        if other != segments:
            yield other


def _answers_of_get(
    tables: Sequence[DecisionTable], segments: tuple[str, ...]
) -> tuple[Route | None, ...]:
    return tuple(table.routes.find("GET", segments) for table in tables)


def _paths(live: _Live, segments: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The paths that begin with `segments`, which led to the nodes `live`."""
    if any(node.route is not None for nodes in live for node in nodes):
        yield segments
    for segment in _ways_on(live):
        below = tuple(tuple(_below(nodes, segment)) for nodes in live)
        yield from _paths(below, (*segments, segment))


def _below(nodes: Iterable[Node[Route]], segment: str) -> Iterator[Node[Route]]:
    for node in nodes:
        if (literal := node.literals.get(segment)) is not None:
            yield literal
        yield from (below for grammar, below in node.parameters if grammar.fits(segment))


def _ways_on(live: _Live) -> Iterator[str]:
    """A segment for each way in which the next one may lead on."""
    nodes = [node for found in live for node in found]
    literals = dict.fromkeys(literal for node in nodes for literal in node.literals)
    yield from literals
    grammars = list(dict.fromkeys(grammar for node in nodes for grammar, _ in node.parameters))
    seen: set[tuple[bool, ...]] = set()
    for segment in _samples(grammars, literals):
        fitting = tuple(bool(grammar.fits(segment)) for grammar in grammars)
        if any(fitting) and fitting not in seen:
            seen.add(fitting)
            yield segment


def _samples(grammars: Sequence[Grammar], literals: Collection[str]) -> Iterator[str]:
    """Segments besides the literals, among them one for every set of grammars that fit together.

    What counts of a segment is its broadest letter, how its length lies to each grammar's limit,
    and whether it is an exception of some of them.
    """
    exceptions = dict.fromkeys(name for grammar in grammars for name in sorted(grammar.never))
    barred = {".", "..", *literals, *exceptions}
    shortest = 1
    for longest in sorted({grammar.max_length for grammar in grammars}):
        for own in _OWN_LETTERS:
            words = (
                word
                for length in dict.fromkeys((shortest, min(shortest + 1, longest), longest))
                for word in _words(own, length)
            )
            usual = next((word for word in words if word not in barred), None)
            if usual is not None:
                yield usual
        shortest = longest + 1
    yield from (name for name in exceptions if name not in literals)


def _words(own: str, length: int) -> Iterator[str]:
    """Words with at least one of the letters `own`, the plainest first."""
    plain = (own, *[_OWN_LETTERS[0]] * (length - 1))
    return map("".join, product(*plain))
