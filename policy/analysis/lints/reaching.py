"""Can an operation be reached at all: by a request, and by somebody who has the roles for it?"""

from collections.abc import Iterator, Sequence

from policy.analysis.lints.granting import grantors
from policy.analysis.lints.warnings import named, warning
from policy.analysis.population import Who, WhoKind, holdings_of
from policy.analysis.questions import Question
from policy.diagnostics import Code, Diagnostic
from policy.route import Access, Route
from policy.services import UseRole
from policy.table import DecisionTable

__all__ = ["reach_findings"]


def reach_findings(table: DecisionTable, questions: Sequence[Question]) -> Iterator[Diagnostic]:
    """Operations that no request finds, and those that nobody with an assignment may call."""
    yield from _shadowed(table, questions)
    yield from _unassigned(table)


def _shadowed(table: DecisionTable, questions: Sequence[Question]) -> Iterator[Diagnostic]:
    reached = {route.index for question in questions for route in question.routes if route}
    lost = {route.index: route for route in table.operations if route.index not in reached}
    if not lost:
        return
    takers: dict[int, dict[str, None]] = {index: {} for index in lost}
    for question in questions:
        for route in table.routes.matches(question.method, question.segments):
            if route.index in lost and (taker := question.routes[0]) is not None:
                takers[route.index][taker.id] = None
    for index, route in lost.items():
        said = f"no request reaches `{route.id}` ({route.method} {route.template})"
        if takers[index]:
            advice = f"what it would answer is taken by {named(takers[index])}, which are closer"
        else:
            advice = "no path fits its parameters; look at their `alphabet` and `except`"
        yield warning(route.where, Code.OPERATION_SHADOWED, said, advice)


def _unassigned(table: DecisionTable) -> Iterator[Diagnostic]:
    """What not even somebody could call who were every user, group and claim at once."""
    everybody = [
        *(Who(WhoKind.USER, name) for name in table.users),
        *(Who(WhoKind.GROUP, name) for name in table.groups),
        *(Who(WhoKind.CLAIM, name) for name in table.claims),
        *(Who(WhoKind.CLIENT, name) for name in table.clients),
    ]
    assigned = granted = table.permissions.every_scope
    for held in holdings_of(table, everybody):
        assigned |= held.anywhere
    for role in table.roles.values():
        granted |= role.mask
    granting = grantors(table)
    for route in table.operations:
        demand = route.requirement.demand
        if not _is_enforced(route) or demand.met_by(assigned) or not demand.met_by(granted):
            continue
        lacking = table.names_of(demand.unmet_by(assigned).bits & granted)
        roles = dict.fromkeys(role for name in lacking for role in granting.get(name, ()))
        said = f"nobody who is assigned anything may call `{route.id}` of `{route.service}`"
        advice = f"{named(lacking)} is granted by {named(roles)}, which nobody has"
        yield warning(route.where, Code.OPERATION_UNASSIGNED, said, advice)


def _is_enforced(route: Route) -> bool:
    return route.use_role is not UseRole.OFF and route.requirement.access is Access.PERMITTED
