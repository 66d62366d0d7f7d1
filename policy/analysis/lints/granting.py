"""Does what is granted, and to whom, amount to anything?"""

from collections.abc import Iterator

from policy.analysis.lints.warnings import named, warning
from policy.catalogue import Operation, assemble
from policy.diagnostics import Code, Diagnostic, Location
from policy.document import PolicyDocument
from policy.requirements import named_in
from policy.services import UseRole
from policy.table import DecisionTable, Role

__all__ = ["grantors", "holders_findings", "permission_findings", "role_findings"]


def permission_findings(document: PolicyDocument, table: DecisionTable) -> Iterator[Diagnostic]:
    """Permissions that no operation needs, and those that some need and no role grants.

    What only a switch that is off would ask for is needed: turning it on is a matter of settings.
    """
    needed = {
        name
        for service in document.services
        for operation in assemble(service)[0].operations
        for name in _names_in(operation)
    }
    granted = 0
    for role in table.roles.values():
        granted |= role.mask
    missed: dict[str, list[str]] = {}
    for route in table.operations:
        if route.use_role is UseRole.OFF:
            continue
        demands = (route.requirement.demand, *(each.demand for each in route.requirement.extras))
        all_of = 0
        for demand in demands:
            all_of |= demand.all_of
        for name in table.names_of(all_of & ~granted):
            missed.setdefault(name, []).append(route.id)
    granting = grantors(table)
    for name, where in _permission_places(document).items():
        if name not in needed:
            held = f"; {named(granting[name])} has it in vain" if name in granting else ""
            said = f"no operation needs the permission `{name}`{held}"
            yield warning(where, Code.PERMISSION_UNUSED, said, "take it out, or name it in a rule")
        elif name in missed:
            said = f"no enabled role grants `{name}`, which {named(missed[name])} may need"
            yield warning(where, Code.PERMISSION_NOT_GRANTED, said)


def grantors(table: DecisionTable) -> dict[str, list[str]]:
    """For each permission the roles that name it."""
    found: dict[str, list[str]] = {}
    for role in table.roles.values():
        for name in role.permission_places:
            found.setdefault(name, []).append(role.name)
    return found


def _names_in(operation: Operation) -> Iterator[str]:
    for requires in (operation.requires, *(also.requires for also in operation.also)):
        yield from (name for _, name in named_in(requires))


def _permission_places(document: PolicyDocument) -> dict[str, Location]:
    """Where each permission is described first."""
    places: dict[str, Location] = {}
    for service in document.services:
        for written in filter(None, (service.catalogue, service.overrides)):
            for name, place in written.place.below("permissions"):
                places.setdefault(name, place.where(key=True))
    return places


def role_findings(table: DecisionTable) -> Iterator[Diagnostic]:
    """Roles that nobody has, and roles that grant what another grants already."""
    held = {name for role in table.roles.values() for name in role.includes}
    for section in (table.users, table.groups, table.clients, table.claims):
        for given in section.values():
            held.update(given.roles)
    first_with: dict[int, Role] = {}
    for role in table.roles.values():
        if not role.enabled:
            continue
        if role.name not in held:
            said = (
                f"nobody has the role `{role.name}`: no user, group, client or claim, no other role"
            )
            yield warning(role.where, Code.ROLE_UNASSIGNED, said, "assign it, or take it out")
        first = first_with.setdefault(role.mask, role)
        if role.mask and first is not role and not _includes_another(role, first):
            said = f"the role `{role.name}` grants exactly what `{first.name}` grants"
            advice = (
                f"the other is at {first.where}; assign one of them, or let one include the other"
            )
            yield warning(role.where, Code.ROLE_DUPLICATE, said, advice)


def _includes_another(one: Role, other: Role) -> bool:
    """A role that only includes another is a second name for it, and stays the same as it."""
    return other.name in one.includes or one.name in other.includes


def holders_findings(table: DecisionTable) -> Iterator[Diagnostic]:
    """Users, groups and claims that are given nothing. A role that is off is not nothing."""
    filled = {name for name, group in table.groups.items() if group.roles}
    for kind, section in (
        ("user", table.users),
        ("group", table.groups),
        ("client", table.clients),
        ("claim", table.claims),
    ):
        for name, given in section.items():
            if not given.roles and filled.isdisjoint(given.groups):
                said = f"the {kind} `{name}` is given no role"
                yield warning(
                    given.where, Code.ASSIGNMENT_EMPTY, said, "give it one, or take it out"
                )
