"""The shape of every file an author writes: frozen models with no behaviour.

The sentence under each field is its documentation: it ends up in the JSON Schema that editors
read. What spans several entries (does this role exist, can these routes both match) is checked
elsewhere; here a value is right or wrong by itself.
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
    "AlsoEntry",
    "AnyOf",
    "CatalogueFile",
    "ChangedOperation",
    "Entry",
    "GroupEntry",
    "GuardEntry",
    "ListChange",
    "Maybe",
    "Name",
    "Names",
    "OperationEntry",
    "OverridesFile",
    "ParameterEntry",
    "PolicyFile",
    "RequiredItems",
    "Requires",
    "RoleEntry",
    "SentenceText",
    "SomeNames",
    "UserEntry",
    "WhenEntry",
    "form_of_requires",
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
_Word = Annotated[
    str, AfterValidator(_plain_word), WithJsonSchema({"type": "string", "pattern": _WORD.pattern})
]
SentenceText = Annotated[str, Field(min_length=1)]
Names = Annotated[tuple[Name, ...], Strict(False)]
SomeNames = Annotated[Names, Field(min_length=1)]
_ListOrNames = Annotated[
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


_Requires = Annotated[
    Annotated[Name, Tag("<name>")]
    | Annotated[RequiredItems, Tag("<list>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[AllOf, Tag("<all>")],
    Discriminator(
        form_of_requires,
        custom_error_type="wrong-type",
        custom_error_message=(
            "this must be a permission, a list of them, `{any: […]}`, `{all: […]}`,"
            " `authenticated` or `public`"
        ),
    ),
]
Requires = str | tuple[str | AnyOf, ...] | AnyOf | AllOf

# For the files that lie beside a policy and are written in the same way.


class WhenEntry(Entry):
    """What must be true of a request; several conditions must all be true."""

    query_has: Maybe[SomeNames] = None
    """A query parameter of one of these names is there, whatever its value. Names are compared
    decoded, trimmed and without case."""
    query_has_dotted_name: Maybe[Literal[True]] = None
    """A query parameter has a dot in its name: `{extension}.{attribute}=value`."""
    query_value_in: Maybe[Annotated[Mapping[Name, _ListOrNames], Field(min_length=1)]] = None
    """A query parameter (the key) has a value that is on a list; compared without case."""
    body_has_keys_outside: Maybe[_ListOrNames] = None
    """The body has a top-level key that is not on this list, whatever its value."""
    body_has_keys: Maybe[_ListOrNames] = None
    """The body has a top-level key that is on this list, whatever its value."""
    body_has_empty_list_outside: Maybe[_ListOrNames] = None
    """The body has an empty list under a top-level key that is not on this list."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("empty-value", "`when` names no condition")
        return self


class AlsoEntry(Entry):
    """What some requests of an operation need besides. It only ever adds."""

    when: Maybe[WhenEntry] = None
    """The requests that need it."""
    switch: Maybe[Name] = None
    """It counts only where the service turns this switch on."""
    requires: _Requires
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
    body_values_are_records_outside: Maybe[_ListOrNames] = None
    """Every value is an object or a list of objects, except under the keys of this list."""

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if len(self.model_fields_set - {"switch"}) != 1:
            raise PydanticCustomError("bad-value", "a guard holds exactly one rule")
        return self


class OperationEntry(Entry):
    """One operation: which requests it answers, and what they need."""

    request: str
    """Method and path template: `GET /profiles/{customer_id}`."""
    title: SentenceText = ""
    """What people call it."""
    requires: _Requires
    """What every request needs: a permission, `[a, b]`, `{any: [a, b]}`, `{all: [a, b]}`,
    `authenticated` (any caller who is known) or `public` (anybody)."""
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

    catalogue: _Word
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
    switches: Mapping[_Word, SentenceText] = {}
    """Stricter readings that a service may turn on: what each changes, and why."""
    operations: Annotated[Mapping[_Word, OperationEntry], Field(min_length=1)]
    """Every operation by its name."""


class ListChange(Entry):
    """How a list differs from the catalogue's."""

    add: Names = ()
    """Names to put on the list."""
    remove: Names = ()
    """Names to take off the list; each must be on it."""


class ChangedOperation(Entry):
    """How an operation differs from the catalogue's: what is given here replaces what is there."""

    requires: Maybe[_Requires] = None
    """What every request needs."""
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

    overrides: _Word
    """The name of the catalogue this is meant for."""
    lists: Mapping[Name, ListChange] = {}
    """Changes of the catalogue's lists."""
    parameters: Mapping[Name, ParameterEntry] = {}
    """Path parameters, described anew."""
    permissions: Mapping[Name, SentenceText] = {}
    """Further permissions."""
    operations: Mapping[_Word, ChangedOperation] = {}
    """Changes of the catalogue's operations."""
    extra_operations: Mapping[_Word, OperationEntry] = {}
    """Further operations."""


class RoleEntry(Entry):
    """A named set of permissions."""

    title: SentenceText = ""
    """What people call it."""
    enabled: bool = True
    """A role that is not enabled grants nothing, also where another role includes it."""
    includes: Names = ()
    """Roles whose permissions this role has too."""
    permissions: Names = ()
    """Permissions, by the names of the catalogues."""


class GroupEntry(Entry):
    """What the members of a group are given."""

    roles: Names = ()
    """Roles that every member has."""


class UserEntry(Entry):
    """What a user is given."""

    roles: Names = ()
    """Roles that the user has."""
    groups: Names = ()
    """Groups that the user belongs to."""


class PolicyFile(Entry):
    """Who may do what. Every file of the policy folder may hold any of these sections."""

    roles: Mapping[Name, RoleEntry] = {}
    """Roles by name."""
    users: Mapping[Name, UserEntry] = {}
    """Users by the name they are authenticated under."""
    groups: Mapping[Name, GroupEntry] = {}
    """Groups by name."""
    claims: Mapping[Name, Names] = {}
    """Values of a token's roles claim, and the roles that each of them means."""
