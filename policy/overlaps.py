"""Which operations may answer the same request, and whether it is clear which of them does.

Comparing every two templates of a large catalogue takes too long, so each is looked up among
those before it in a trie that knows which segments have something in common.

Some upstreams have hundreds of templates that cross, and nothing can be done about it: Genesys
Cloud publishes 479 such pairs, `/conversations/{conversationId}/recordings` and
`/conversations/calls/{conversationId}` among them. A catalogue that says `overlaps: literal-first`
has them decided by the first segment, from the left, in which one has a literal; what is left to
do here is to tell where it matters which of the two is meant.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from policy.catalogue import Catalogue, Operation
from policy.diagnostics import Code, Diagnostic, Location, Severity
from policy.entry_parts import groups_of
from policy.template import Closeness, Grammar, Parameter, Template, closeness

__all__ = ["Candidate", "Pair", "overlaps", "pairs_of"]

# An operation that collides with hundreds of others is one mistake, not hundreds.
_MAX_FINDINGS_EACH = 5
# And what the upstream's own API brings with it is one remark, beyond a few.
_MAX_SETTLED_EACH = 5
_MAX_EXAMPLES = 3


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
            and groups_of(mine.requires) == groups_of(theirs.requires)
            and (mine.also, mine.guards) == (theirs.also, theirs.guards)
            and frozenset(mine.scopes) == frozenset(theirs.scopes)
            and (not mine.guards or mine.template.parameters == theirs.template.parameters)
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """Two operations that some request may mean, and how close `one` is."""

    one: Candidate
    other: Candidate
    how: Closeness

    @property
    def is_crossing(self) -> bool:
        return self.how is Closeness.CROSSING

    @property
    def request(self) -> str:
        """What the requests look like that both answer."""
        pairs = zip(self.one.template.segments, self.other.template.segments, strict=True)
        shown = [str(theirs if isinstance(mine, Parameter) else mine) for mine, theirs in pairs]
        return f"{self.one.operation.method} /{'/'.join(shown)}"

    @property
    def is_settled(self) -> bool:
        """Whether the templates cross and the catalogue says which one is meant."""
        catalogue = self.one.catalogue
        return (
            self.is_crossing
            and catalogue.literal_first
            and catalogue.spec.name == self.other.catalogue.spec.name
        )

    def turned(self) -> "Pair":
        how = Closeness.CLOSER if self.how is Closeness.FURTHER else self.how
        return Pair(self.other, self.one, how)

    @property
    def in_order(self) -> "Pair":
        """With that one first which the routes find first."""
        mine, theirs = self.one.template.segments, self.other.template.segments
        ranks = [tuple(map(_rank, pair)) for pair in zip(mine, theirs, strict=True)]
        first = next(((one, other) for one, other in ranks if one != other), ((), ()))
        return self if first[0] < first[1] else self.turned()


def _rank(segment: str | Parameter) -> tuple[object, ...]:
    """The order in which the routes are walked."""
    return () if isinstance(segment, str) else segment.grammar.order


def overlaps(catalogues: Iterable[Catalogue]) -> Iterator[Diagnostic]:
    """A finding for every two operations of which it is not clear which one is meant.

    Of a catalogue that resolves them by itself, many are told in one finding.
    """
    listed = tuple(catalogues)
    settled: dict[str, list[Pair]] = {}
    for pairs in _pairs_of_each(listed):
        yield from islice(_clashes(pairs, settled), _MAX_FINDINGS_EACH)
    for catalogue in listed:
        if differing := settled.get(catalogue.spec.name):
            yield from _settled(catalogue, differing)


def pairs_of(catalogues: Iterable[Catalogue]) -> Iterator[Pair]:
    """Every two operations that some request may mean, the one that answers it first.

    Of two methods only HEAD and GET have requests in common.
    """
    for pairs in _pairs_of_each(tuple(catalogues)):
        for pair in pairs:
            yield pair.in_order


def _pairs_of_each(catalogues: tuple[Catalogue, ...]) -> Iterator[Iterator[Pair]]:
    by_method: dict[str, list[Candidate]] = {}
    for catalogue in catalogues:
        for operation in catalogue.operations:
            candidate = Candidate(catalogue, operation)
            by_method.setdefault(operation.method, []).append(candidate)
    for candidates in by_method.values():
        root = _Node()
        for later in candidates:
            yield _pairs(later, root)
            root.add(later)
    root = _Node()
    for get in by_method.get("GET", []):
        root.add(get)
    for head in by_method.get("HEAD", []):
        # Where HEAD has an operation of the same template, that one is meant.
        yield (pair for pair in _pairs(head, root) if pair.how is not Closeness.SAME)


def _pairs(later: Candidate, root: "_Node") -> Iterator[Pair]:
    for earlier in root.having_common(later.template.segments):
        yield Pair(later, earlier, closeness(later.template, earlier.template))


def _clashes(pairs: Iterator[Pair], settled: dict[str, list[Pair]]) -> Iterator[Diagnostic]:
    for pair in pairs:
        if pair.is_settled:
            if not pair.one.demands_the_same(pair.other):
                settled.setdefault(pair.one.catalogue.spec.name, []).append(pair)
        elif (finding := _finding(pair)) is not None:
            yield finding


def _finding(pair: Pair) -> Diagnostic | None:
    one, other, how = pair.one, pair.other, pair.how
    if how is Closeness.CROSSING:
        if one.demands_the_same(other):
            return None
    elif how is not Closeness.SAME and one.catalogue.spec.name == other.catalogue.spec.name:
        return None
    where = _place(one)
    there = f"the other is at {_place(other)}"
    if how is Closeness.SAME:
        said = f"{one} answers the same requests as {other}"
        return Diagnostic(where, Code.ROUTE_DUPLICATE, said, there)
    if how is Closeness.CROSSING:
        said = f"`{pair.request}` may mean {one} or {other}"
        advice = f"narrow a parameter, or name a literal under its `except`; {there}"
        return Diagnostic(where, Code.ROUTE_AMBIGUOUS, said, advice)
    closer, further = (one, other) if how is Closeness.CLOSER else (other, one)
    said = (
        f"{closer} of the service `{closer.catalogue.spec.name}` takes requests from {further}"
        f" of `{further.catalogue.spec.name}`"
    )
    return Diagnostic(where, Code.ROUTE_OVERLAP, said, there, Severity.WARNING)


def _settled(catalogue: Catalogue, pairs: list[Pair]) -> Iterator[Diagnostic]:
    """That one of two is meant which asks for something else than the other."""
    ordered = [pair.in_order for pair in pairs]
    if len(ordered) <= _MAX_SETTLED_EACH:
        for pair in ordered:
            where = _place(pair.one)
            said = f"`{pair.request}` means {pair.one} and not {pair.other}"
            advice = f"they ask for different things; the other is at {_place(pair.other)}"
            yield Diagnostic(where, Code.ROUTE_AMBIGUOUS, said, advice, Severity.WARNING)
        return
    where = catalogue.place.where("overlaps")
    said = (
        f"{len(ordered)} pairs of operations of `{catalogue.name}` cross and ask for different"
        " things; the one with a literal first is meant"
    )
    some = [
        f"`{pair.request}` means `{pair.one.operation.id}` and not `{pair.other.operation.id}`"
        for pair in ordered[:_MAX_EXAMPLES]
    ]
    advice = f"{'; '.join(some)}; `catalogue overlaps` tells them all"
    yield Diagnostic(where, Code.ROUTE_AMBIGUOUS, said, advice, Severity.WARNING)


def _place(candidate: Candidate) -> Location:
    return candidate.operation.place.where("request")


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
