"""The shape of every file an author writes: frozen models with no behaviour.

The sentence under each field is its documentation: it ends up in the JSON Schema that editors
read. What spans several entries (does this role exist, can these routes both match) is checked
elsewhere; here a value is right or wrong by itself.

The models of a policy stand here; those of a catalogue, and the parts of both, are only passed on.
"""

from collections.abc import Mapping

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
    "AllOf",
    "AlsoEntry",
    "AnyOf",
    "CatalogueFile",
    "ChangedOperation",
    "DivisionEntry",
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
