"""What a probe asks of its caller: the evaluator's answer, for all callers at once.

`decide` answers one caller. Here the same conditions and guards are asked, and what is left is a
demand: whoever meets it is allowed. A property test holds the two against each other.
"""

from collections.abc import Iterator

import msgspec

from policy.analysis.probes import OWN_NAME, Probe
from policy.decision import NOTHING, Missing, Reason
from policy.divisions import UNCLEAR, given_in, header_of, own_division, pinned_to
from policy.evaluator import not_one_division
from policy.holding import NOTHING_HELD, Held
from policy.inquiry import Caller, Inquiry, Kind, Means
from policy.permissions import NO_DEMAND, Demand
from policy.predicates import Answer
from policy.route import Access, Route
from policy.table import DecisionTable

__all__ = ["Outcome", "located", "missing_for", "outcome_of", "outcome_of_inquiry"]

_ASKING = Caller(subject=OWN_NAME, kind=Kind.USER, means=Means.NONE)


class Outcome(msgspec.Struct, frozen=True):
    """Who is allowed: nobody if there is no `demand`, and then `barred` says why.

    `because` are the conditions that added to the demand, or the guards that failed.
    `for_strangers` says that anonymous callers are allowed as well.

    Of the bits `aware` only those count that are held in `divisions`, or in all divisions; or in the
    caller's `own` one, where the service is pinned and the request does not say to which. With
    several divisions everything has to be met in each. Of the bits `realm`, unless there are none,
    one has to count whatever is demanded.
    """

    demand: Demand | None
    for_strangers: bool = False
    barred: Reason | None = None
    because: tuple[str, ...] = ()
    aware: int = 0
    divisions: tuple[str, ...] = ()
    realm: int = 0
    own: bool = False

    def counting(self, held: Held) -> tuple[int, ...]:
        """The bits of what somebody holds that count in each of the divisions that are meant."""
        if not self.aware:
            return (held.anywhere,)
        divisions = self.where(held)
        return (0,) if divisions is None else held.within(divisions, self.aware)

    def unmet_by(self, held: Held) -> Demand:
        """What of the demand is not met in one of the divisions."""
        demand = self.demand or NO_DEMAND
        return Demand.joined(demand.unmet_by(bits) for bits in self.counting(held))

    def where(self, held: Held) -> tuple[str, ...] | None:
        """The divisions that are meant when somebody asks who holds that; None if nobody can say."""
        return own_division(held, self.realm) if self.own else self.divisions

    def allows(self, held: Held) -> bool:
        """Whether somebody is allowed who is known, and holds that."""
        if self.demand is None:
            return False
        return all(
            self.demand.met_by(bits) and (not self.realm or bits & self.realm != 0)
            for bits in self.counting(held)
        )

    @property
    def clauses(self) -> Iterator[int]:
        """Groups of bits, of each of which one has to count."""
        if self.demand is not None:
            yield from self.demand.clauses
        if self.realm:
            yield self.realm

    @property
    def singly(self) -> "tuple[Outcome, ...]":
        """One outcome for each division: who is allowed by all of them is by this."""
        if len(self.divisions) <= 1:
            return (self,)
        return tuple(
            msgspec.structs.replace(self, divisions=(division,)) for division in self.divisions
        )

    @property
    def gate(self) -> "Outcome":
        """What matters to callers: equal for outcomes that allow the same."""
        return msgspec.structs.replace(self, because=())


def missing_for(table: DecisionTable, outcome: Outcome, held: Held) -> Missing:
    """What somebody lacks who holds that, in the words of a decision: what no grant gives, or else
    what is held, but not there.
    """
    demand = outcome.demand or NO_DEMAND
    if unmet := demand.unmet_by(held.anywhere):
        return table.permissions.missing_of(unmet)
    if outcome.demand is None or outcome.allows(held):
        return NOTHING
    return table.permissions.missing_of(outcome.unmet_by(held), outcome.where(held) or ())


def outcome_of(route: Route | None, probe: Probe) -> Outcome:
    """What `route`, one of those of the probe's question, makes of the probe."""
    return outcome_of_inquiry(route, probe.inquiry(_ASKING, NOTHING_HELD))


def outcome_of_inquiry(route: Route | None, inquiry: Inquiry) -> Outcome:
    """What `route` makes of `inquiry`, whatever its caller holds.

    Of the caller only the name counts, where a guard compares it. A body that rules read must be
    there.
    """
    if route is None:
        return Outcome(None, barred=Reason.NO_ROUTE)
    needed = route.requirement
    if route.settled is not None:
        if needed.access is Access.NOBODY:
            return Outcome(None, barred=Reason.CLOSED)
        return Outcome(NO_DEMAND, for_strangers=needed.access is Access.PUBLIC)
    if route.plain:
        return located(route, inquiry, needed.demand)
    if route.pin_header is not None and _pinned(route, inquiry) is None:
        because = not_one_division(route.pin_header)
        return Outcome(None, barred=Reason.UNDECIDABLE, because=(because,))
    answers = [
        (extra, extra.condition.answer(inquiry.query, inquiry.body)) for extra in needed.extras
    ]
    if unclear := [extra.condition.text for extra, answer in answers if answer is Answer.UNKNOWN]:
        return Outcome(None, barred=Reason.UNDECIDABLE, because=tuple(unclear))
    failed = [
        guard.text
        for guard in needed.guards
        if inquiry.body is not None and not guard.test(inquiry.body, inquiry)
    ]
    if failed:
        return Outcome(None, barred=Reason.GUARD_FAILED, because=tuple(failed))
    fired = [extra for extra, answer in answers if answer is Answer.YES]
    return located(
        route,
        inquiry,
        Demand.joined((needed.demand, *(extra.demand for extra in fired))),
        tuple(extra.condition.text for extra in fired),
    )


def located(
    route: Route, inquiry: Inquiry, demand: Demand, because: tuple[str, ...] = ()
) -> Outcome:
    """The outcome that asks for `demand`, as far as `route` does, and where it has to be held."""
    if route.pin_header is not None:
        said = header_of(route.pin_header, inquiry) is not None
        divisions = _pinned(route, inquiry) if said else ()
        return Outcome(
            demand, because=because, aware=route.realm, divisions=divisions or (),
            realm=route.realm, own=not said,
        )  # fmt: skip
    aware = route.aware & demand.bits
    if not aware:
        return Outcome(demand, because=because)
    source = route.requirement.source
    given = () if source is None else given_in(source, inquiry)
    divisions = given or route.home
    if UNCLEAR in divisions:
        divisions = ()  # which are those that only grants in all of them count in
    return Outcome(demand, because=because, aware=aware, divisions=divisions)


def _pinned(route: Route, inquiry: Inquiry) -> tuple[str, ...] | None:
    return pinned_to(route.pin_header or "", route.realm, inquiry)
