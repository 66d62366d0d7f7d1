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
from policy.predicates import Query, names_of, repeated
from policy.table import DecisionTable, Extra, Route

__all__ = ["decide", "given_twice"]

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
            return _answer(route, Reason.UNDECIDABLE, list(map(given_twice, twice)))
        for extra in requirement.query_extras:
            if extra.condition.may_fire(names, query):
                fired.append(extra)
                met = met and extra.demand.met_by(held)
    if not met:
        return _denied(table, route, fired, held, _unread(route, _possible(route, names, query)))
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
    possible = _possible(route, names, inquiry.query)
    if body is None:
        if requirement.guards or not all(extra.demand.met_by(held) for extra in possible):
            return route.needs_body
        return _permitted(route, fired, _unread(route, possible))
    fired += [extra for extra in possible if extra.condition.fires_for(body)]
    if not all(extra.demand.met_by(held) for extra in fired):
        return _denied(table, route, fired, held)
    if failed := [guard.text for guard in requirement.guards if not guard.test(body, inquiry)]:
        return _answer(route, Reason.GUARD_FAILED, failed, fired=_in_order(route, fired))
    return _permitted(route, fired)


def given_twice(name: str) -> str:
    """Why nothing can be said of a request, in words."""
    return f"the query gives `{name}` more than once"


def _possible(route: Route, names: AbstractSet[str], query: Query) -> Sequence[Extra]:
    """What a look into the body might find true."""
    extras = route.requirement.body_extras
    return [extra for extra in extras if extra.condition.may_fire(names, query)]


def _unread(route: Route, possible: Sequence[Extra]) -> Sequence[str]:
    """The conditions of `possible`; nobody had to look."""
    if len(possible) == len(route.unread):
        return route.unread
    return [extra.condition.text for extra in possible]


def _permitted(route: Route, fired: Sequence[Extra], unread: Sequence[str] = ()) -> Decision:
    if len(fired) <= 1 and (not unread or unread is route.unread):
        if not fired:
            return route.permitted if unread else route.permitted_read
        ready = route.permitted_with if unread else route.permitted_read_with
        return ready[fired[0].condition.text]
    texts = _in_order(route, fired)
    return _answer(route, Reason.PERMITTED, texts, fired=texts, unread=unread)


def _denied(
    table: DecisionTable,
    route: Route,
    fired: Sequence[Extra],
    held: int,
    unread: Sequence[str] = (),
) -> Decision:
    """Deny, and name everything that is known to be missing."""
    if not fired and not held & route.anything and len(unread) == len(route.unread):
        return route.denied
    needed = Demand.joined((route.requirement.demand, *(extra.demand for extra in fired)))
    missing = table.permissions.missing_of(needed.unmet_by(held))
    unmet = [extra for extra in fired if not extra.demand.met_by(held)]
    return _answer(
        route,
        Reason.PERMISSION_MISSING,
        _in_order(route, unmet),
        missing,
        fired=_in_order(route, fired),
        unread=unread,
    )


def _in_order(route: Route, extras: Sequence[Extra]) -> Sequence[str]:
    """What the conditions say, in the order of the catalogue."""
    return [extra.condition.text for extra in route.requirement.extras if extra in extras]


def _answer(
    route: Route,
    reason: Reason,
    because: Sequence[str],
    missing: Missing = NOTHING,
    *,
    fired: Sequence[str] = (),
    unread: Sequence[str] = (),
) -> Decision:
    return Decision(
        reason=reason,
        policy=route.policy,
        route=route,
        missing=missing,
        because=tuple(because),
        conditions=tuple(fired),
        unread=tuple(unread),
    )
