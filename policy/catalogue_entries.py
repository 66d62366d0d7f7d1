"""The shape of a catalogue, and of the overrides that a deployment lays over it."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, Strict, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from policy.entry_parts import (
    Entry,
    ListOrNames,
    Maybe,
    Name,
    Names,
    RequiresField,
    SentenceText,
    SomeNames,
    WhenEntry,
    Word,
)

__all__ = [
    "AlsoEntry",
    "CatalogueFile",
    "ChangedOperation",
    "DivisionEntry",
    "GuardEntry",
    "ListChange",
    "OperationEntry",
    "OverridesFile",
    "ParameterEntry",
]


class AlsoEntry(Entry):
    """What some requests of an operation need besides. It only ever adds."""

    when: Maybe[WhenEntry] = None
    """The requests that need it."""
    switch: Maybe[Name] = None
    """It counts only where the service turns this switch on."""
    requires: RequiresField
    """What they need: a permission, `[a, b]`, `{any: [a, b]}` or `{all: [a, b]}`."""

    @model_validator(mode="after")
    def _is_conditional(self) -> Self:
        if self.when is None and self.switch is None:
            advice = "add `when` or `switch`, or name it in the operation's own `requires`"
            said = "this is needed by every request"
            raise PydanticCustomError("pointless-rule", said, {"help": advice})
        return self


class GuardEntry(Entry):
    """What must hold of the body, whatever the caller may do. Give exactly one rule."""

    switch: Maybe[Name] = None
    """It counts only where the service turns this switch on."""
    body_value_equals_path: Maybe[Annotated[Mapping[Name, Name], Field(min_length=1)]] = None
    """The value under each of these keys, if there is one, is the text of this path parameter."""
    body_value_equals_caller: Maybe[Name] = None
    """The value under this key, if there is one, is the caller's own name."""
    body_values_are_records_outside: Maybe[ListOrNames] = None
    """Every value is an object or a list of objects, except under the keys of this list."""

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if len(self.model_fields_set - {"switch"}) != 1:
            raise PydanticCustomError("bad-value", "a guard holds exactly one rule")
        return self


_HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$")]


class DivisionEntry(Entry):
    """Where a request says which division it is about. Give exactly one place."""

    path: Maybe[Name] = None
    """A parameter of the path template."""
    query: Maybe[Name] = None
    """A query parameter; several values are several divisions."""
    header: Maybe[_HeaderName] = None
    """A header."""
    body: Maybe[Name] = None
    """A top-level key of the body."""

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if len(self.model_fields_set) != 1:
            said = "a division stands in exactly one place"
            raise PydanticCustomError("bad-value", said)
        return self


class OperationEntry(Entry):
    """One operation: which requests it answers, and what they need."""

    request: str
    """Method and path template: `GET /profiles/{customer_id}`."""
    title: SentenceText = ""
    """What people call it."""
    requires: RequiresField
    """What every request needs: a permission, `[a, b]`, `{any: [a, b]}`, `{all: [a, b]}`,
    `authenticated` (any caller who is known), `public` (anybody) or `nobody` (known, and closed)."""
    scopes: SomeNames = ()
    """Scopes, any one of which the caller's token must have besides; absent: none is asked for."""
    division: Maybe[DivisionEntry] = None
    """Where the request says which division it is about."""
    also: Annotated[tuple[AlsoEntry, ...], Strict(False)] = ()
    """What some requests need besides."""
    guards: Annotated[tuple[GuardEntry, ...], Strict(False)] = ()
    """What must hold of the body. A guard always has the body read."""
    body: Literal["required", "optional"] = "required"
    """Where rules read the body: whether a request may come without one (`optional`)."""


class ParameterEntry(Entry):
    """What a path parameter may look like."""

    alphabet: Literal["digits", "identifier", "dotted", "text"] = "identifier"
    """`digits`, `identifier` (letters, digits, `_` and `-`), `dotted` (with `.` besides) or
    `text` (any segment); letters and digits are those of ASCII, except in `text`."""
    max_length: Annotated[int, Field(ge=1, le=1024)] = 64
    """The most characters it may have."""
    excluded: SomeNames = Field((), alias="except")
    """Literals that are never this parameter."""


class CatalogueFile(Entry):
    """What an upstream can do: facts, which change with the upstream's version."""

    catalogue: Word
    """The catalogue's name."""
    title: SentenceText = ""
    """What people call it."""
    source: SentenceText = ""
    """Where the facts are from."""
    permissions: Mapping[Name, SentenceText]
    """Every permission, with the name that people see for it."""
    lists: Mapping[Name, Names] = {}
    """Lists of names that conditions refer to."""
    parameters: Mapping[Name, ParameterEntry] = {}
    """What path parameters may look like; those not described are identifiers of at most 64."""
    switches: Mapping[Word, SentenceText] = {}
    """Stricter readings that a service may turn on: what each changes, and why."""
    scopes: Names = ()
    """Every scope that there is. A scope that is not listed is taken for a slip."""
    division_aware: Names = ()
    """Permissions that count only in the divisions they are granted in."""
    interface_only: Mapping[Name, SentenceText] = {}
    """Permissions that exist and that no operation asks for (they show a page, or were withdrawn),
    with the name that people see. They may be granted, and open nothing."""
    overlaps: Literal["refuse", "literal-first"] = "refuse"
    """Two templates of which neither is closer: an error (`refuse`), or the one that has a literal
    first, from the left, is meant, with a warning where it matters (`literal-first`)."""
    operations: Annotated[Mapping[Word, OperationEntry], Field(min_length=1)]
    """Every operation by its name."""


class ListChange(Entry):
    """How a list differs from the catalogue's."""

    add: Names = ()
    """Names to put on the list."""
    remove: Names = ()
    """Names to take off the list; each must be on it."""


class ChangedOperation(Entry):
    """How an operation differs from the catalogue's: what is given here replaces what is there."""

    requires: Maybe[RequiresField] = None
    """What every request needs."""
    scopes: Maybe[Names] = None
    """Scopes, any one of which the caller's token must have besides; `[]` asks for none."""
    division: Maybe[DivisionEntry] = None
    """Where the request says which division it is about."""
    also: Maybe[Annotated[tuple[AlsoEntry, ...], Strict(False)]] = None
    """What some requests need besides."""
    guards: Maybe[Annotated[tuple[GuardEntry, ...], Strict(False)]] = None
    """What must hold of the body."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty-value", "this changes nothing")
        return self


class OverridesFile(Entry):
    """How a deployment differs from a shipped catalogue, without editing it."""

    overrides: Word
    """The name of the catalogue this is meant for."""
    lists: Mapping[Name, ListChange] = {}
    """Changes of the catalogue's lists."""
    parameters: Mapping[Name, ParameterEntry] = {}
    """Path parameters, described anew."""
    permissions: Mapping[Name, SentenceText] = {}
    """Further permissions."""
    scopes: ListChange = ListChange()
    """Changes of the scopes that there are."""
    division_aware: ListChange = ListChange()
    """Changes of which permissions count only in the divisions they are granted in."""
    interface_only: Mapping[Name, SentenceText] = {}
    """Further permissions that no operation asks for."""
    operations: Mapping[Word, ChangedOperation] = {}
    """Changes of the catalogue's operations."""
    extra_operations: Mapping[Word, OperationEntry] = {}
    """Further operations."""
