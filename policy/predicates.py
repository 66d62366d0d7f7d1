"""The closures that conditions and guards become, and the folding they compare by.

A test answers yes or no about facts that are there. A `Condition` knows whether they are: a body
nobody looked at, or a watched query name that was sent twice, has no answer.

Both foldings are chosen so that doubt counts against the caller. A query name *triggers* a rule,
so it is folded as widely as any server might (`folded_query_name`); a body key *escapes* a rule by
being on a list, so it is folded as narrowly as UCS documents (`inquiry.folded`).
"""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from policy.inquiry import BodyFacts, Inquiry, folded

__all__ = [
    "Answer",
    "BodyTest",
    "Condition",
    "GuardTest",
    "Query",
    "QueryTest",
    "Recipe",
    "Samples",
    "empty_list_outside",
    "equals_caller",
    "equals_segments",
    "folded_query_name",
    "has_dotted_name",
    "has_keys",
    "has_names",
    "keys_outside",
    "names_of",
    "recipe_of",
    "records_outside",
    "repeated",
    "value_in",
]

Query = tuple[tuple[str, str], ...]
QueryTest = Callable[[AbstractSet[str], Query], bool]
BodyTest = Callable[[BodyFacts], bool]
GuardTest = Callable[[BodyFacts, Inquiry], bool]
Recipe = tuple[Callable[..., Any], tuple[object, ...]]

P = ParamSpec("P")
T = TypeVar("T", QueryTest, BodyTest, GuardTest)


def _recorded(factory: Callable[P, T]) -> Callable[P, T]:
    """Tests remember how they were made: a closure cannot be sent to another process, that can."""

    @wraps(factory)
    def make(*args: P.args, **kwargs: P.kwargs) -> T:
        kept = tuple(map(_kept, args))
        test: T = cast("Any", factory)(*kept, **kwargs)
        recipe: Recipe = (made_by[0], kept)
        vars(test)["recipe"] = recipe
        return test

    made_by: list[Callable[..., Any]] = [make]
    return make


def _kept(argument: Any) -> str | tuple[Any, ...]:
    """What may be given once only, such as an iterator, must be there a second time."""
    return argument if isinstance(argument, str) else tuple(argument)


def recipe_of(test: QueryTest | BodyTest | GuardTest) -> Recipe:
    """The factory of a test of ours, and what it was called with."""
    recipe: Recipe = vars(test)["recipe"]
    return recipe


# What some server may trim: Java's `trim` takes everything up to the space, others take more.
_TRIMMED = "".join(map(chr, range(0x21))) + "\x7f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"
_TRIMMED += "".join(map(chr, range(0x2000, 0x2010)))


def folded_query_name(name: str) -> str:
    """Trimmed and without case, so widely that no server's comparison finds more alike.

    Upper case first, because Java's `equalsIgnoreCase` does: it takes a dotless i for an i.
    """
    if name.isascii():
        # Nothing to trim from an identifier, and nearly every name is one.
        return name.lower() if name.isidentifier() else name.strip(_TRIMMED).lower()
    return name.strip(_TRIMMED).upper().casefold().replace("\u0307", "")


def names_of(query: Query) -> AbstractSet[str]:
    """The names of the query as conditions compare them."""
    return {folded_query_name(name) for name, _ in query}


def repeated(query: Query, watched: AbstractSet[str]) -> tuple[str, ...]:
    """The watched names that were given more than once: servers differ on which one counts."""
    seen, twice = set[str](), set[str]()
    for name, _ in query:
        folded_name = folded_query_name(name)
        (twice if folded_name in seen else seen).add(folded_name)
    return tuple(sorted(twice & watched))


