"""The compiled evaluator says what a plain reading of the documents says, for any policy."""

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

import policy
from policy import Decision, DecisionTable, Effect, Kind, NeedsBody, PolicyDocument, Reason
from policy.divisions import header_of
from policy.predicates import Answer
from tests.support.random_policies import blobs, policies, questions_of
from tests.support.reference import NEEDS_BODY, Verdict, reference

thorough = settings(
    max_examples=2000,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
usual = settings(thorough, max_examples=400)

QUESTIONS = 6


def as_verdict(answer: Decision | NeedsBody) -> Verdict:
    service, operation = (answer.route.service, answer.route.id) if answer.route else ("", "")
    if isinstance(answer, NeedsBody):
        return Verdict(NEEDS_BODY, service, operation, divisions=frozenset(answer.divisions))
    missing = answer.missing
    return Verdict(
        answer.reason,
        service,
        operation,
        frozenset(missing.all_of),
        frozenset(map(frozenset, missing.any_of)),
        frozenset(missing.scopes),
        frozenset(missing.divisions),
        frozenset(answer.divisions),
    )


@pytest.mark.timeout(900)
@thorough
@given(policies(), blobs())
def test_compiled_evaluator_agrees_with_the_reference(
    made: tuple[PolicyDocument, DecisionTable], blob: bytes
) -> None:
    document, table = made
    for inquiry in questions_of(table, blob, QUESTIONS):
        answer = policy.decide(table, inquiry)
        assert as_verdict(answer) == reference(document, inquiry)
        if isinstance(answer, Decision):
            allows = {"permitted", "not-enforced"}
            assert answer.effect is (Effect.ALLOW if answer.reason in allows else Effect.DENY)
            assert answer.policy == table.version
            if answer.reason in {Reason.PERMISSION_MISSING, Reason.SCOPE_MISSING}:
                assert answer.missing
            elif answer.reason is not Reason.DIVISION_MISSING:
                assert not answer.missing


@usual
@given(policies(), blobs())
def test_a_further_permission_never_turns_an_allow_into_a_deny(
    made: tuple[PolicyDocument, DecisionTable], blob: bytes
) -> None:
    _, table = made
    (inquiry,) = questions_of(table, blob, 1)
    route = table.routes.find(inquiry.method, inquiry.segments)
    if route is not None and route.pin_header and header_of(route.pin_header, inquiry) is None:
        return  # with grants in more than one division, a caller has to say which
    more = blob[-1] % 2 ** len(table.permissions)
    before = policy.decide(table, inquiry)
    after = policy.decide(table, msgspec.structs.replace(inquiry, held=inquiry.held.plus(more)))
    if isinstance(before, Decision) and before.effect is Effect.ALLOW:
        assert isinstance(after, Decision)
        assert after.effect is Effect.ALLOW
    if isinstance(before, NeedsBody):
        assert isinstance(after, NeedsBody) or after.effect is Effect.ALLOW


@usual
@given(policies(), blobs())
def test_what_is_decided_without_the_body_is_what_is_decided_with_it(
    made: tuple[PolicyDocument, DecisionTable], blob: bytes
) -> None:
    _, table = made
    (inquiry,) = questions_of(table, blob, 1)
    blind = policy.decide(table, msgspec.structs.replace(inquiry, body=None))
    if isinstance(blind, Decision) and inquiry.body is not None:
        seeing = policy.decide(table, inquiry)
        assert as_verdict(seeing) == as_verdict(blind)
    if inquiry.body is not None:
        assert isinstance(policy.decide(table, inquiry), Decision)


@usual
@given(policies(), blobs())
def test_a_decision_names_every_condition_that_is_true_as_far_as_it_was_asked(
    made: tuple[PolicyDocument, DecisionTable], blob: bytes
) -> None:
    _, table = made
    (inquiry,) = questions_of(table, blob, 1)
    for asked in (inquiry, msgspec.structs.replace(inquiry, body=None)):
        decision = policy.decide(table, asked)
        route = decision.route
        if isinstance(decision, NeedsBody) or route is None:
            continue
        weighed = route.settled is None and asked.caller.kind is not Kind.ANONYMOUS
        weighed = weighed and decision.reason is not Reason.UNDECIDABLE
        if not weighed:
            assert decision.conditions == ()
            continue
        # What is missing without the body is told without a look into it.
        unread = decision.unread or asked.body is None
        answers = [
            (
                extra.condition.text,
                extra.condition.answer(asked.query, None if unread else asked.body),
            )
            for extra in route.requirement.extras
        ]
        assert decision.conditions == tuple(text for text, found in answers if found is Answer.YES)
        assert decision.unread == tuple(text for text, found in answers if found is Answer.UNKNOWN)
        if decision.reason is Reason.PERMITTED:
            assert decision.because == decision.conditions


@usual
@given(policies(), blobs())
def test_an_explanation_tells_the_decision_and_nothing_else(
    made: tuple[PolicyDocument, DecisionTable], blob: bytes
) -> None:
    _, table = made
    (inquiry,) = questions_of(table, blob, 1)
    decision = policy.decide(table, inquiry)
    story = policy.explain(table, inquiry)
    assert story.decision == decision
    assert story.route is decision.route
    lacking = [need for need in story.needs if not need.met]
    lacks = {Reason.PERMISSION_MISSING, Reason.DIVISION_MISSING}
    if isinstance(decision, Decision) and decision.reason in lacks:
        alone = {need.names for need in lacking if len(need.names) == 1}
        assert alone == {(name,) for name in decision.missing.all_of}
        assert set(decision.missing.any_of) <= {need.names for need in lacking}
    else:
        assert not lacking
    for need in story.needs:
        assert {origin.permission for origin in need.origins} == {*need.held, *need.elsewhere}
    for supplier in story.suppliers:
        assert set(supplier.supplies) <= {name for need in lacking for name in need.names}
    assert str(story)


@usual
@given(policies(), blobs())
def test_the_quick_way_through_the_trie_finds_the_first_of_all_matches(
    made: tuple[PolicyDocument, DecisionTable], blob: bytes
) -> None:
    _, table = made
    (inquiry,) = questions_of(table, blob, 1)
    matches = table.routes.matches(inquiry.method, inquiry.segments)
    assert table.routes.find(inquiry.method, inquiry.segments) is next(matches, None)
