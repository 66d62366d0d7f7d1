"""Clients whose roles and scopes do not fit together, and divisions that nobody can mean.

A permission is good for something only where a scope opens the same operation, and a scope only where
a permission does: what is missing on either side is seldom meant.
"""

from collections.abc import Iterator

from policy.analysis.lints.warnings import named, warning
from policy.diagnostics import Code, Diagnostic
from policy.grants import Assignment
from policy.inquiry import Caller, Kind, Means
from policy.route import Route
from policy.services import UseRole
from policy.table import DecisionTable

__all__ = ["gate_findings"]


def gate_findings(table: DecisionTable) -> Iterator[Diagnostic]:
    """What scopes shut out, scopes that open nothing, and a home division that is wanted."""
    scoped = [route for route in table.operations if _group_of(table, route)]
    for name, client in table.clients.items():
        if client.use_scopes and client.roles and scoped:
            caller = Caller(subject=name, kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS)
            yield from _client(table, name, table.held_by(caller).anywhere, scoped)
    yield from _homeless(table)


def _group_of(table: DecisionTable, route: Route) -> int:
    """The scopes that the operation asks for, as bits."""
    if route.use_role is UseRole.OFF:
        return 0
    every = table.permissions.every_scope
    return next((group for group in route.requirement.demand.any_of if group & every), 0)


def _client(
    table: DecisionTable, name: str, held: int, scoped: list[Route]
) -> Iterator[Diagnostic]:
    permissions, where = table.permissions, table.clients[name].where
    shut = opened = useful = 0
    for route in scoped:
        demand = route.requirement.demand
        if not demand.met_by(held | permissions.every_scope):
            continue
        group = _group_of(table, route)
        useful |= group
        if group & held:
            opened |= demand.bits
        else:
            shut |= demand.bits
    # What another operation asks for without a scope is of use all the same.
    for route in table.operations:
        if not _group_of(table, route):
            opened |= route.requirement.demand.bits
    if lost := permissions.names_of(shut & ~opened & held):
        said = f"the scopes of the client `{name}` shut out {named(lost)}, which its roles grant"
        advice = "authorize a scope of the operations that need it, or take the permission away"
        yield warning(where, Code.PERMISSION_SHUT_OUT, said, advice)
    if idle := permissions.scopes_of(held & permissions.every_scope & ~useful):
        said = f"{named(idle)} of the client `{name}` opens nothing that its roles permit"
        advice = "give it a role for that, or take the scope away"
        yield warning(where, Code.SCOPE_OPENS_NOTHING, said, advice)


def _homeless(table: DecisionTable) -> Iterator[Diagnostic]:
    """Services without a home division, where permissions are granted by division."""
    first = _first_by_division(table)
    for service in table.services.values():
        if service.home_division is not None or service.pin_header is not None:
            continue
        aware = 0
        for route in table.operations:
            if route.service == service.name and route.use_role is not UseRole.OFF:
                aware |= route.aware
        found = next(((given, mask) for given, mask in first if mask & aware), None)
        if found is not None:
            given, mask = found
            said = (
                f"{named(table.names_of(mask & aware))} is granted in some divisions only, and"
                f" `{service.name}` has no `home_division`"
            )
            advice = "requests that name no division are denied; set it, or grant in all (`*`)"
            yield warning(given.where, Code.HOME_DIVISION_UNSET, said, advice)


def _first_by_division(table: DecisionTable) -> list[tuple[Assignment, int]]:
    """Everybody who is given a role in some divisions only, with what that grants."""
    found = []
    for section in (table.users, table.groups, table.clients, table.claims):
        for given in section.values():
            mask = 0
            for role, _ in given.within:
                mask |= table.roles[role].mask
            if mask:
                found.append((given, mask))
    return found
