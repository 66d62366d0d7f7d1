"""A request like one that was recorded: what it asked for is gone, what was decided is not.

A record names the operation and the conditions or guards that shaped the decision. A probe of that
operation for which the same ones speak is asked in its place.
"""

from policy.analysis.outcomes import outcome_of
from policy.analysis.probes import Probe, probes_of
from policy.analysis.questions import questions_of
from policy.decision import Reason
from policy.evaluator import decide
from policy.inquiry import Caller, Kind, Means
from policy.table import DecisionTable, Route

__all__ = ["probe_like"]

_ANYBODY = Caller(subject="(unnamed)", kind=Kind.USER, means=Means.NONE)


def probe_like(
    table: DecisionTable, route: Route, reason: Reason, because: tuple[str, ...]
) -> Probe | None:
    """The plainest request to `route` that is decided for that `reason`, `because` of the same.

    None if no request is: the operation has other rules than it had.
    """
    found = (question for question in questions_of(table) if question.routes == (route,))
    if (question := next(found, None)) is None:
        return None
    fitting = [
        (len(outcome.because), number, probe)
        for number, probe in enumerate(probes_of(question))
        if (outcome := outcome_of(route, probe)).barred is _BARRED.get(reason)
        and _speaks(table, probe, reason, because, outcome.because)
    ]
    return min(fitting)[-1] if fitting else None


# Why nobody at all is allowed; any other reason is about the caller.
_BARRED = {reason: reason for reason in (Reason.GUARD_FAILED, Reason.UNDECIDABLE)}


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
        decision = decide(
            table, probe.inquiry(_ANYBODY, table.permissions.mask_of(table.permissions))
        )
        return getattr(decision, "because", None) == because
    if reason is Reason.PERMISSION_MISSING:
        return set(because) <= set(said)
    return set(because) == set(said) or reason not in {Reason.PERMITTED, Reason.GUARD_FAILED}
