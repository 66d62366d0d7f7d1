"""What a probe asks of its caller: the evaluator's answer, for all callers at once.

`decide` answers one caller. Here the same conditions and guards are asked, and what is left is a
demand: whoever meets it is allowed. A property test holds the two against each other.
"""

import msgspec

from policy.analysis.probes import OWN_NAME, Probe
from policy.decision import Reason
from policy.holding import NOTHING_HELD
from policy.inquiry import Caller, Inquiry, Kind, Means
from policy.permissions import NO_DEMAND, Demand
from policy.predicates import Answer
from policy.table import Access, Route

__all__ = ["Outcome", "outcome_of", "outcome_of_inquiry"]

_ASKING = Caller(subject=OWN_NAME, kind=Kind.USER, means=Means.NONE)


class Outcome(msgspec.Struct, frozen=True):
    """Who is allowed: nobody if there is no `demand`, and then `barred` says why.

    `because` are the conditions that added to the demand, or the guards that failed.
    `for_strangers` says that anonymous callers are allowed as well.
    """

    demand: Demand | None
    for_strangers: bool = False
    barred: Reason | None = None
    because: tuple[str, ...] = ()


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
        return Outcome(NO_DEMAND, for_strangers=needed.access is Access.PUBLIC)
    if route.plain:
        return Outcome(needed.demand)
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
    return Outcome(
        Demand.joined((needed.demand, *(extra.demand for extra in fired))),
        because=tuple(extra.condition.text for extra in fired),
    )
