"""Who used what of all that is granted, from the lines of requests that were allowed.

A permission is *used* by an allowed request that demanded it: the operation needs it, or a
condition that was true does. Of several of which one is demanded, those that the caller holds
count as used. Where nobody looked into the body, what the body might have made necessary is used
*perhaps*, and never proposed to be taken away. A use counts for every role through which the
caller holds the permission, included roles among them, as the policy stands now.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import msgspec

from gateway.audit.redact import CUT
from gateway.learning.lines import Line, caller_of
from policy import Access, Caller, DecisionTable, Effect, Kind, Missing, Reason, Role, Route
from policy.analysis import Demand

__all__ = ["CallerUse", "Lack", "RoleUse", "Span", "Usage"]

_MOST_CALLERS = 200_000
_MOST_KEPT = 10_000


class Span(msgspec.Struct):
    """How many requests, and from when to when."""

    count: int = 0
    first: str = ""
    last: str = ""

    def add(self, time: str) -> None:
        self.count += 1
        if not self.first or time < self.first:
            self.first = time
        self.last = max(time, self.last)

    @property
    def days(self) -> float:
        """From the first to the last; 0 where they are no times."""
        try:
            passed = datetime.fromisoformat(self.last) - datetime.fromisoformat(self.first)
        except (ValueError, TypeError):
            return 0.0
        return passed.total_seconds() / 86_400


class Demanded(msgspec.Struct, frozen=True):
    """What requests of one kind demand: surely, and at most."""

    surely: Demand
    at_most: Demand


class RoleUse(msgspec.Struct, kw_only=True):
    """What was used of a role; `demands` are those parts of demands that it meets."""

    callers: int = 0
    used: int = 0
    perhaps: int = 0
    demands: set[Demand] = msgspec.field(default_factory=set)


class CallerUse(msgspec.Struct, kw_only=True):
    """What a caller used, in `demands`; `held` is what the policy grants it now."""

    subject: str
    claims: tuple[str, ...]
    caller: Caller
    held: int
    span: Span = msgspec.field(default_factory=Span)
    demands: set[Demanded] = msgspec.field(default_factory=set)
    seen: set[int] = msgspec.field(default_factory=set)

    @property
    def used(self) -> int:
        """What was used, surely or perhaps."""
        bits = 0
        for demanded in self.demands:
            bits |= demanded.at_most.bits
        return bits & self.held


class Lack(msgspec.Struct, frozen=True):
    """A caller that lacked one permission, or one of several, for an operation."""

    subject: str
    claims: tuple[str, ...]
    permissions: tuple[str, ...]
    operation: str


class Usage:
    """What lines say of the grants of `table`."""

    def __init__(self, table: DecisionTable) -> None:
        self._table = table
        self._routes = {(route.service, route.id): route for route in table.operations}
        self._demanded: dict[tuple[object, ...], tuple[Demanded, int] | None] = {}
        self._numbers: dict[Demanded, int] = {}
        self._closures: dict[str, frozenset[str]] = {}
        self.roles = {name: RoleUse() for name in table.roles}
        self.callers: dict[tuple[object, ...], CallerUse] = {}
        self.allowed, self.denied = Span(), Span()
        self.unknown_operations = self.undecided = self.callers_left_out = 0
        self.lacks: Counter[Lack] = Counter()
        self.lack_examples: dict[Lack, str] = {}
        self.seen_users: set[str] = set()
        self.seen_claims: set[str] = set()

    def __repr__(self) -> str:
        return f"<Usage of {self.allowed.count} requests by {len(self.callers)} callers>"

    def add(self, line: Line) -> None:
        """Count one more line."""
        reason = line.decision
        if reason is None:
            self.undecided += 1
            return
        if line.kind is Kind.ANONYMOUS:
            return
        if line.subject in self._table.users:
            self.seen_users.add(line.subject)
        if line.claims:
            self.seen_claims.update(self._table.claims.keys() & set(line.claims))
        if reason.effect is Effect.ALLOW:
            self._allowed(line)
        elif reason is Reason.PERMISSION_MISSING:
            self._denied(line)

    # What was allowed

    def _allowed(self, line: Line) -> None:
        self.allowed.add(line.time)
        found = self._demanded_by(line)
        if found is None:
            self.unknown_operations += 1
            return
        demanded, number = found
        key = line.subject, line.claims
        use = self.callers.get(key)
        if use is None:
            caller = caller_of(line)
            use = CallerUse(
                subject=line.subject,
                claims=line.claims,
                caller=caller,
                held=self._table.held_by(caller).anywhere,
            )
            if len(self.callers) < _MOST_CALLERS:
                self.callers[key] = use
                for name in self._roles_of(use):
                    self.roles[name].callers += 1
            else:
                self.callers_left_out += 1
        use.span.add(line.time)
        if number not in use.seen:
            use.seen.add(number)
            demanded = _within(demanded, use.held)
            use.demands.add(demanded)
            self._credit(use, demanded)

    def _credit(self, use: CallerUse, demanded: Demanded) -> None:
        for name in self._roles_of(use):
            mask, role = self._table.roles[name].mask, self.roles[name]
            role.used |= demanded.surely.bits & mask
            role.perhaps |= demanded.at_most.bits & mask
            groups = tuple(group & mask for group in demanded.at_most.any_of if group & mask)
            if part := Demand(demanded.at_most.all_of & mask, groups):
                role.demands.add(part)

    def _roles_of(self, use: CallerUse) -> frozenset[str]:
        """Every role that the caller has or might have, included ones among them."""
        if use.subject.endswith(CUT) or any(claim.endswith(CUT) for claim in use.claims):
            return frozenset(self.roles)
        found = frozenset[str]()
        for role in self._table.roles_of(use.caller):
            found |= self._closure(role)
        return found

    def _closure(self, role: Role) -> frozenset[str]:
        found = self._closures.get(role.name)
        if found is None:
            names, waiting = set[str](), [role]
            while waiting:
                one = waiting.pop()
                if one.enabled and one.name not in names:
                    names.add(one.name)
                    waiting += (self._table.roles[name] for name in one.includes)
            found = self._closures[role.name] = frozenset(names)
        return found

    def _demanded_by(self, line: Line) -> tuple[Demanded, int] | None:
        key = line.service, line.route, line.conditions, line.unread, line.policy, line.reason
        if key not in self._demanded:
            if len(self._demanded) >= _MOST_KEPT:
                self._demanded.clear()
            demanded = self._looked_up(line)
            self._demanded[key] = (
                None
                if demanded is None
                else (demanded, self._numbers.setdefault(demanded, len(self._numbers)))
            )
        return self._demanded[key]

    def _looked_up(self, line: Line) -> Demanded | None:
        route = self._routes.get((line.service or "", line.route or ""))
        if route is None:
            return None
        needed = route.requirement
        if needed.access is Access.PUBLIC:
            return Demanded(Demand(), Demand())
        same_rules = line.policy.startswith(self._table.rules)
        if not same_rules or CUT in line.conditions or line.reason == Reason.NOT_ENFORCED:
            return Demanded(needed.demand, needed.ceiling)
        surely = Demand.joined((needed.demand, *_demands_of(route, line.conditions)))
        return Demanded(surely, Demand.joined((surely, *_demands_of(route, line.unread))))

    # What was denied

    def _denied(self, line: Line) -> None:
        self.denied.add(line.time)
        missing = line.missing or Missing()
        names = (*((name,) for name in missing.all_of), *missing.any_of)
        if len(names) != 1:
            return
        lack = Lack(line.subject, line.claims, names[0], line.route or "")
        if lack not in self.lacks and len(self.lacks) >= _MOST_CALLERS:
            return
        self.lacks[lack] += 1
        self.lack_examples.setdefault(lack, line.id)

    # What follows

    def unused(self, name: str) -> int:
        """What the role grants, included roles among it, and nobody used, not even perhaps."""
        use = self.roles[name]
        return self._table.roles[name].mask & ~(use.used | use.perhaps)

    def unseen_users_with(self, name: str) -> list[str]:
        """Users that have the role, perhaps by way of others, and of whom there is no line."""
        return [
            user
            for user, given in self._table.users.items()
            if user not in self.seen_users
            and any(
                name in self._closure(self._table.roles[role])
                for part in (given, *(self._table.groups[group] for group in given.groups))
                for role in part.roles
            )
        ]

    def removable(self) -> dict[str, int]:
        """What each role names itself and nobody used, of roles that somebody with them was seen."""
        return {
            name: bits
            for name, use in self.roles.items()
            if use.callers and (bits := self._table.roles[name].own & self.unused(name))
        }

    def still_met_by(self, table: DecisionTable) -> bool:
        """Whether everybody who was seen could do by `table` all that they did."""
        return all(
            demanded.at_most.met_by(table.held_by(use.caller).anywhere)
            for use in self.callers.values()
            for demanded in use.demands
            if demanded.at_most.met_by(use.held)
        )


def _within(demanded: Demanded, held: int) -> Demanded:
    """Nobody needed perhaps what he does not hold: he was allowed without."""
    at_most = demanded.at_most
    if at_most.met_by(held):
        return demanded
    groups = tuple(group for group in at_most.any_of if group & held)
    return Demanded(
        demanded.surely, Demand.joined((demanded.surely, Demand(at_most.all_of & held, groups)))
    )


def _demands_of(route: Route, conditions: tuple[str, ...]) -> Iterator[Demand]:
    return (
        extra.demand for extra in route.requirement.extras if extra.condition.text in conditions
    )
