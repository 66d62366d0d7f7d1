"""An operation as the machine uses it: what it demands, and the answers that lie ready on it.

Everything that can be known before a request comes is computed when a route is made, down to the
answers themselves: most decisions hand out a value that is there already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from policy.computed import set_computed
from policy.decision import Decision, Missing, NeedsBody, Reason
from policy.diagnostics import Location
from policy.divisions import DivisionPlace, DivisionSource
from policy.permissions import NO_DEMAND, Demand
from policy.rules import Extra, Guard
from policy.services import UseRole

__all__ = ["Access", "Requirement", "Route"]


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
            set_computed(
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
        set_computed(
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
        set_computed(
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
        set_computed(self, permitted_read=self.permitted, permitted_read_with=self.permitted_with)
        if unread:
            read_with = {text: permitted(text) for text in texts}
            set_computed(self, permitted_read=permitted(), permitted_read_with=read_with)
        set_computed(self, to_strangers=self.not_authenticated, settled=None)
        if needed.access is Access.PUBLIC:
            set_computed(self, to_strangers=self.permitted, settled=self.permitted)
        elif needed.access is Access.NOBODY:
            set_computed(self, settled=answer(Reason.CLOSED))
        elif self.use_role is UseRole.OFF:
            set_computed(self, settled=self.not_enforced)
        elif self.plain and not needed.demand:
            set_computed(self, settled=self.permitted)

    def __str__(self) -> str:
        return f"{self.id} ({self.method} {self.template})"
