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
from policy.errors import PolicyInvalid
from policy.holding import NOTHING_HELD, Held
from policy.inquiry import BodyFacts, Caller, Inquiry, Kind, Means, folded
from policy.predicates import folded_query_name, names_of, repeated
from policy.table import Route

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

    def inquiry(self, caller: Caller, held: Held) -> Inquiry:
        """What is asked when `caller` sends it."""
        return Inquiry(
            caller=caller,
            held=held,
            method=self.question.method,
            segments=self.question.segments,
            query=self.query,
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
        """`PUT /profiles/1?x=1 {"Phone": "1"}`"""
        body = "" if not self.body else f" {json.dumps(self.body, ensure_ascii=False)}"
        return f"{self.question.method} {self.target}{body}"


def _facts(body: Mapping[str, object], subject: str) -> BodyFacts:
    other = "" if subject == _OTHER_NAME else _OTHER_NAME
    spoken = {OWN_NAME: subject, _OTHER_NAME: other}
    return BodyFacts({
        folded(key): spoken.get(value, value) if isinstance(value, str) else value
        for key, value in body.items()
    })  # fmt: skip


class _Piece(msgspec.Struct, frozen=True):
    """What a request may hold besides others: pairs of the query, or a key of the body."""

    pairs: _Pairs = ()
    keys: tuple[tuple[str, object], ...] = ()


def probes_of(question: Question) -> tuple[Probe, ...]:
    """At least one request for whatever the rules of the question's routes can say together.

    The first one is the plainest: no query, no key in the body. Raises PolicyInvalid if there are
    more than MOST_COMBINATIONS.
    """
    routes = [route for route in question.routes if route is not None]
    if all(route.plain for route in routes):
        return (Probe(question),)
    reads_body = any(route.requirement.reads_body for route in routes)
    rules = _Rules(routes, question.segments)
    found: dict[int, _Piece] = {0: _Piece()}
    for choices in _places(routes, question.segments):
        said = {rules.said_of(piece): piece for piece in reversed(choices)}
        for known, so_far in list(found.items()):
            for more, piece in said.items():
                if known | more not in found:
                    found[known | more] = _Piece(
                        so_far.pairs + piece.pairs, so_far.keys + piece.keys
                    )
                if len(found) > MOST_COMBINATIONS:
                    raise PolicyInvalid([_too_many(route) for route in routes if not route.plain])
    return tuple(
        Probe(question, piece.pairs, dict(piece.keys) if reads_body else None)
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
        self._segments = segments

    def said_of(self, piece: _Piece) -> int:
        """The rules that a request with nothing but this piece meets (or breaks, for guards).

        What a request of several pieces meets is what any of them meets.
        """
        names = names_of(piece.pairs)
        facts = _facts(dict(piece.keys), OWN_NAME)
        inquiry = Inquiry(caller=_SOMEBODY, held=NOTHING_HELD, method="", segments=self._segments)
        answers = (
            *(bool(repeated(piece.pairs, watched)) for watched in self._watched),
            *(bool(piece.pairs) and test(names, piece.pairs) for test in self._query),
            *(bool(piece.keys) and test(facts) for test in self._body),
            *(not test(facts, inquiry) for test in self._guards),
        )
        return sum(1 << number for number, answer in enumerate(answers) if answer)


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
    for name, pairs in values.items():
        first = next(iter(pairs))
        twice = [_Piece((first, first))] if name in watched else []
        yield [*(_Piece((pair,)) for pair in pairs), *twice]
    keys = {folded(key): key for sample in reversed(samples) for key in reversed(sample.keys)}
    if any(route.requirement.reads_body for route in routes):
        stranger = _unlike(keys)
        for key in (stranger, _unlike({*keys, stranger}), *keys.values()):
            yield [_Piece((), ((key, value),)) for value in _values(segments)]


def _values(segments: Iterable[str]) -> list[object]:
    """What a body's value may be, as far as any rule can tell, the plainest first."""
    return [*dict.fromkeys((_OTHER_NAME, *segments, OWN_NAME)), [], {}]


def _unlike(words: Collection[str]) -> str:
    """A word that is none of them."""
    return next(word for number in count(1) if (word := f"other{number}") not in words)
