"""A request like a recorded one is decided for the same reason, if the policy is the same."""

import msgspec
from hypothesis import HealthCheck, given, settings

import policy
from policy import BodyFacts, Decision, DecisionTable, Inquiry, Kind, PolicyDocument, Reason, Route
from policy.analysis import probe_like, questions_of
from policy.predicates import Answer
from tests.support.random_policies import blobs, policies
from tests.support.random_policies import questions_of as random_inquiries

thorough = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Made = tuple[PolicyDocument, DecisionTable]


def decided(table: DecisionTable, inquiry: Inquiry) -> Decision:
    seen = msgspec.structs.replace(inquiry, body=inquiry.body or BodyFacts({}))
    decision = policy.decide(table, seen)
    assert isinstance(decision, Decision)
    return decision


def decided_of(route: Route, inquiry: Inquiry) -> frozenset[str]:
    """The conditions that the request meets, asked one by one."""
    body = inquiry.body or BodyFacts({})
    conditions = [extra.condition for extra in route.requirement.extras]
    return frozenset(
        each.text for each in conditions if each.answer(inquiry.query, body) is Answer.YES
    )


@thorough
@given(policies(), blobs())
def test_a_probe_like_a_recorded_request_is_decided_alike(made: Made, blob: bytes) -> None:
    _, table = made
    for inquiry in random_inquiries(table, blob, 8):
        then = decided(table, inquiry)
        if then.route is None:
            continue
        reachable = any(each.routes == (then.route,) for each in questions_of(table))
        true = decided_of(then.route, inquiry)
        probe = probe_like(table, then.route, then.reason, then.because, true, then.divisions)
        if probe is None:
            assert not reachable or then.reason in _MIXED, then
            continue
        if then.divisions or then.route.aware:
            continue  # in which division it was does not always stand in a record
        now = decided(table, probe.inquiry(inquiry.caller, inquiry.held))
        assert now.route is then.route
        if then.reason is Reason.PERMITTED:
            assert decided_of(then.route, probe.inquiry(inquiry.caller, inquiry.held)) == true
        if then.reason is Reason.PERMISSION_MISSING or inquiry.caller.kind is Kind.ANONYMOUS:
            assert now.reason is then.reason, (then, now, probe)
        elif then.reason in {Reason.PERMITTED, Reason.NOT_ENFORCED}:
            assert (now.reason, now.because) == (then.reason, then.because)


# A guard may be broken, or a name repeated, in a request that is denied for another reason too;
# and several names repeated at once stand for themselves only.
_MIXED = {
    Reason.PERMISSION_MISSING, Reason.SCOPE_MISSING, Reason.DIVISION_MISSING, Reason.GUARD_FAILED,
    Reason.UNDECIDABLE,
}  # fmt: skip
