"""A table that was sent decides as the one it was made from, and leaves nothing when it is done."""

import gc
import io
import pickle

import pytest
from hypothesis import given

import policy
from policy import (
    ANONYMOUS,
    NOTHING_HELD,
    Caller,
    DecisionTable,
    Inquiry,
    Kind,
    Means,
    NeedsBody,
    Route,
    Sources,
)
from tests.support.policies import CATALOGUE, POLICY, sources, spec, table
from tests.support.random_policies import blobs, policies, questions_of


def sent(table: DecisionTable) -> DecisionTable:
    return policy.unpacked(DecisionTable, io.BytesIO(policy.packed(table)))


@given(policies(), blobs())
def test_what_was_sent_decides_every_question_like_what_was_compiled(
    made: tuple[policy.PolicyDocument, DecisionTable], blob: bytes
) -> None:
    _, here = made
    there = sent(here)
    for inquiry in questions_of(here, blob, 8):
        assert told(there, inquiry) == told(here, inquiry)
        assert there.held_by(inquiry.caller) == here.held_by(inquiry.caller)


def told(table: DecisionTable, inquiry: Inquiry) -> tuple[object, ...]:
    answer = policy.decide(table, inquiry)
    route = None if answer.route is None else (answer.route.id, answer.route.where)
    if isinstance(answer, NeedsBody):
        return "needs body", route
    return answer.reason, answer.policy, answer.missing, answer.because, route


def test_everything_that_is_told_of_a_table_is_told_of_what_was_sent() -> None:
    here = table(CATALOGUE, POLICY, service=spec(switches=("careful",)))
    there = sent(here)
    ann = Caller(subject="ann", kind=Kind.USER, means=Means.BASIC)
    assert there.version == here.version
    assert there.roles == here.roles
    assert (there.users, there.groups, there.claims) == (here.users, here.groups, here.claims)
    assert [str(each) for each in there.operations] == [str(each) for each in here.operations]
    assert there.held_by(ann) == here.held_by(ann) != there.held_by(ANONYMOUS)


def test_sources_are_the_same_sources_on_the_other_side() -> None:
    here = sources()
    assert policy.unpacked(Sources, io.BytesIO(policy.packed(here))) == here


def test_nothing_but_tables_is_built_from_what_was_sent() -> None:
    with pytest.raises(pickle.UnpicklingError, match="no part of a table"):
        policy.unpacked(DecisionTable, io.BytesIO(pickle.dumps(print)))
    with pytest.raises(pickle.UnpicklingError, match="no DecisionTable"):
        policy.unpacked(DecisionTable, io.BytesIO(policy.packed(sources())))


def routes_alive() -> int:
    return sum(type(each) is Route for each in gc.get_objects())


def test_a_table_that_was_taken_down_is_gone_without_the_garbage_collector() -> None:
    data = policy.packed(table())
    gc.collect()
    before = routes_alive()
    gc.disable()
    try:
        gone = policy.unpacked(DecisionTable, io.BytesIO(data))
        assert routes_alive() > before
        for _ in policy.take_down(gone):
            pass
        del gone, _
        assert routes_alive() == before
    finally:
        gc.enable()


def test_a_decision_outlives_its_table() -> None:
    old = sent(table())
    inquiry = Inquiry(
        caller=ANONYMOUS, held=NOTHING_HELD, method="GET", segments=("records", "7"), query=()
    )
    before = told(old, inquiry)
    decision = policy.decide(old, inquiry)
    for _ in policy.take_down(old):
        pass
    assert isinstance(decision, policy.Decision)
    assert decision.route is not None
    assert (decision.reason, decision.route.id) == (before[0], "read-record")


def test_a_trie_that_two_methods_share_is_taken_down_once() -> None:
    gone = sent(table())
    assert gone.routes.root_of("HEAD") is gone.routes.root_of("GET")
    for _ in policy.take_down(gone):
        pass
    assert gone.routes.find("HEAD", ("records", "7")) is None
