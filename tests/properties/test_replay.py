"""A replay says what deciding the request anew would say, or that it cannot tell."""

import msgspec
from hypothesis import HealthCheck, event, given, settings

import policy
from policy import BodyFacts, Caller, Decision, DecisionTable, Inquiry, Kind, PolicyDocument
from policy.analysis import Doubt, Recorded, Replay, Replayed, Standing
from tests.support.random_policies import blobs, policies, questions_of, with_other_assignments

thorough = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Made = tuple[PolicyDocument, DecisionTable]


def asked_of(table: DecisionTable, inquiry: Inquiry) -> Inquiry:
    """As a caller from the network asks it, which names no roles of its own."""
    caller = msgspec.structs.replace(inquiry.caller, roles=frozenset())
    body = inquiry.body or BodyFacts({})
    return msgspec.structs.replace(inquiry, caller=caller, held=table.held_by(caller), body=body)


def decided(table: DecisionTable, inquiry: Inquiry) -> Decision:
    """As the gateway does: the body is read where it has a say, and not otherwise."""
    asked = asked_of(table, inquiry)
    answer = policy.decide(table, msgspec.structs.replace(asked, body=None))
    if not isinstance(answer, Decision):
        answer = policy.decide(table, asked)
    assert isinstance(answer, Decision)
    return answer


def record_of(decision: Decision, inquiry: Inquiry) -> Recorded:
    return Recorded(
        method=inquiry.method,
        service=decision.route.service if decision.route else None,
        route=decision.route.id if decision.route else None,
        reason=decision.reason,
        because=decision.because,
        conditions=decision.conditions,
        unread=decision.unread,
        anonymous=inquiry.caller.kind is Kind.ANONYMOUS,
        divisions=decision.divisions,
    )


def standing_of(table: DecisionTable, caller: Caller) -> Standing:
    held = table.held_by(caller)
    return Standing(caller, held, held)


def replayed(table: DecisionTable, other: DecisionTable, inquiry: Inquiry) -> Replayed:
    asked = asked_of(table, inquiry)
    recorded = record_of(decided(table, inquiry), asked)
    return Replay(table, other).decided(recorded, standing_of(other, asked.caller))


@thorough
@given(policies(), blobs())
def test_a_replay_against_the_same_policy_flips_nothing(made: Made, blob: bytes) -> None:
    _, table = made
    for inquiry in questions_of(table, blob, 4):
        decision = decided(table, inquiry)
        found = replayed(table, table, inquiry)
        if decision.divisions and decision.route and decision.route.pin_header:
            assert found.effect in {None, decision.effect}  # was it said, or the only one there is?
        else:
            assert (found.doubt, found.effect) == (None, decision.effect)


@thorough
@given(policies(), policies(), blobs())
def test_a_replay_against_any_other_policy_agrees_with_deciding_anew(
    one: Made, other: Made, blob: bytes
) -> None:
    for table, against in ((one[1], other[1]), (other[1], one[1])):
        for inquiry in questions_of(table, blob, 3):
            assert_agrees(table, against, inquiry)


@thorough
@given(policies(), blobs(), blobs())
def test_a_replay_agrees_where_only_the_roles_are_others(
    made: Made, other: bytes, blob: bytes
) -> None:
    document, table = made
    against = with_other_assignments(document, other)
    assert against.rules == table.rules
    for inquiry in questions_of(table, blob, 4):
        assert_agrees(table, against, inquiry)


def assert_agrees(table: DecisionTable, against: DecisionTable, inquiry: Inquiry) -> None:
    found = replayed(table, against, inquiry)
    event(str(found.doubt or "known"))
    really = decided(against, inquiry)
    assert found.doubt is not Doubt.NOTHING_FITS, inquiry
    if found.doubt is None:
        assert found.effect is really.effect
        assert found.reason in {None, really.reason}
        assert found.route in {None, really.route}
        assert set(found.missing.all_of) <= set(really.missing.all_of)
