"""What the entries of every file are made of: names, and the ways to say what is required.

An unknown key is an error, types are never guessed, and a name is what it looks like. The models
of the files themselves lie in `catalogue_entries.py` and `entries.py`.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from policy.names import flaw_of

__all__ = [
    "AllOf",
    "AnyOf",
    "Entry",
    "ListOrNames",
    "Maybe",
    "Name",
    "Names",
    "RequiredItems",
    "Requires",
    "RequiresField",
    "SentenceText",
    "SomeNames",
    "WhenEntry",
    "Word",
    "form_of_requires",
    "groups_of",
]


_WORD = re.compile("^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")


def _readable(name: str) -> str:
    """This is a security file: a name must be what it looks like."""
    if flaw := flaw_of(name):
        raise PydanticCustomError("malformed-name", "{flaw}", {"flaw": flaw})
    return name


def _plain_word(name: str) -> str:
    """Operations and catalogues end up in metric labels and audit lines."""
    if not _WORD.fullmatch(name):
        advice = "use letters, digits, `.`, `_` and `-`, at most 128"
        said = "`{name}` is not a plain word"
        raise PydanticCustomError("malformed-name", said, {"name": name, "help": advice})
    return name


def _given(value: object) -> object:
    """A key with nothing after it is a slip, and never means that the key was left out."""
    if value is None:
        advice = "give it a value, or leave the key out"
        raise PydanticCustomError("wrong-type", "nothing is given here", {"help": advice})
    return value


def form_of_requires(value: object) -> str | None:
    """How an author wrote what may be written in several ways."""
    match value:
        case str():
            return "<name>"
        case list() | tuple():
            return "<list>"
        case {"any": _} | AnyOf():
            return "<any>"
        case dict() | AllOf():
            return "<all>"
        case _:
            return None


def _item_form(value: object) -> str | None:
    """Within a list there is less choice."""
    return "<any>" if isinstance(value, dict) else form_of_requires(value)


T = TypeVar("T")
Maybe = Annotated[T | None, BeforeValidator(_given)]
Name = Annotated[str, AfterValidator(_readable)]
Word = Annotated[
    str, AfterValidator(_plain_word), WithJsonSchema({"type": "string", "pattern": _WORD.pattern})
]
SentenceText = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Strict(False)]
SomeNames = Annotated[Names, Field(min_length=1)]
ListOrNames = Annotated[
    Annotated[Name, Tag("<name>")] | Annotated[SomeNames, Tag("<list>")],
    Discriminator(
        form_of_requires,
        custom_error_type="wrong-type",
        custom_error_message="this must be the name of a list, or a list of names",
    ),
]


class Entry(BaseModel):
    """Anything with keys: an unknown key is an error, and types are never guessed."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


class AnyOf(Entry):
    """One of these permissions is enough."""

    any: SomeNames
    """The permissions of which the caller needs one."""


RequiredItems = Annotated[
    tuple[
        Annotated[
            Annotated[Name, Tag("<name>")] | Annotated[AnyOf, Tag("<any>")],
            Discriminator(
                _item_form,
                custom_error_type="wrong-type",
                custom_error_message="this must be a permission, or `{any: […]}`",
            ),
        ],
        ...,
    ],
    Strict(False),
    Field(min_length=1),
]


class AllOf(Entry):
    """Every one of these permissions is needed."""

    all: RequiredItems
    """The permissions the caller needs; an item may be `{any: […]}`."""


RequiresField = Annotated[
    Annotated[Name, Tag("<name>")]
    | Annotated[RequiredItems, Tag("<list>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[AllOf, Tag("<all>")],
    Discriminator(
        form_of_requires,
        custom_error_type="wrong-type",
        custom_error_message=(
            "this must be a permission, a list of them, `{any: […]}`, `{all: […]}`,"
            " `authenticated`, `public` or `nobody`"
        ),
    ),
]
Requires = str | tuple[str | AnyOf, ...] | AnyOf | AllOf


def groups_of(requires: Requires) -> frozenset[frozenset[str]]:
    """The groups of permissions of each of which one is needed: equal however it was written."""
    match requires:
        case str():
            return frozenset({frozenset({requires})})
        case AnyOf():
            return frozenset({frozenset(requires.any)})
        case AllOf():
            return groups_of(requires.all)
        case _:
            return frozenset[frozenset[str]]().union(*map(groups_of, requires))


class WhenEntry(Entry):
    """What must be true of a request; several conditions must all be true."""

    query_has: Maybe[SomeNames] = None
    """A query parameter of one of these names is there, whatever its value. Names are compared
    decoded, trimmed and without case."""
    query_has_dotted_name: Maybe[Literal[True]] = None
    """A query parameter has a dot in its name: `{extension}.{attribute}=value`."""
    query_value_in: Maybe[Annotated[Mapping[Name, ListOrNames], Field(min_length=1)]] = None
    """A query parameter (the key) has a value that is on a list; compared without case."""
    body_has_keys_outside: Maybe[ListOrNames] = None
    """The body has a top-level key that is not on this list, whatever its value."""
    body_has_keys: Maybe[ListOrNames] = None
    """The body has a top-level key that is on this list, whatever its value."""
    body_has_empty_list_outside: Maybe[ListOrNames] = None
    """The body has an empty list under a top-level key that is not on this list."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty-value", "`when` names no condition")
        return self
