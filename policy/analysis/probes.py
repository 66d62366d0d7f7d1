"""A request for every combination of conditions that can come true together.

Whatever a catalogue may ask of a query or a body, some *part* of it makes the answer yes: a name,
a value, a key. So the parts that can stand side by side are tried in all their combinations,
where two combinations of which every rule says the same are one. What is found are requests, not
formulas: each can be sent.

The rules of several routes, such as a policy's and its successor's, are combined together: a
request stands for its class in all of them.

Every condition that says something of its own doubles the combinations. Nobody writes a dozen of
them into one operation on purpose, so there is an end to the patience: an error says where.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count
from urllib.parse import quote

import msgspec

from policy.analysis.questions import Question
from policy.diagnostics import Code, Diagnostic
from policy.divisions import DivisionPlace, DivisionSource, given_in, header_of, pinned_to
from policy.errors import PolicyInvalid
from policy.holding import NOTHING_HELD, Held
from policy.inquiry import BodyFacts, Caller, Inquiry, Kind, Means, folded
from policy.predicates import folded_query_name, names_of, repeated
from policy.route import Route

__all__ = ["MOST_COMBINATIONS", "OWN_NAME", "Probe", "probes_of"]

MOST_COMBINATIONS = 4096
"""Of one question: about what eleven conditions have that can come true in any company."""

OWN_NAME = "(the caller)"
"""In a body of a probe: the name of whoever is asking."""

_OTHER_NAME = "(somebody)"
_SOMEBODY = Caller(subject=OWN_NAME, kind=Kind.USER, means=Means.NONE)

_Pairs = tuple[tuple[str, str], ...]


class Probe(msgspec.Struct, frozen=True):
    """A request that stands for all those that every rule says the same of.

    `body` is None where no rule reads it; keys are spelt as the catalogue spells them.
    """

    question: Question
    query: _Pairs = ()
    body: Mapping[str, object] | None = None
    headers: _Pairs = ()

    def inquiry(self, caller: Caller, held: Held) -> Inquiry:
        """What is asked when `caller` sends it."""
        return Inquiry(
            caller=caller,
            held=held,
            method=self.question.method,
            segments=self.question.segments,
            query=self.query,
            headers=_encoded(self.headers),
            body=None if self.body is None else _facts(self.body, caller.subject),
        )

    @property
    def target(self) -> str:
        """The path and query as they are sent."""
        path = "/" + "/".join(
            quote(segment, safe="~:@!$'()*,") for segment in self.question.segments
        )
        pairs = (f"{quote(name)}={quote(value)}" for name, value in self.query)
        return f"{path}?{'&'.join(pairs)}" if self.query else path

    def __str__(self) -> str:
        """`PUT /profiles/1?x=1 X-Tenant: 1 {"Phone": "1"}`"""
        headers = "".join(f" {name}: {value}" for name, value in self.headers)
        body = "" if not self.body else f" {json.dumps(self.body, ensure_ascii=False)}"
        return f"{self.question.method} {self.target}{headers}{body}"


def _encoded(headers: _Pairs) -> dict[bytes, bytes]:
    return {name.lower().encode("ascii"): value.encode("ascii") for name, value in headers}


def _facts(body: Mapping[str, object], subject: str) -> BodyFacts:
    other = "" if subject == _OTHER_NAME else _OTHER_NAME
    spoken = {OWN_NAME: subject, _OTHER_NAME: other}
    return BodyFacts({
        folded(key): spoken.get(value, value) if isinstance(value, str) else value
        for key, value in body.items()
    })  # fmt: skip


class _Piece(msgspec.Struct, frozen=True):
    """What a request may hold besides others: pairs of the query, a key of the body, a header."""

    pairs: _Pairs = ()
    keys: tuple[tuple[str, object], ...] = ()
    headers: _Pairs = ()

    def __add__(self, other: "_Piece") -> "_Piece":
        return _Piece(
            self.pairs + other.pairs, self.keys + other.keys, self.headers + other.headers
        )


def probes_of(question: Question) -> tuple[Probe, ...]:
    """At least one request for whatever the rules of the question's routes can say together.

    The first one is the plainest: no query, no key in the body. Raises PolicyInvalid if there are
    more than MOST_COMBINATIONS.
    """
    routes = [route for route in question.routes if route is not None]
    if all(route.plain and not _looks_further(route) for route in routes):
        return (Probe(question),)
    reads_body = any(route.requirement.reads_body for route in routes)
    rules = _Rules(routes, question.segments)
    found: dict[int, _Piece] = {0: _Piece()}
    for choices in _places(routes, question.segments):
        said = {rules.said_of(piece): piece for piece in reversed(choices)}
        for known, so_far in list(found.items()):
            for more, piece in said.items():
                if known | more not in found:
                    found[known | more] = so_far + piece
                if len(found) > MOST_COMBINATIONS:
                    raise PolicyInvalid([_too_many(route) for route in routes if not route.plain])
    return tuple(
        Probe(question, piece.pairs, dict(piece.keys) if reads_body else None, piece.headers)
        for piece in found.values()
    )


def _too_many(route: Route) -> Diagnostic:
    return Diagnostic(
        route.where,
        Code.TOO_MANY_COMBINATIONS,
        f"the conditions and guards of `{route.id}` combine in more than {MOST_COMBINATIONS:,} ways,"
        " too many to be looked through",
        "put some of them into one: a condition may name several keys, parameters or lists",
    )


class _Rules:
    """Everything that any of the routes asks of a request, one bit each."""

    def __init__(self, routes: Sequence[Route], segments: tuple[str, ...]) -> None:
        conditions = [extra.condition for route in routes for extra in route.requirement.extras]
        self._watched = list(dict.fromkeys(route.requirement.watched for route in routes))
        self._query = [test for condition in conditions for test in condition.query_tests]
        self._body = [test for condition in conditions for test in condition.body_tests]
        self._guards = [guard.test for route in routes for guard in route.requirement.guards]
        self._places = list(dict.fromkeys(map(_said_where, routes)))
        self._divisions = _divisions_of(routes)
        self._segments = segments

    def said_of(self, piece: _Piece) -> int:
        """The rules that a request with nothing but this piece meets (or breaks, for guards).

        What a request of several pieces meets is what any of them meets.
        """
        names = names_of(piece.pairs)
        facts = _facts(dict(piece.keys), OWN_NAME)
        inquiry = Inquiry(
            caller=_SOMEBODY, held=NOTHING_HELD, method="", segments=self._segments,
            query=piece.pairs, headers=_encoded(piece.headers), body=facts,
        )  # fmt: skip
        answers = (
            *(bool(repeated(piece.pairs, watched)) for watched in self._watched),
            *(bool(piece.pairs) and test(names, piece.pairs) for test in self._query),
            *(bool(piece.keys) and test(facts) for test in self._body),
            *(not test(facts, inquiry) for test in self._guards),
            *(answer for place in self._places for answer in self._said_at(place, inquiry)),
        )
        return sum(1 << number for number, answer in enumerate(answers) if answer)

    def _said_at(
        self, place: tuple[DivisionSource | None, str | None], inquiry: Inquiry
    ) -> Iterator[bool]:
        """Whether each of the divisions is meant, one that is none of them, or nobody knows what."""
        source, pin_header = place
        said: tuple[str, ...] | None = ()
        if pin_header is not None:
            if header_of(pin_header, inquiry) is not None:
                said = pinned_to(pin_header, 0, inquiry)
        elif source is not None and source.place is not DivisionPlace.PATH:
            said = given_in(source, inquiry)
        yield from (division in (said or ()) for division in self._divisions)
        yield bool(said) and not set(said or ()) <= self._divisions.keys()
        yield said is None


def _places(routes: Sequence[Route], segments: tuple[str, ...]) -> Iterator[list[_Piece]]:
    """Each name of the query and each key of the body that matters, with what may stand there."""
    samples = [extra.condition.samples for route in routes for extra in route.requirement.extras]
    samples += [guard.samples for route in routes for guard in route.requirement.guards]
    spoken = {folded_query_name(value) for sample in samples for _, value in sample.query}
    neutral = "1" if "1" not in spoken else _unlike(spoken)
    values: dict[str, dict[tuple[str, str], None]] = {}
    for name, value in (pair for sample in samples for pair in sample.query):
        pairs = values.setdefault(folded_query_name(name), {})
        pairs |= {(name, neutral): None, (name, value): None}
    watched = frozenset[str]().union(*(route.requirement.watched for route in routes))
    sources = [route.requirement.source for route in routes]
    divisions = [*_divisions_of(routes), _unlike(_divisions_of(routes))]
    for source in sources:
        if source is not None and source.place is DivisionPlace.QUERY:
            pairs = values.setdefault(folded_query_name(source.name), {})
            pairs |= {(source.name, division): None for division in divisions}
    for name, pairs in values.items():
        first = next(iter(pairs))
        twice = [_Piece((first, first))] if name in watched else []
        yield [*(_Piece((pair,)) for pair in pairs), *twice]
    yield from _headers(routes, divisions)
    keys = {folded(key): key for sample in reversed(samples) for key in reversed(sample.keys)}
    named = {
        folded(source.name): source.name
        for source in sources
        if source is not None and source.place is DivisionPlace.BODY
    }
    keys |= named
    if any(route.requirement.reads_body for route in routes):
        stranger = _unlike(keys)
        for key in (stranger, _unlike({*keys, stranger}), *keys.values()):
            more = divisions if folded(key) in named else ()
            yield [_Piece((), ((key, value),)) for value in (*_values(segments), *more)]


def _headers(routes: Sequence[Route], divisions: Sequence[str]) -> Iterator[list[_Piece]]:
    """Each header that says a division, with each of them, and with what names none."""
    names: dict[str, str] = {}
    for route in routes:
        source, pin_header = _said_where(route)
        if pin_header is not None:
            names[pin_header.lower()] = pin_header
        elif source is not None and source.place is DivisionPlace.HEADER:
            names[source.name.lower()] = source.name
    for name in names.values():
        yield [_Piece(headers=((name, value),)) for value in (*_sendable(divisions), "-")]


def _sendable(divisions: Iterable[str]) -> Iterator[str]:
    """Those that a header can say."""
    return (name for name in divisions if name.isascii() and name.isprintable())


def _looks_further(route: Route) -> bool:
    """Whether a request says more than its path that matters, besides what conditions ask for."""
    source, pin_header = _said_where(route)
    return pin_header is not None or (source is not None and source.place is not DivisionPlace.PATH)


def _said_where(route: Route) -> tuple[DivisionSource | None, str | None]:
    """Where the route's requests say their division: a source, or the header of a pinned service."""
    settled = route.settled is not None
    return (None, None) if settled else (route.requirement.source, route.pin_header)


def _divisions_of(routes: Iterable[Route]) -> dict[str, None]:
    return dict.fromkeys(division for route in routes for division in route.divisions)


def _values(segments: Iterable[str]) -> list[object]:
    """What a body's value may be, as far as any rule can tell, the plainest first."""
    return [*dict.fromkeys((_OTHER_NAME, *segments, OWN_NAME)), [], {}]


def _unlike(words: Collection[str]) -> str:
    """A word that is none of them."""
    return next(word for number in count(1) if (word := f"other{number}") not in words)
