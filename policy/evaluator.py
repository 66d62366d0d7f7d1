"""`decide(table, inquiry)`: pure, total, deny by default.

The order of the questions is part of the promise. A public operation is open to everybody, and a
stranger hears nothing of any other, not even whether there is one. An unknown operation is denied
to everybody, and so is a closed one. Then everything that can be said without the body is said, and
if that is a denial it names all that is known to be missing: permissions that no grant gives, and
scopes; and where there is nothing of that, what is held but not in the division that the request is
about. The body is asked for only if the outcome still depends on it.

This runs for every request: on the usual way through it makes nothing and hands out an answer
that lies ready on the route.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from policy.decision import NOTHING, Decision, Missing, NeedsBody, Reason
from policy.ground import Ground, ground_of
from policy.inquiry import Inquiry, Kind
from policy.permissions import Demand
from policy.predicates import Query, names_of, repeated
from policy.route import Route
from policy.rules import Extra
from policy.table import DecisionTable

__all__ = ["decide", "given_twice", "not_one_division"]

_ANONYMOUS = Kind.ANONYMOUS
_NO_NAMES: AbstractSet[str] = frozenset()

# How many denials of callers who hold something of what is asked for lie ready.
_MOST_DENIALS = 10_000


def decide(table: DecisionTable, inquiry: Inquiry) -> Decision | NeedsBody:
    """The answer to `inquiry`, or the wish to see the body and be asked again."""
    route = table.routes.find(inquiry.method, inquiry.segments)
    if route is None:
        return table.no_route if inquiry.caller.kind is not _ANONYMOUS else table.to_strangers
    if inquiry.caller.kind is _ANONYMOUS:
        return route.to_strangers
    if route.settled is not None:
        return route.settled
    held = inquiry.held
    if not route.plain or (held.by_division and route.aware):
        return _weigh(table, route, inquiry)
    bits = held.anywhere
    if bits & route.all_of == route.all_of:
        for group in route.any_of:
            if not bits & group:
                break
        else:
            return route.permitted
    return _denied(table, route, (), bits)


def _weigh(table: DecisionTable, route: Route, inquiry: Inquiry) -> Decision | NeedsBody:
    """Decide where the query, the body or the division have a say."""
    requirement, query, held = route.requirement, inquiry.query, inquiry.held.anywhere
    met = requirement.demand.met_by(held)
    fired: list[Extra] = []
    names = _NO_NAMES
    ground = None
    if route.pin_header is not None or (inquiry.held.by_division and route.aware):
        ground = ground_of(route, inquiry)
        if ground is None:
            return _answer(route, Reason.UNDECIDABLE, [not_one_division(route.pin_header or "")])
    if query and requirement.reads_query:
        names = names_of(query)
        if len(names) < len(query) and (twice := repeated(query, requirement.watched)):
            said = list(map(given_twice, twice))
            return _answer(route, Reason.UNDECIDABLE, said, divisions=_pinned(ground))
        for extra in requirement.query_extras:
            if extra.condition.may_fire(names, query):
                fired.append(extra)
                met = met and extra.demand.met_by(held)
    if not met:
        unread = _unread(route, _possible(route, names, query))
        return _denied(table, route, fired, held, ground, unread)
    if ground is not None and ground.is_certain and not ground.bears(route, fired):
        unread = _unread(route, _possible(route, names, query))
        return _elsewhere(table, route, fired, ground, unread)
    if requirement.reads_body:
        return _weigh_body(table, route, inquiry, fired, names, ground)
    return _permitted(route, fired, (), ground)


def _weigh_body(
    table: DecisionTable,
    route: Route,
    inquiry: Inquiry,
    fired: list[Extra],
    names: AbstractSet[str],
    ground: Ground | None,
) -> Decision | NeedsBody:
    """Decide where everything but the body has been heard, and nothing was missing."""
    requirement, body, held = route.requirement, inquiry.body, inquiry.held.anywhere
    possible = _possible(route, names, inquiry.query)
    if body is None:
        if requirement.guards or not all(extra.demand.met_by(held) for extra in possible):
            return _needs_body(route, ground)
        if ground is not None and not ground.bears(route, (*fired, *possible)):
            return _needs_body(route, ground)
        return _permitted(route, fired, _unread(route, possible), ground)
    fired += [extra for extra in possible if extra.condition.fires_for(body)]
    if not all(extra.demand.met_by(held) for extra in fired):
        return _denied(table, route, fired, held, ground)
    if ground is not None and not ground.bears(route, fired):
        return _elsewhere(table, route, fired, ground)
    if failed := [guard.text for guard in requirement.guards if not guard.test(body, inquiry)]:
        divisions = () if ground is None else ground.needed_for(route, fired)
        conditions = _in_order(route, fired)
        return _answer(route, Reason.GUARD_FAILED, failed, fired=conditions, divisions=divisions)
    return _permitted(route, fired, (), ground)


def _needs_body(route: Route, ground: Ground | None) -> NeedsBody:
    divisions = _pinned(ground)
    return NeedsBody(route=route, divisions=divisions) if divisions else route.needs_body


def _pinned(ground: Ground | None) -> tuple[str, ...]:
    """The division of a pinned service, which has to be told even where the answer is a denial:
    a service that only watches lets the request through.
    """
    return ground.divisions if ground is not None and ground.realm else ()


def given_twice(name: str) -> str:
    """Why nothing can be said of a request, in words."""
    return f"the query gives `{name}` more than once"


def not_one_division(header: str) -> str:
    """Why nothing can be said of a request that says its division in an odd way, in words."""
    return f"the header `{header}` does not name one division"


def _possible(route: Route, names: AbstractSet[str], query: Query) -> Sequence[Extra]:
    """What a look into the body might find true."""
    extras = route.requirement.body_extras
    return [extra for extra in extras if extra.condition.may_fire(names, query)]


def _unread(route: Route, possible: Sequence[Extra]) -> Sequence[str]:
    """The conditions of `possible`; nobody had to look."""
    if len(possible) == len(route.unread):
        return route.unread
    return [extra.condition.text for extra in possible]


def _permitted(
    route: Route, fired: Sequence[Extra], unread: Sequence[str], ground: Ground | None
) -> Decision:
    divisions = () if ground is None else ground.needed_for(route, fired)
    if len(fired) <= 1 and not divisions and (not unread or unread is route.unread):
        if not fired:
            return route.permitted if unread else route.permitted_read
        ready = route.permitted_with if unread else route.permitted_read_with
        return ready[fired[0].condition.text]
    texts = _in_order(route, fired)
    return _answer(route, Reason.PERMITTED, texts, fired=texts, unread=unread, divisions=divisions)


def _denied(
    table: DecisionTable,
    route: Route,
    fired: Sequence[Extra],
    held: int,
    ground: Ground | None = None,
    unread: Sequence[str] = (),
) -> Decision:
    """Deny, and name everything that is known to be missing."""
    divisions = () if ground is None else _pinned(ground)
    if not fired and not divisions and len(unread) == len(route.unread):
        relevant = held & route.anything
        return _remembered(table, route, relevant) if relevant else route.denied
    needed = Demand.joined((route.requirement.demand, *(extra.demand for extra in fired)))
    missing = table.permissions.missing_of(needed.unmet_by(held))
    unmet = [extra for extra in fired if not extra.demand.met_by(held)]
    return _answer(
        route,
        missing.reason,
        _in_order(route, unmet),
        missing,
        fired=_in_order(route, fired),
        unread=unread,
        divisions=divisions,
    )


def _remembered(table: DecisionTable, route: Route, relevant: int) -> Decision:
    """The denial of a caller with these bits of all that the route asks for; the same for all such."""
    key = route.index, relevant
    known = table.denials.get(key)
    if known is None:
        unmet = route.requirement.demand.unmet_by(relevant)
        missing = table.permissions.missing_of(unmet)
        known = _answer(route, missing.reason, (), missing, unread=route.unread)
        if len(table.denials) >= _MOST_DENIALS:
            table.denials.clear()
        table.denials[key] = known
    return known


def _elsewhere(
    table: DecisionTable,
    route: Route,
    fired: Sequence[Extra],
    ground: Ground,
    unread: Sequence[str] = (),
) -> Decision:
    """Deny where everything is held, but not in the division that the request is about."""
    needed = Demand.joined((route.requirement.demand, *(extra.demand for extra in fired)))
    unmet = [extra for extra in fired if not ground.meets(extra.demand)]
    return _answer(
        route,
        Reason.DIVISION_MISSING,
        _in_order(route, unmet),
        table.permissions.missing_of(ground.unmet(needed), ground.divisions),
        fired=_in_order(route, fired),
        unread=unread,
        divisions=ground.divisions,
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
    divisions: tuple[str, ...] = (),
) -> Decision:
    return Decision(
        reason=reason,
        policy=route.policy,
        route=route,
        missing=missing,
        because=tuple(because),
        conditions=tuple(fired),
        unread=tuple(unread),
        divisions=divisions,
    )
