"""Roles, and who is given which of them: what a policy's own files say, compiled."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from policy.diagnostics import Location

__all__ = ["Assignment", "Client", "Role"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role with everything it includes: `own` are the bits it names, `mask` is its closure."""

    name: str
    title: str
    enabled: bool
    own: int
    mask: int
    includes: tuple[str, ...]
    where: Location
    permission_places: Mapping[str, Location] = field(repr=False)


class Assignment(msgspec.Struct, frozen=True, gc=False):
    """What a user, a group or a value of the roles claim is given.

    `within` pairs those of the `roles` that are given in some divisions only with these divisions.
    """

    where: Location
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    within: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Client(Assignment, frozen=True):
    """What an OAuth client is given; of `scopes` only where it `use_scopes`."""

    scopes: tuple[str, ...] = ()
    use_scopes: bool = True
