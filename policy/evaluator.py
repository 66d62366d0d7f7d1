"""`decide(table, inquiry)`: pure, total, deny by default.

The order of the questions is part of the promise. A public operation is open to everybody, and a
stranger hears nothing of any other, not even whether there is one. An unknown operation is denied
to everybody. Then everything that can be said without the body is said, and if that is a denial it
names all that is known to be missing. The body is asked for only if the outcome still depends on
it.

This runs for every request: on the usual way through it makes nothing and hands out an answer
that lies ready on the route.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from policy.decision import NOTHING, Decision, Missing, NeedsBody, Reason
from policy.inquiry import Inquiry, Kind
from policy.permissions import Demand
from policy.predicates import names_of, repeated
from policy.table import DecisionTable, Extra, Route

__all__ = ["decide"]

_ANONYMOUS = Kind.ANONYMOUS
_NO_NAMES: AbstractSet[str] = frozenset()


def decide(table: DecisionTable, inquiry: Inquiry) -> Decision | NeedsBody:
    """The answer to `inquiry`, or the wish to see the body and be asked again."""
    route = table.routes.find(inquiry.method, inquiry.segments)
    if route is None:
        return table.no_route if inquiry.caller.kind is not _ANONYMOUS else table.to_strangers
    if inquiry.caller.kind is _ANONYMOUS:
        return route.to_strangers
    if route.settled is not None:
        return route.settled
    if not route.plain:
        return _weigh(table, route, inquiry)
    held = inquiry.held
    if held & route.all_of == route.all_of:
        for group in route.any_of:
            if not held & group:
                break
        else:
            return route.permitted
    return _denied(table, route, (), held)


def _weigh(table: DecisionTable, route: Route, inquiry: Inquiry) -> Decision | NeedsBody:
    """Decide where the query or the body have a say."""
    requirement, query, held = route.requirement, inquiry.query, inquiry.held
    met = requirement.demand.met_by(held)
    fired: list[Extra] = []
    names = _NO_NAMES
    if query and requirement.reads_query:
        names = names_of(query)
        if len(names) < len(query) and (twice := repeated(query, requirement.watched)):
            because = [f"the query gives `{name}` more than once" for name in twice]
            return _answer(route, Reason.UNDECIDABLE, because)
        for extra in requirement.query_extras:
            if extra.condition.may_fire(names, query):
                fired.append(extra)
                met = met and extra.demand.met_by(held)
    if not met:
        return _denied(table, route, fired, held)
    if requirement.reads_body:
        return _weigh_body(table, route, inquiry, fired, names)
    return _permitted(route, fired)


def _weigh_body(
    table: DecisionTable,
    route: Route,
    inquiry: Inquiry,
    fired: list[Extra],
    names: AbstractSet[str],
) -> Decision | NeedsBody:
    """Decide where everything but the body has been heard, and nothing was missing."""
    requirement, body, held = route.requirement, inquiry.body, inquiry.held
    possible = [
        extra for extra in requirement.body_extras if extra.condition.may_fire(names, inquiry.query)
    ]
    if body is None:
        if requirement.guards or not all(extra.demand.met_by(held) for extra in possible):
            return route.needs_body
        return _permitted(route, fired)
    fired += [extra for extra in possible if extra.condition.fires_for(body)]
    if not all(extra.demand.met_by(held) for extra in fired):
        return _denied(table, route, fired, held)
    if failed := [guard.text for guard in requirement.guards if not guard.test(body, inquiry)]:
        return _answer(route, Reason.GUARD_FAILED, failed)
    return _permitted(route, fired)


def _permitted(route: Route, fired: Sequence[Extra]) -> Decision:
    if not fired:
        return route.permitted
    if len(fired) == 1:
        return route.permitted_with[fired[0].condition.text]
    return _answer(route, Reason.PERMITTED, _in_order(route, fired))


def _denied(table: DecisionTable, route: Route, fired: Sequence[Extra], held: int) -> Decision:
    """Deny, and name everything that is known to be missing."""
    if not fired and not held & route.anything:
        return route.denied
    needed = Demand.joined((route.requirement.demand, *(extra.demand for extra in fired)))
    missing = table.permissions.missing_of(needed.unmet_by(held))
    unmet = [extra for extra in fired if not extra.demand.met_by(held)]
    return _answer(route, Reason.PERMISSION_MISSING, _in_order(route, unmet), missing)


def _in_order(route: Route, extras: Sequence[Extra]) -> Sequence[str]:
    """What the conditions say, in the order of the catalogue."""
    return [extra.condition.text for extra in route.requirement.extras if extra in extras]


def _answer(
    route: Route, reason: Reason, because: Sequence[str], missing: Missing = NOTHING
) -> Decision:
    return Decision(
        reason=reason, policy=route.policy, route=route, missing=missing, because=tuple(because)
    )
