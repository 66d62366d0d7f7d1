"""A request like one that was recorded: what it asked for is gone, what was decided is not.

A record names the operation, the conditions or guards that shaped the decision, and all conditions
that were true. A probe of that operation for which the same ones speak is asked in its place.
"""

from collections.abc import Collection

from policy.analysis.outcomes import outcome_of
from policy.analysis.probes import Probe, probes_of
from policy.analysis.questions import questions_of
from policy.decision import Reason
from policy.evaluator import decide
from policy.holding import NOTHING_HELD
from policy.inquiry import Caller, Kind, Means
from policy.predicates import Answer
from policy.route import Route
from policy.table import DecisionTable

__all__ = ["conditions_true_of", "probe_like"]

_ANYBODY = Caller(subject="(unnamed)", kind=Kind.USER, means=Means.NONE)


def probe_like(
    table: DecisionTable,
    route: Route,
    reason: Reason,
    because: tuple[str, ...],
    conditions: Collection[str] = (),
    divisions: tuple[str, ...] = (),
) -> Probe | None:
    """The plainest request to `route` that is decided for that `reason`, `because` of the same.

    If there is one, it is one of which just these `conditions` are true, and then one that is about
    the same `divisions`. None if no request is so
    decided: the operation has other rules than it had.
    """
    wanted = frozenset(conditions)
    probes = (
        probe
        for question in questions_of(table)
        if question.routes == (route,)
        for probe in probes_of(question)
    )
    fitting = [
        (
            conditions_true_of(route, probe) != wanted,
            outcome.divisions != divisions,
            len(outcome.because),
            number,
            probe,
        )
        for number, probe in enumerate(probes)
        if (outcome := outcome_of(route, probe)).barred in _barred(reason)
        and _speaks(table, probe, reason, because, outcome.because)
    ]
    return min(fitting)[-1] if fitting else None


def conditions_true_of(route: Route, probe: Probe) -> frozenset[str]:
    """The words of every condition that the request meets, whether it asks for more or not."""
    asked = probe.inquiry(_ANYBODY, NOTHING_HELD)
    return frozenset(
        extra.condition.text
        for extra in route.requirement.extras
        if extra.condition.answer(asked.query, asked.body) is Answer.YES
    )


_OF_REQUESTS = (Reason.GUARD_FAILED, Reason.UNDECIDABLE, Reason.CLOSED)

# Why nobody at all is allowed; any other reason is about the caller.
_BARRED = {reason: reason for reason in _OF_REQUESTS}


def _barred(reason: Reason) -> tuple[Reason | None, ...]:
    """What may bar everybody from a request that was decided for that reason."""
    if reason is Reason.NOT_AUTHENTICATED:
        return None, Reason.CLOSED  # strangers are told no more
    return (_BARRED.get(reason),)


def _speaks(
    table: DecisionTable,
    probe: Probe,
    reason: Reason,
    because: tuple[str, ...],
    said: tuple[str, ...],
) -> bool:
    """Whether the probe's rules are those of the record.

    A denial for want of permissions names only the conditions whose permissions were missing, so
    others may have been met besides.
    """
    if reason is Reason.UNDECIDABLE:
        decision = decide(table, probe.inquiry(_ANYBODY, table.everything))
        return getattr(decision, "because", None) == because
    if reason in {Reason.PERMISSION_MISSING, Reason.DIVISION_MISSING}:
        return set(because) <= set(said)
    return set(because) == set(said) or reason not in {Reason.PERMITTED, Reason.GUARD_FAILED}
