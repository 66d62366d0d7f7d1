"""What can become of one operation, or of one request: a *case* for each answer of its rules.

An operation has as many cases as its conditions and guards can answer differently. A request has
one, unless its outcome depends on a body that nobody has seen, or on the very name of its caller.
"""

from collections.abc import Iterable, Iterator

import msgspec

from policy.analysis.outcomes import Outcome, outcome_of, outcome_of_inquiry
from policy.analysis.probes import OWN_NAME, Probe, probes_of
from policy.analysis.questions import Question
from policy.holding import NOTHING_HELD
from policy.inquiry import BodyFacts, Caller, Inquiry, Kind, Means
from policy.route import Route

__all__ = ["Case", "cases_of", "cases_of_request"]

_UNNAMED = "(unnamed)"


class Case(msgspec.Struct, frozen=True):
    """One outcome, and a request that has it.

    `only` is the one caller for whom it is so: a guard compares the body with the caller's name.
    """

    outcome: Outcome
    example: Probe | None = None
    only: str | None = None


def cases_of(question: Question) -> tuple[Case, ...]:
    """Every outcome that the only route of `question` can have; the plainest request first."""
    (route,) = question.routes
    return _each_once(Case(outcome_of(route, probe), probe) for probe in probes_of(question))


def cases_of_request(route: Route | None, inquiry: Inquiry) -> tuple[Case, ...]:
    """Every outcome that `inquiry` can have at its route, whoever sends it.

    Several, if it depends on a body that is not there, or on the name of who sends it.
    """
    if route is None or route.settled is not None or not route.requirement.reads_body:
        return (Case(outcome_of_inquiry(route, inquiry)),)
    if inquiry.body is not None:
        return tuple(_with_names(route, inquiry, inquiry.body))
    question = Question(inquiry.method, inquiry.segments, (route,))
    # What differs in the query or a header alone is not asked: these are known.
    probes = (probe for probe in probes_of(question) if not (probe.query or probe.headers))
    return _each_once(Case(_with_the_body_of(probe, route, inquiry), probe) for probe in probes)


def _with_the_body_of(probe: Probe, route: Route, inquiry: Inquiry) -> Outcome:
    body = probe.inquiry(_called(OWN_NAME), NOTHING_HELD).body
    return outcome_of_inquiry(
        route, msgspec.structs.replace(inquiry, caller=_called(OWN_NAME), body=body)
    )


def _with_names(route: Route, inquiry: Inquiry, body: BodyFacts) -> Iterator[Case]:
    """The outcome for everybody, and for each caller whom the body names if it is another."""
    named = {value for value in body.values.values() if isinstance(value, str)}
    nobody = _UNNAMED
    while nobody in named:
        nobody += "_"

    def outcome_for(name: str) -> Outcome:
        asked = msgspec.structs.replace(inquiry, caller=_called(name))
        return outcome_of_inquiry(route, asked)

    usual = outcome_for(nobody)
    yield Case(usual)
    if route.requirement.guards:
        for name in sorted(named):
            if (outcome := outcome_for(name)) != usual:
                yield Case(outcome, only=name)


def _called(name: str) -> Caller:
    return Caller(subject=name, kind=Kind.USER, means=Means.NONE)


def _each_once(cases: Iterable[Case]) -> tuple[Case, ...]:
    found: dict[Outcome, Case] = {}
    for case in cases:
        found.setdefault(case.outcome, case)
    return tuple(found.values())
