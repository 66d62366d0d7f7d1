"""Where a request says which division it is about.

A wrong answer here would be a hole: the upstream must not see another division, or none, where we saw
one. So whatever another reader could take otherwise (a name that is spelt in another case, an empty
value, a body's value that names nothing) is `UNCLEAR`, a division that no policy can grant anything
in: it is left to those whose grants count in all of them.
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum

import msgspec

from policy.holding import Held
from policy.inquiry import Inquiry, folded
from policy.predicates import folded_query_name

__all__ = [
    "UNCLEAR",
    "DivisionPlace",
    "DivisionSource",
    "given_in",
    "header_of",
    "is_one_name",
    "own_division",
    "pinned_to",
]

UNCLEAR = ""
"""Stands for a division that is given in a way that readers might disagree on."""

# A list of divisions is a filter of some user interface; nobody ticks so many of them by hand.
_MOST_GIVEN = 50

# What may stand in a header and is read alike by everybody: one name, no list (threat H-12).
_PINNED = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:@-]{0,62}[A-Za-z0-9])?")


class DivisionPlace(StrEnum):
    """Which part of a request."""

    PATH = "path"
    QUERY = "query"
    HEADER = "header"
    BODY = "body"


class DivisionSource(msgspec.Struct, frozen=True):
    """Where an operation's requests say their division.

    `name` is that of the parameter, header or key as the catalogue spells it; `position` is that of
    a path's segment.
    """

    place: DivisionPlace
    name: str
    position: int = 0

    def __str__(self) -> str:
        return f"{_CALLED[self.place]} `{self.name}`"


_CALLED = {
    DivisionPlace.PATH: "the path's",
    DivisionPlace.QUERY: "the query's",
    DivisionPlace.HEADER: "the header",
    DivisionPlace.BODY: "the body's",
}


def given_in(source: DivisionSource, inquiry: Inquiry) -> tuple[str, ...] | None:
    """The divisions that the request names, each once; None if only the body could tell.

    Empty if it names none.
    """
    found: Iterator[str]
    match source.place:
        case DivisionPlace.PATH:
            return (inquiry.segments[source.position],)
        case DivisionPlace.QUERY:
            found = _in_query(source.name, inquiry.query)
        case DivisionPlace.HEADER:
            value = header_of(source.name, inquiry)
            found = iter(()) if value is None else _listed(value)
        case DivisionPlace.BODY:
            if inquiry.body is None:
                return None
            found = _in_body(source.name, inquiry)
    given = tuple(dict.fromkeys(found))
    return given if len(given) <= _MOST_GIVEN else (UNCLEAR,)


def _in_query(name: str, query: Sequence[tuple[str, str]]) -> Iterator[str]:
    wanted = folded_query_name(name)
    for spelt, value in query:
        if spelt == name:
            yield from _listed(value)
        elif folded_query_name(spelt) == wanted:
            yield UNCLEAR


def _listed(value: str) -> Iterator[str]:
    """Lists are joined by commas by those who send them, the official SDKs among them."""
    return (piece.strip(" \t") for piece in value.split(","))


def _in_body(name: str, inquiry: Inquiry) -> Iterator[str]:
    body = inquiry.body
    if body is None or folded(name) not in body.values:
        return
    if body.spelt is not None and name not in body.spelt:
        yield UNCLEAR
        return
    value = body.values[folded(name)]
    yield from map(_named_by, value if isinstance(value, list) and value else [value])


def _named_by(value: object) -> str:
    """A division by its id, or the object that it is referred to by."""
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else UNCLEAR


def pinned_to(header: str, realm: int, inquiry: Inquiry) -> tuple[str, ...] | None:
    """The division that a request is confined to by the header of that name.

    Where the client says nothing, the only one that it has grants in for the permissions `realm`;
    none for whose grants count in all of them. None if what it says can be read in several ways.
    """
    said = header_of(header, inquiry)
    if said is not None:
        return (said,) if is_one_name(said) else None
    return own_division(inquiry.held, realm)


def header_of(name: str, inquiry: Inquiry) -> str | None:
    """What the header of that name says, None if it is not there."""
    value = inquiry.headers.get(name.lower().encode("ascii"))
    return None if value is None else value.decode("ascii", "replace")


def own_division(held: Held, realm: int) -> tuple[str, ...] | None:
    """The only division in which somebody holds something of `realm`, empty if there is not one.

    None if a header could not say it.
    """
    if held.everywhere & realm:
        return ()
    own = [division for division, bits in held.by_division.items() if bits & realm]
    if len(own) != 1:
        return ()
    return (own[0],) if is_one_name(own[0]) else None


def is_one_name(text: str) -> bool:
    """Whether a header that says this names one division, for whoever reads it."""
    return _PINNED.fullmatch(text) is not None
