"""What in a request made a condition true: the names of query parameters and of body keys.

Every test of a condition says yes as soon as *some* pair of the query, or some key of the body,
makes it. So whatever makes it by itself is a witness. Names only: values are nobody's business.
"""

from collections.abc import Iterator

from policy.diagnostics import visible
from policy.inquiry import BodyFacts
from policy.predicates import Condition, Query, names_of

__all__ = ["witnesses_of"]

_MOST = 5
_LONGEST = 64


def witnesses_of(condition: Condition, query: Query, body: BodyFacts | None) -> Iterator[str]:
    """One phrase for the names of the query, one for the keys of the body, if there are any."""
    names = [
        name
        for name, value in query
        if any(test(names_of(((name, value),)), ((name, value),)) for test in condition.query_tests)
    ]
    keys = [
        key
        for key, value in (body.values if body is not None else {}).items()
        if any(test(BodyFacts({key: value})) for test in condition.body_tests)
    ]
    if names:
        yield f"the query's {_listed(names)}"
    if keys:
        yield f"the body's {_listed(keys)}"


def _listed(names: list[str]) -> str:
    distinct = list(dict.fromkeys(names))
    shown = ", ".join(f"`{_short(visible(name))}`" for name in distinct[:_MOST])
    more = len(distinct) - _MOST
    return f"{shown} and {more} more" if more > 0 else shown


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
