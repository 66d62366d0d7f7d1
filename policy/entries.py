"""The shape of every file an author writes: frozen models with no behaviour.

The sentence under each field is its documentation: it ends up in the JSON Schema that editors
read. What spans several entries (does this role exist, can these routes both match) is checked
elsewhere; here a value is right or wrong by itself.

The models of a policy stand here; those of a catalogue, and the parts of both, are only passed on.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Discriminator, Strict, Tag

from policy.catalogue_entries import (
    AlsoEntry,
    CatalogueFile,
    ChangedOperation,
    DivisionEntry,
    GuardEntry,
    ListChange,
    OperationEntry,
    OverridesFile,
    ParameterEntry,
)
from policy.entry_parts import (
    AllOf,
    AnyOf,
    Entry,
    Maybe,
    Name,
    Names,
    RequiredItems,
    Requires,
    SentenceText,
    SomeNames,
    WhenEntry,
    form_of_requires,
)

__all__ = [
    "EVERYWHERE",
    "AllOf",
    "AlsoEntry",
    "AnyOf",
    "CatalogueFile",
    "ChangedOperation",
    "ClientEntry",
    "DivisionEntry",
    "Entry",
    "GrantEntry",
    "Granted",
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
    "divisions_of",
    "form_of_requires",
    "role_of",
]

EVERYWHERE = "*"
"""What `divisions` may say for all of them."""


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


class GrantEntry(Entry):
    """A role that is given in some divisions only."""

    role: Name
    """The role."""
    divisions: SomeNames
    """The ids of the divisions it is given in; `"*"` for all of them."""


def _form_of_grant(value: object) -> str | None:
    match value:
        case str():
            return "<name>"
        case dict() | GrantEntry():
            return "<grant>"
        case _:
            return None


_Grant = Annotated[
    Annotated[Name, Tag("<name>")] | Annotated[GrantEntry, Tag("<grant>")],
    Discriminator(
        _form_of_grant,
        custom_error_type="wrong-type",
        custom_error_message="this must be a role, or `{role: …, divisions: […]}`",
    ),
]
Granted = Annotated[tuple[_Grant, ...], Strict(False)]


def role_of(item: str | GrantEntry) -> str:
    """The role that an item of a list of roles gives."""
    return item if isinstance(item, str) else item.role


def divisions_of(item: str | GrantEntry) -> tuple[str, ...] | None:
    """The divisions in which an item gives its role, None for all of them."""
    if isinstance(item, str) or EVERYWHERE in item.divisions:
        return None
    return item.divisions


class GroupEntry(Entry):
    """What the members of a group are given."""

    roles: Granted = ()
    """Roles that every member has: in all divisions, or `{role: …, divisions: […]}`."""


class UserEntry(Entry):
    """What a user is given."""

    roles: Granted = ()
    """Roles that the user has: in all divisions, or `{role: …, divisions: […]}`."""
    groups: Names = ()
    """Groups that the user belongs to."""


class ClientEntry(Entry):
    """What a program is given that gets its tokens here by client credentials."""

    title: SentenceText = ""
    """What people call it."""
    roles: Granted = ()
    """Roles that the client has: in all divisions, or `{role: …, divisions: […]}`."""
    scopes: Names = ()
    """The scopes that it is authorized for. Both are needed, a permission and a scope, where an
    operation names scopes."""
    use_scopes: bool = True
    """Whether its scopes are asked for; if not, roles alone decide."""


class PolicyFile(Entry):
    """Who may do what. Every file of the policy folder may hold any of these sections."""

    roles: Mapping[Name, RoleEntry] = {}
    """Roles by name."""
    users: Mapping[Name, UserEntry] = {}
    """Users by the name they are authenticated under."""
    groups: Mapping[Name, GroupEntry] = {}
    """Groups by name."""
    clients: Mapping[Name, ClientEntry] = {}
    """OAuth clients by their ids; they are no users, and no user is one of them."""
    claims: Mapping[Name, Granted] = {}
    """Values of a token's roles claim, and the roles that each of them means."""
