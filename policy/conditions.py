"""A condition or guard as written, and what it becomes: words, tests, and the facts it needs.

The words are for people: they end up in a decision's `because`, in the audit and in `explain`. They
say what was true of the request and never quote it.
"""

from collections.abc import Iterable, Mapping

from policy import predicates
from policy.entries import GuardEntry, WhenEntry
from policy.predicates import (
    BodyTest,
    Condition,
    GuardTest,
    QueryTest,
    Samples,
    folded_query_name,
)

__all__ = ["condition_of", "guard_of", "lists_of"]

Lists = Mapping[str, tuple[str, ...]]
ListOrNames = str | tuple[str, ...]


def condition_of(when: WhenEntry, lists: Lists) -> Condition:
    """`when`, compiled; its conditions must all be true."""
    query = list(_query_tests(when, lists))
    body = list(_body_tests(when, lists))
    watched = {*(when.query_has or ()), *(when.query_value_in or ())}
    return Condition(
        text=" and ".join(text for text, _ in (*query, *body)),
        query_tests=tuple(test for _, test in query),
        body_tests=tuple(test for _, test in body),
        watched=frozenset(map(folded_query_name, watched)),
        samples=Samples(tuple(_query_samples(when, lists)), tuple(_key_samples(when, lists))),
    )


def guard_of(
    guard: GuardEntry, lists: Lists, positions: Mapping[str, int]
) -> tuple[str, GuardTest, Samples]:
    """What a guard demands, in words and as a test, and the keys that make a difference to it;
    `positions` are the path's parameters.
    """
    if guard.body_value_equals_path is not None:
        pairs = guard.body_value_equals_path.items()
        text = " and ".join(f"body `{key}` must be the path's `{name}`" for key, name in pairs)
        test = predicates.equals_segments([(key, positions[name]) for key, name in pairs])
        return text, test, Samples((), tuple(guard.body_value_equals_path))
    if guard.body_value_equals_caller is not None:
        key = guard.body_value_equals_caller
        return (
            f"body `{key}` must be the caller", predicates.equals_caller(key), Samples((), (key,)),
        )  # fmt: skip
    outside = guard.body_values_are_records_outside or ()
    text = f"body values must be records outside {_words(outside)}"
    names = _names(outside, lists)
    return text, predicates.records_outside(names), Samples((), names)


def lists_of(entry: WhenEntry | GuardEntry) -> Iterable[tuple[tuple[str, ...], str]]:
    """Every list that `entry` refers to by name, with the path of the reference."""
    if isinstance(entry, GuardEntry):
        named: dict[tuple[str, ...], ListOrNames | None] = {
            ("body_values_are_records_outside",): entry.body_values_are_records_outside
        }
    else:
        named = {(key,): getattr(entry, key) for key, _, _ in _BODY_TESTS}
        named |= {
            ("query_value_in", key): value for key, value in (entry.query_value_in or {}).items()
        }
    return [(path, value) for path, value in named.items() if isinstance(value, str)]


_BODY_TESTS = (
    ("body_has_keys_outside", "body has keys outside", predicates.keys_outside),
    ("body_has_keys", "body has keys of", predicates.has_keys),
    (
        "body_has_empty_list_outside",
        "body has an empty list outside",
        predicates.empty_list_outside,
    ),
)


def _query_tests(when: WhenEntry, lists: Lists) -> Iterable[tuple[str, QueryTest]]:
    if when.query_has is not None:
        names = " or ".join(f"`{name}`" for name in when.query_has)
        yield f"query has {names}", predicates.has_names(when.query_has)
    if when.query_has_dotted_name is not None:
        yield "query has a name with a dot", predicates.has_dotted_name()
    for name, values in (when.query_value_in or {}).items():
        text = f"query value of `{name}` is among {_words(values)}"
        yield text, predicates.value_in(name, _names(values, lists))


def _body_tests(when: WhenEntry, lists: Lists) -> Iterable[tuple[str, BodyTest]]:
    for key, words, test in _BODY_TESTS:
        names: ListOrNames | None = getattr(when, key)
        if names is not None:
            yield f"{words} {_words(names)}", test(_names(names, lists))


def _query_samples(when: WhenEntry, lists: Lists) -> Iterable[tuple[str, str]]:
    yield from ((name, "") for name in when.query_has or ())
    if when.query_has_dotted_name is not None:
        yield "a.b", ""
    for name, values in (when.query_value_in or {}).items():
        yield from ((name, value) for value in _names(values, lists))


def _key_samples(when: WhenEntry, lists: Lists) -> Iterable[str]:
    for key, _, _ in _BODY_TESTS:
        names: ListOrNames | None = getattr(when, key)
        yield from _names(names or (), lists)


def _names(names: ListOrNames, lists: Lists) -> tuple[str, ...]:
    return lists[names] if isinstance(names, str) else names


def _words(names: ListOrNames) -> str:
    if isinstance(names, str):
        return f"`{names}`"
    return ", ".join(f"`{name}`" for name in names)
