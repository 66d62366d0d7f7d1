"""Which operations may answer the same request, and whether it is clear which of them does.

Comparing every two templates of a large catalogue takes too long, so each is looked up among
those before it in a trie that knows which segments have something in common.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from policy.catalogue import Catalogue, Operation
from policy.diagnostics import Code, Diagnostic, Severity
from policy.template import Closeness, Grammar, Parameter, Template, closeness

__all__ = ["Candidate", "overlaps"]

# An operation that collides with hundreds of others is one mistake, not hundreds.
_MAX_FINDINGS_EACH = 5


@dataclass(frozen=True, slots=True)
class Candidate:
    """An operation of a service, as clients see it."""

    catalogue: Catalogue
    operation: Operation
    template: Template = field(init=False)

    def __post_init__(self) -> None:
        below = self.operation.template.below(self.catalogue.spec.prefix_segments)
        object.__setattr__(self, "template", below)

    def __str__(self) -> str:
        return f"`{self.operation.id}` ({self.operation.method} {self.template})"

    def demands_the_same(self, other: "Candidate") -> bool:
        """Whether it does not matter to callers which of the two answers."""
        mine, theirs = self.operation, other.operation
        return (
            self.catalogue.spec.name == other.catalogue.spec.name
            and (mine.requires, mine.also, mine.guards)
            == (theirs.requires, theirs.also, theirs.guards)
            and (not mine.guards or mine.template.parameters == theirs.template.parameters)
        )


def overlaps(catalogues: Iterable[Catalogue]) -> Iterator[Diagnostic]:
    """A finding for every two operations of which it is not clear which one is meant."""
    by_method: dict[str, list[Candidate]] = {}
    for catalogue in catalogues:
        for operation in catalogue.operations:
            candidate = Candidate(catalogue, operation)
            by_method.setdefault(operation.method, []).append(candidate)
    for candidates in by_method.values():
        yield from _among(candidates)
    if "HEAD" in by_method:
        yield from _between_head_and_get(by_method["HEAD"], by_method.get("GET", []))


def _between_head_and_get(heads: list[Candidate], gets: list[Candidate]) -> Iterator[Diagnostic]:
    """A HEAD request may also mean a GET operation, unless HEAD has one of the same template."""
    root = _Node()
    for get in gets:
        root.add(get)
    for head in heads:
        pairs = (
            (get, closeness(head.template, get.template))
            for get in root.having_common(head.template.segments)
        )
        clashes = (
            finding
            for get, how in pairs
            if how is not Closeness.SAME and (finding := _finding(head, get, how)) is not None
        )
        yield from islice(clashes, _MAX_FINDINGS_EACH)


def _among(candidates: Sequence[Candidate]) -> Iterator[Diagnostic]:
    root = _Node()
    for later in candidates:
        clashes = (
            finding
            for earlier in root.having_common(later.template.segments)
            if (finding := _finding(later, earlier, closeness(later.template, earlier.template)))
            is not None
        )
        yield from islice(clashes, _MAX_FINDINGS_EACH)
        root.add(later)


def _finding(one: Candidate, other: Candidate, how: Closeness) -> Diagnostic | None:
    if how is Closeness.CROSSING:
        if one.demands_the_same(other):
            return None
    elif how is not Closeness.SAME and one.catalogue.spec.name == other.catalogue.spec.name:
        return None
    where = one.operation.place.where("request")
    there = f"the other is at {other.operation.place.where('request')}"
    if how is Closeness.SAME:
        said = f"{one} answers the same requests as {other}"
        return Diagnostic(where, Code.ROUTE_DUPLICATE, said, there)
    if how is Closeness.CROSSING:
        said = f"{_common(one, other)} may mean {one} or {other}"
        advice = f"narrow a parameter, or name a literal under its `except`; {there}"
        return Diagnostic(where, Code.ROUTE_AMBIGUOUS, said, advice)
    closer, further = (one, other) if how is Closeness.CLOSER else (other, one)
    said = (
        f"{closer} of the service `{closer.catalogue.spec.name}` takes requests from {further}"
        f" of `{further.catalogue.spec.name}`"
    )
    return Diagnostic(where, Code.ROUTE_OVERLAP, said, there, Severity.WARNING)


def _common(one: Candidate, other: Candidate) -> str:
    """What a request looks like that matches both."""
    pairs = zip(one.template.segments, other.template.segments, strict=True)
    shown = [str(theirs if isinstance(mine, Parameter) else mine) for mine, theirs in pairs]
    return f"`{one.operation.method} /{'/'.join(shown)}`"


class _Node:
    """The templates so far, by segments; parameters are one if their grammars are."""

    __slots__ = ("here", "literals", "parameters")

    def __init__(self) -> None:
        self.literals: dict[str, _Node] = {}
        self.parameters: dict[Grammar, _Node] = {}
        self.here: list[Candidate] = []

    def add(self, candidate: Candidate) -> None:
        node = self
        for segment in candidate.template.segments:
            kind: Any = segment if isinstance(segment, str) else segment.grammar
            below: dict[Any, _Node] = node.literals if isinstance(segment, str) else node.parameters
            known = below.get(kind)
            if known is None:
                known = below[kind] = _Node()
            node = known
        node.here.append(candidate)

    def having_common(
        self, segments: tuple[str | Parameter, ...], depth: int = 0
    ) -> Iterator[Candidate]:
        """The candidates whose template has some request in common with these segments."""
        if depth == len(segments):
            yield from self.here
            return
        for node in self._nodes_like(segments[depth]):
            yield from node.having_common(segments, depth + 1)

    def _nodes_like(self, segment: str | Parameter) -> "Iterable[_Node]":
        if isinstance(segment, str):
            literal = self.literals.get(segment)
            if not self.parameters:
                return () if literal is None else (literal,)
            like = [node for kind, node in self.parameters.items() if kind.fits(segment)]
            return like if literal is None else (literal, *like)
        if not self.literals:
            return self.parameters.values()
        fits = segment.grammar.fits
        literals = (node for literal, node in self.literals.items() if fits(literal))
        return chain(literals, self.parameters.values())
