"""A role, a user, a group or a claim as the policy in force has it, to be looked at."""

import msgspec

from policy.diagnostics import Location
from policy.editing.effects import Reach, reach_of
from policy.holding import Held
from policy.inquiry import Caller, Kind, Means
from policy.origins import Origin, origins_of
from policy.table import DecisionTable

__all__ = ["HolderPortrait", "RolePortrait", "portrait_of_holder", "portrait_of_role"]


class RolePortrait(msgspec.Struct, frozen=True):
    """`own` and `inherited` are permissions; `users` have the role by name or through a group."""

    name: str
    title: str
    enabled: bool
    where: Location
    includes: tuple[str, ...]
    included_by: tuple[str, ...]
    own: tuple[str, ...]
    inherited: tuple[str, ...]
    users: tuple[str, ...]
    groups: tuple[str, ...]
    claims: tuple[str, ...]
    reach: Reach


class HolderPortrait(msgspec.Struct, frozen=True):
    """`permissions` pairs each one with every way by which it came."""

    name: str
    where: Location
    roles: tuple[str, ...]
    groups: tuple[str, ...]
    members: tuple[str, ...]
    permissions: tuple[tuple[str, tuple[Origin, ...]], ...]
    reach: Reach


def portrait_of_role(table: DecisionTable, name: str) -> RolePortrait:
    """The role of that name, which the table has."""
    role = table.roles[name]
    groups = tuple(group for group, given in table.groups.items() if name in given.roles)
    return RolePortrait(
        name=name,
        title=role.title,
        enabled=role.enabled,
        where=role.where,
        includes=role.includes,
        included_by=tuple(each.name for each in table.roles.values() if name in each.includes),
        own=table.names_of(role.own),
        inherited=table.names_of(_passed_on(table, name) & ~role.own),
        users=tuple(
            user
            for user, given in table.users.items()
            if name in given.roles or not set(groups).isdisjoint(given.groups)
        ),
        groups=groups,
        claims=tuple(claim for claim, given in table.claims.items() if name in given.roles),
        reach=reach_of(table, Held.everywhere_alike(role.mask | table.permissions.every_scope)),
    )


def _passed_on(table: DecisionTable, name: str) -> int:
    """What the included roles grant, also to a role that is switched off itself."""
    mask = 0
    for each in table.roles[name].includes:
        mask |= table.roles[each].mask
    return mask


def portrait_of_holder(table: DecisionTable, section: str, name: str) -> HolderPortrait:
    """What stands under that name in `users`, `groups`, `clients` or `claims`, where the table has it."""
    given = getattr(table, section)[name]
    caller = Caller(
        subject=name if section == "users" else "(unnamed)",
        kind=Kind.USER,
        means=Means.NONE,
        roles=frozenset(given.roles if section == "groups" else ()),
        claims=frozenset({name} if section == "claims" else ()),
    )
    if section == "clients":
        caller = Caller(subject=name, kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS)
    elif section != "users":
        caller = msgspec.structs.replace(caller, subject="")
    held = table.held_by(caller)
    members = [user for user, each in table.users.items() if name in each.groups]
    return HolderPortrait(
        name=name,
        where=given.where,
        roles=given.roles,
        groups=given.groups,
        members=tuple(members) if section == "groups" else (),
        permissions=tuple(
            (permission, tuple(origins_of(table, caller, permission)))
            for permission in table.names_of(held.anywhere)
        ),
        reach=reach_of(table, held),
    )