class Answer(StrEnum):
    """What a condition says of a request: unknown is an answer of its own, never a no."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Samples:
    """What a request may hold that makes a difference to a rule: query pairs and body keys."""

    query: tuple[tuple[str, str], ...] = ()
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition, compiled.

    `query_tests` and `body_tests` must all say yes. Each says yes as soon as *some* pair of the
    query, or some key of the body, makes it: what is added to a request never turns a yes into a
    no. `watched` are the folded query names that must not be given twice.
    """

    text: str
    query_tests: tuple[QueryTest, ...] = ()
    body_tests: tuple[BodyTest, ...] = ()
    watched: frozenset[str] = frozenset()
    samples: Samples = Samples()
    may_fire: QueryTest = field(init=False, repr=False)
    body_test: BodyTest | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "may_fire", _every_query_test(self.query_tests))
        object.__setattr__(self, "body_test", _every_body_test(self.body_tests))

    def __reduce__(self) -> tuple[object, ...]:
        recipes = tuple(tuple(map(recipe_of, each)) for each in (self.query_tests, self.body_tests))
        return _condition, (self.text, *recipes, self.watched, self.samples)

    @property
    def reads_query(self) -> bool:
        return bool(self.query_tests)

    def answer(self, query: Query, body: BodyFacts | None) -> Answer:
        """The condition's answer by itself, for explanations."""
        if repeated(query, self.watched):
            return Answer.UNKNOWN
        if not self.may_fire(names_of(query), query):
            return Answer.NO
        if body is None and self.body_test is not None:
            return Answer.UNKNOWN
        return Answer.YES if body is None or self.fires_for(body) else Answer.NO

    def fires_for(self, body: BodyFacts) -> bool:
        """What the body says; yes, if it has no say."""
        return self.body_test is None or self.body_test(body)


def _condition(
    text: str,
    query_recipes: tuple[Recipe, ...],
    body_recipes: tuple[Recipe, ...],
    watched: frozenset[str],
    samples: Samples,
) -> Condition:
    return Condition(
        text=text,
        query_tests=tuple(make(*args) for make, args in query_recipes),
        body_tests=tuple(make(*args) for make, args in body_recipes),
        watched=watched,
        samples=samples,
    )


def _every_query_test(tests: tuple[QueryTest, ...]) -> QueryTest:
    """One test for all; without any, the query leaves everything open."""
    if len(tests) == 1:
        return tests[0]
    return lambda names, query: all(test(names, query) for test in tests)


def _every_body_test(tests: tuple[BodyTest, ...]) -> BodyTest | None:
    if len(tests) <= 1:
        return tests[0] if tests else None
    return lambda body: all(test(body) for test in tests)


@_recorded
def has_names(wanted: Iterable[str]) -> QueryTest:
    names = frozenset(map(folded_query_name, wanted))
    return lambda present, _query: not names.isdisjoint(present)


@_recorded
def has_dotted_name() -> QueryTest:
    def test(present: AbstractSet[str], _query: Query) -> bool:
        for name in present:  # noqa: SIM110 - cheaper than a generator, and this runs per request
            if "." in name:
                return True
        return False

    return test


@_recorded
def value_in(name: str, values: Iterable[str]) -> QueryTest:
    wanted_name = folded_query_name(name)
    wanted = frozenset(map(folded_query_name, values))

    def test(present: AbstractSet[str], query: Query) -> bool:
        return wanted_name in present and any(
            folded_query_name(key) == wanted_name and folded_query_name(value) in wanted
            for key, value in query
        )

    return test


@_recorded
def keys_outside(allowed: Iterable[str]) -> BodyTest:
    """A key that is not on the list counts whatever its value: `null` and `[]` are values."""
    names = frozenset(map(folded, allowed))
    return lambda body: not body.values.keys() <= names


@_recorded
def has_keys(wanted: Iterable[str]) -> BodyTest:
    names = frozenset(map(folded, wanted))
    return lambda body: not names.isdisjoint(body.values)


@_recorded
def empty_list_outside(allowed: Iterable[str]) -> BodyTest:
    names = frozenset(map(folded, allowed))
    return lambda body: any(value == [] for key, value in body.values.items() if key not in names)


@_recorded
def equals_segments(pairs: Iterable[tuple[str, int]]) -> GuardTest:
    """Each key is absent, or its value is the very text of that path segment."""
    wanted = tuple((folded(key), position) for key, position in pairs)

    def test(body: BodyFacts, inquiry: Inquiry) -> bool:
        return all(
            name not in body.values or body.values[name] == inquiry.segments[position]
            for name, position in wanted
        )

    return test


@_recorded
def equals_caller(key: str) -> GuardTest:
    """The key is absent, or its value is the caller's own name."""
    name = folded(key)

    def test(body: BodyFacts, inquiry: Inquiry) -> bool:
        return name not in body.values or body.values[name] == inquiry.caller.subject

    return test


@_recorded
def records_outside(allowed: Iterable[str]) -> GuardTest:
    """Every value is a JSON object or a list of objects, except those of the named keys."""
    names = frozenset(map(folded, allowed))

    def is_record(value: object) -> bool:
        if isinstance(value, list):
            return all(isinstance(item, dict) for item in value)
        return isinstance(value, dict)

    def test(body: BodyFacts, _inquiry: Inquiry) -> bool:
        return all(is_record(value) for key, value in body.values.items() if key not in names)

    return test
