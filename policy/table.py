"""The decision table: a policy as the machine uses it.

Immutable, shared by every request, replaced whole. Everything that can be known before a request
comes is computed when the table is built, down to the answers themselves: most decisions hand out
a value that lies ready on the route. A table knows nothing of files but where things were written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from policy.decision import Decision, Missing, NeedsBody, Reason
from policy.diagnostics import Diagnostic, Location
from policy.divisions import DivisionPlace, DivisionSource
from policy.grants import Assignment, Client, Role
from policy.holding import NOTHING_HELD, Held
from policy.inquiry import Caller, Kind, Means
from policy.permissions import NO_DEMAND, Demand, Permissions
from policy.routes import Routes
from policy.rules import Extra, Guard
from policy.services import UseRole

__all__ = [
    "Access",
    "Assignment",
    "Client",
    "DecisionTable",
    "Requirement",
    "Role",
    "Route",
    "Service",
]


_set = object.__setattr__
_NOWHERE = Location("")


def _put(frozen: object, **fields: object) -> None:
    """Set what is computed from the other fields, while the value is being made."""
    for name, value in fields.items():
        _set(frozen, name, value)


class Access(StrEnum):
    """Who may call an operation at all."""

    PUBLIC = "public"
    AUTHENTICATED = "authenticated"
    NOBODY = "nobody"
    PERMITTED = "permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What an operation demands. `extras` only ever add; they stand in the catalogue's order.

    `demand` is the floor: always needed. `ceiling` is the most that any query and any body could
    make of it: who holds that needs no look at the body, unless a guard wants one.

    Both ask for scopes as well, by one more group of bits. Of the bits `aware`, permissions that are
    asked for by division, those that this operation ever asks for are kept; `source` is where its
    requests say the division.
    """

    access: Access
    demand: Demand = NO_DEMAND
    extras: tuple[Extra, ...] = ()
    guards: tuple[Guard, ...] = ()
    aware: int = 0
    source: DivisionSource | None = None
    ceiling: Demand = field(init=False)
    query_extras: tuple[Extra, ...] = field(init=False)
    body_extras: tuple[Extra, ...] = field(init=False)
    reads_query: bool = field(init=False)
    reads_body: bool = field(init=False)
    watched: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        if not self.extras and not self.aware:  # as most are
            _put(
                self,
                ceiling=Demand.joined((self.demand,)),
                source=None,
                query_extras=(),
                body_extras=(),
                reads_query=False,
                reads_body=bool(self.guards),
                watched=frozenset(),
            )
            return
        conditions = [extra.condition for extra in self.extras]
        every = (self.demand, *(extra.demand for extra in self.extras))
        by_body = tuple(extra for extra in self.extras if extra.condition.body_test is not None)
        ceiling = Demand.joined(every)
        aware = self.aware & ceiling.bits
        source = self.source if aware else None
        body_says_division = source is not None and source.place is DivisionPlace.BODY
        _put(
            self,
            ceiling=ceiling,
            aware=aware,
            source=source,
            query_extras=tuple(extra for extra in self.extras if extra not in by_body),
            body_extras=by_body,
            reads_query=any(condition.reads_query for condition in conditions),
            reads_body=bool(by_body or self.guards or body_says_division),
            watched=frozenset[str]().union(*(condition.watched for condition in conditions)),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Route:
    """One operation of one service, as clients see it.

    `template` includes the service's prefix, `prefix_length` counts the prefix's segments,
    `parameters` pairs positions with names, and `index` is dense over the table.
    `body_optional` says that a request may come without a body, and then has no keys.
    The answers that depend on little but the route lie ready: `permitted`, `permitted_with` one
    condition, both also for whose body was read, `not_enforced`, `not_authenticated`,
    `needs_body`, and `denied`, for who holds nothing of the demand. `unread` are the conditions
    that look into the body, in words.
    `to_strangers` answers anonymous callers; `settled` answers every other caller, if one answer
    fits them all; `plain` means that only the demand counts. `choices` were written as one of one.

    `home` holds the division that is meant where a request names none, if the service has one.
    With a `pin_header` that header says it, and a caller needs a grant of some permission of `realm`
    there whatever the operation demands. `divisions` are all that the policy names, where it matters.
    """

    id: str
    service: str
    use_role: UseRole
    method: str
    template: str
    index: int
    prefix_length: int
    parameters: tuple[tuple[int, str], ...]
    body_optional: bool = False
    requirement: Requirement
    where: Location
    title: str = ""
    home: tuple[str, ...] = ()
    pin_header: str | None = None
    realm: int = field(default=0, repr=False)
    divisions: tuple[str, ...] = field(default=(), repr=False)
    policy: str = field(repr=False)
    missing: Missing = field(repr=False)
    choices: tuple[str, ...] = field(default=(), repr=False)

    plain: bool = field(init=False, repr=False)
    all_of: int = field(init=False, repr=False)
    any_of: tuple[int, ...] = field(init=False, repr=False)
    aware: int = field(init=False, repr=False)
    anything: int = field(init=False, repr=False)
    unread: tuple[str, ...] = field(init=False, repr=False)
    permitted: Decision = field(init=False, repr=False)
    permitted_with: Mapping[str, Decision] = field(init=False, repr=False)
    permitted_read: Decision = field(init=False, repr=False)
    permitted_read_with: Mapping[str, Decision] = field(init=False, repr=False)
    not_enforced: Decision = field(init=False, repr=False)
    not_authenticated: Decision = field(init=False, repr=False)
    denied: Decision = field(init=False, repr=False)
    needs_body: NeedsBody = field(init=False, repr=False)
    to_strangers: Decision = field(init=False, repr=False)
    settled: Decision | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        def answer(reason: Reason) -> Decision:
            return Decision(reason=reason, policy=self.policy, route=self)

        def permitted(*fired: str, unread: tuple[str, ...] = ()) -> Decision:
            return Decision(
                reason=Reason.PERMITTED,
                policy=self.policy,
                route=self,
                because=fired,
                conditions=fired,
                unread=unread,
            )

        needed = self.requirement
        texts = [extra.condition.text for extra in needed.extras]
        unread = tuple(extra.condition.text for extra in needed.body_extras)
        _put(
            self,
            unread=unread,
            plain=not needed.extras and not needed.guards and self.pin_header is None,
            aware=needed.aware,
            all_of=needed.demand.all_of,
            any_of=needed.demand.any_of,
            anything=needed.demand.bits,
            permitted=permitted(unread=unread),
            permitted_with={text: permitted(text, unread=unread) for text in texts},
            not_enforced=answer(Reason.NOT_ENFORCED),
            not_authenticated=answer(Reason.NOT_AUTHENTICATED),
            denied=Decision(
                reason=self.missing.reason,
                policy=self.policy,
                route=self,
                missing=self.missing,
                unread=unread,
            ),
            needs_body=NeedsBody(route=self),
        )
        _put(self, permitted_read=self.permitted, permitted_read_with=self.permitted_with)
        if unread:
            read_with = {text: permitted(text) for text in texts}
            _put(self, permitted_read=permitted(), permitted_read_with=read_with)
        _put(self, to_strangers=self.not_authenticated, settled=None)
        if needed.access is Access.PUBLIC:
            _put(self, to_strangers=self.permitted, settled=self.permitted)
        elif needed.access is Access.NOBODY:
            _put(self, settled=answer(Reason.CLOSED))
        elif self.use_role is UseRole.OFF:
            _put(self, settled=self.not_enforced)
        elif self.plain and not needed.demand:
            _put(self, settled=self.permitted)

    def __str__(self) -> str:
        return f"{self.id} ({self.method} {self.template})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service of the table; `lists` are those that the conditions of its catalogue refer to."""

    name: str
    prefix: str
    catalogue: str
    use_role: UseRole
    switches: tuple[str, ...]
    use_scopes: bool = True
    home_division: str | None = None
    pin_header: str | None = None
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DecisionTable:
    """A whole policy, compiled. `version` is a digest of everything it was made from.

    `mark` is what memories of one table are bound to: it is this table's alone, and holds nothing.
    `denials` are the evaluator's, by route and by what its callers held of what was asked for.
    `aware` are the permissions that some operation asks for by division.
    """

    version: str
    services: Mapping[str, Service]
    permissions: Permissions
    roles: Mapping[str, Role]
    users: Mapping[str, Assignment]
    groups: Mapping[str, Assignment]
    clients: Mapping[str, Client]
    claims: Mapping[str, Assignment]
    operations: tuple[Route, ...]
    routes: Routes[Route]
    findings: tuple[Diagnostic, ...] = ()
    no_route: Decision = field(init=False)
    to_strangers: Decision = field(init=False)
    mark: object = field(init=False, repr=False)
    denials: dict[tuple[int, int], Decision] = field(init=False, repr=False)
    aware: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        aware = 0
        for route in self.operations:
            aware |= route.aware | route.realm
        _put(
            self,
            mark=object(),
            denials={},
            aware=aware,
            no_route=Decision(reason=Reason.NO_ROUTE, policy=self.version),
            to_strangers=Decision(reason=Reason.NOT_AUTHENTICATED, policy=self.version),
        )

    @property
    def rules(self) -> str:
        """The version's first half: equal where services, catalogues and switches are the same."""
        return self.version[: len(self.version) // 2]

    def assignments_of(self, caller: Caller) -> tuple[Assignment, ...]:
        """Everything that gives `caller` roles: as a user or a client, by its groups and claims.

        A client that got its token here is no user, whatever it is called.
        """
        if caller.kind is Kind.ANONYMOUS:
            return ()
        found: list[Assignment] = []
        if caller.means is Means.CLIENT_CREDENTIALS:
            if (client := self.clients.get(caller.subject)) is not None:
                found.append(client)
        elif (user := self.users.get(caller.subject)) is not None:
            found.append(user)
            found.extend(self.groups[name] for name in user.groups)
        found.extend(self.groups[name] for name in sorted(caller.groups & self.groups.keys()))
        found.extend(self.claims[value] for value in sorted(caller.claims & self.claims.keys()))
        return tuple(found)

    def roles_of(self, caller: Caller) -> tuple[Role, ...]:
        """Every role `caller` has, each once; what they include is theirs to know."""
        names = dict.fromkeys(name for given in self.assignments_of(caller) for name in given.roles)
        if caller.kind is not Kind.ANONYMOUS:
            names |= dict.fromkeys(sorted(caller.roles & self.roles.keys()))
        return tuple(self.roles[name] for name in names)

    def divisions_of(self, caller: Caller, role: str) -> tuple[str, ...] | None:
        """The divisions in which `caller` has a role that it has, None if in all of them."""
        found: dict[str, None] = {}
        for given in self.assignments_of(caller):
            if role in given.roles:
                divisions = dict(given.within).get(role)
                if divisions is None:
                    return None
                found |= dict.fromkeys(divisions)
        if role in caller.roles:
            if caller.divisions is None:
                return None
            found |= dict.fromkeys(sorted(caller.divisions))
        return tuple(found)

    def held_by(self, caller: Caller) -> Held:
        """What `caller` holds, as bits: to be computed once per caller and table."""
        if caller.kind is Kind.ANONYMOUS:
            return NOTHING_HELD
        assignments = self.assignments_of(caller)
        if caller.roles:
            names = tuple(caller.roles & self.roles.keys())
            only = caller.divisions
            within = () if only is None else tuple((name, tuple(only)) for name in names)
            assignments = (*assignments, Assignment(_NOWHERE, names, within=within))
        return self.held_with(assignments, self._scopes_held_by(caller))

    def held_with(self, assignments: Iterable[Assignment], scopes: int) -> Held:
        """What these assignments give, without their groups, beside the bits of `scopes`."""
        everywhere = scopes
        within: dict[str, int] = {}
        for given in assignments:
            only = dict(given.within)
            for name in given.roles:
                mask = self.roles[name].mask
                if name not in only:
                    everywhere |= mask
                    continue
                for division in only[name]:
                    within[division] = within.get(division, 0) | mask
        return self._held(everywhere, within) if within else Held(everywhere, everywhere)

    def _held(self, everywhere: int, within: Mapping[str, int]) -> Held:
        anywhere = everywhere
        for mask in within.values():
            anywhere |= mask
        everywhere |= anywhere & ~self.aware
        counts = self.aware & ~everywhere
        by_division = {name: mask & counts for name, mask in within.items() if mask & counts}
        return Held(anywhere, everywhere, by_division)

    def _scopes_held_by(self, caller: Caller) -> int:
        """The scopes of the policy for a client, of the token for anybody else.

        What a token says itself narrows what its client was authorized for, and never widens it.
        """
        every = self.permissions.every_scope
        if not every:
            return 0
        said = caller.scopes
        if caller.means is not Means.CLIENT_CREDENTIALS:
            return 0 if said is None else self.permissions.scope_mask_of(said)
        client = self.clients.get(caller.subject)
        if client is None:
            return 0
        if not client.use_scopes:
            return every
        known = self.permissions.scope_mask_of
        return known(client.scopes) if said is None else known(said) & known(client.scopes)

    @property
    def everything(self) -> Held:
        """All that there is to hold, scopes among it, in all divisions."""
        names = self.permissions
        return Held.everywhere_alike(names.everything | names.every_scope)

    def names_of(self, mask: int) -> tuple[str, ...]:
        return self.permissions.names_of(mask)

    def __repr__(self) -> str:
        return (
            f"<DecisionTable {self.version}: {len(self.operations)} operations, "
            f"{len(self.roles)} roles, {len(self.permissions)} permissions>"
        )
