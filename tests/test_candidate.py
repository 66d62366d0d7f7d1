"""A candidate beside the active policy: what it would say is told, and nothing else changes."""

import msgspec
from hypothesis import HealthCheck, given, settings

import policy
from gateway.candidate import Candidate, Change, Reverted, Tally, joined
from gateway.live import LivePolicy
from gateway.rollout import Band, Plan
from policy import (
    NOTHING,
    BodyFacts,
    Decision,
    DecisionTable,
    Inquiry,
    NeedsBody,
    PolicyDocument,
    Reason,
)
from tests.support.policies import CATALOGUE, POLICY, inquiry, table, user
from tests.support.random_policies import blobs, policies, questions_of, with_other_assignments

ACTIVE = table()
STRICTER = table(CATALOGUE, POLICY.replace("writer: {includes: [reader],", "writer: {"))
DENYING = table(CATALOGUE, POLICY.replace("ann: {roles: [writer]}", "ann: {roles: [reader]}"))
CLOSED = table(CATALOGUE, "users: {}")
ANN, BOB, CHIEF = user("ann"), user("bob"), user("zoe", claims=("shop-admins",))
READ = "GET /records/1"


def decided(by: DecisionTable, asked: Inquiry) -> Decision:
    answer = policy.decide(by, msgspec.structs.replace(asked, held=by.held_by(asked.caller)))
    assert isinstance(answer, Decision)
    return answer


def sent(candidate: Candidate, id_: str, asked: Inquiry) -> Decision:
    """As the pipeline does it."""
    decision = decided(candidate.table_for(asked.caller), asked)
    candidate.compare(id_, asked, decision)
    return decision


def test_without_a_rollout_the_active_policy_decides_and_the_other_is_told() -> None:
    candidate = Candidate(ACTIVE, STRICTER)
    for number, caller in enumerate((ANN, ANN, BOB)):
        assert (
            sent(candidate, f"r-{number}", inquiry(ACTIVE, caller, READ)).policy == ACTIVE.version
        )
    tally = candidate.tally()
    change = Change("shop", "read-record", Reason.PERMITTED, Reason.PERMISSION_MISSING)
    assert (tally.compared, tally.enforced, tally.changes) == (3, 0, [(change, 2)])
    assert [(one.id, one.subject, one.enforced) for one in tally.examples] == [
        ("r-1", "ann", False)
    ]
    assert tally.examples[0].candidate_missing.all_of == ("read",)


def test_whoever_is_in_is_decided_by_the_candidate_and_the_active_policy_is_told() -> None:
    candidate = Candidate(ACTIVE, STRICTER, Plan(users=frozenset({"ann"})))
    assert sent(candidate, "r-1", inquiry(ACTIVE, ANN, READ)).reason is Reason.PERMISSION_MISSING
    assert sent(candidate, "r-2", inquiry(ACTIVE, BOB, READ)).reason is Reason.PERMITTED
    tally = candidate.tally()
    change = Change("shop", "read-record", Reason.PERMITTED, Reason.PERMISSION_MISSING)
    assert (tally.enforced, tally.changes) == (1, [(change, 1)])
    assert tally.examples[0].enforced


def test_it_goes_back_by_itself_says_why_and_stays_back() -> None:
    band = Band(above=0.5, minimum=3, window=10)
    candidate = Candidate(ACTIVE, STRICTER, Plan(share=1.0, band=band))
    for number in range(3):
        sent(candidate, f"r-{number}", inquiry(ACTIVE, ANN, READ))
    assert candidate.reverted is not None
    assert candidate.reverted.id == "r-2"
    assert "denied 3 more" in candidate.reverted.why
    assert sent(candidate, "r-3", inquiry(ACTIVE, ANN, READ)).reason is Reason.PERMITTED
    assert candidate.tally().compared == 4
    assert candidate.tally().enforced == 3


def test_denials_that_the_active_policy_shares_do_not_turn_it_back() -> None:
    candidate = Candidate(ACTIVE, STRICTER, Plan(share=1.0, band=Band(minimum=1)))
    for number in range(50):
        sent(candidate, f"r-{number}", inquiry(ACTIVE, user("zoe"), READ))
    assert candidate.reverted is None


def test_what_the_other_policy_would_need_the_body_for_is_not_guessed() -> None:
    looser = table(CATALOGUE, POLICY.replace("ann: {roles: [writer]}", "ann: {roles: [chief]}"))
    candidate = Candidate(looser, ACTIVE)
    sent(candidate, "r-1", inquiry(looser, ANN, "PUT /records/1"))
    tally = candidate.tally()
    assert (tally.undetermined, tally.compared) == (1, 0)
    assert tally.changes == [(Change("shop", "change-record", Reason.PERMITTED, None), 1)]
    assert tally.examples[0].candidate_missing == NOTHING


def test_what_the_active_policy_would_need_the_body_for_turns_it_back_rather_too_early() -> None:
    band = Band(above=0.5, minimum=2, window=10)
    candidate = Candidate(ACTIVE, DENYING, Plan(share=1.0, band=band))
    for number in range(2):
        sent(candidate, f"r-{number}", inquiry(ACTIVE, ANN, "PUT /records/1"))
    tally = candidate.tally()
    assert (tally.undetermined, tally.enforced) == (2, 2)
    assert tally.changes == [(Change("shop", "change-record", None, Reason.PERMISSION_MISSING), 2)]
    assert tally.reverted is not None


def test_what_reverted_elsewhere_governs_nobody_here_and_the_first_reason_stays() -> None:
    heard: list[Reverted] = []
    candidate = Candidate(ACTIVE, STRICTER, Plan(share=1.0), on_revert=heard.append)
    first, second = Reverted("too many", "w1-7"), Reverted("later", "w2-1")
    candidate.revert(first)
    candidate.revert(second)
    assert candidate.table_for(ANN) is ACTIVE
    assert (candidate.tally().reverted, heard) == (first, [])


def test_beside_another_active_policy_it_begins_anew_by_the_same_plan() -> None:
    other = table(CATALOGUE, POLICY + "  others: [reader]\n")
    candidate = Candidate(ACTIVE, STRICTER, Plan(users=frozenset({"ann"})))
    sent(candidate, "r-1", inquiry(ACTIVE, ANN, READ))
    anew = candidate.beside(other)
    assert anew is not None
    assert (anew.active, anew.table_for(ANN), anew.table_for(BOB)) == (other, STRICTER, other)
    assert anew.tally() == Tally()
    assert candidate.beside(STRICTER) is None  # what is in force is tried no more


def test_a_candidate_lives_beside_whatever_is_in_force_and_ends_when_it_is() -> None:
    live = LivePolicy(ACTIVE, since=1.0)
    live.trial = Candidate(ACTIVE, STRICTER)
    live.put(DENYING, since=2.0)
    assert live.trial.active is DENYING
    assert live.roll_back(since=3.0)
    assert live.trial.active is ACTIVE
    live.put(STRICTER, since=4.0)
    assert live.trial is None


def test_a_decision_from_before_a_reload_is_passed_over() -> None:
    candidate = Candidate(ACTIVE, STRICTER)
    older = table(CATALOGUE + "#")
    asked = inquiry(older, ANN, READ)
    candidate.compare("r-1", asked, decided(older, asked))
    assert candidate.tally() == Tally()


def test_examples_are_the_last_ones_of_each_caller_and_no_more_than_asked_for() -> None:
    candidate = Candidate(ACTIVE, CLOSED, most_examples=2)
    for id_, caller in (
        ("1", ANN),
        ("2", BOB),
        ("3", CHIEF),
        ("4", BOB),
        ("5", CHIEF),
        ("6", CHIEF),
    ):
        sent(candidate, id_, inquiry(ACTIVE, caller, READ))
    tally = candidate.tally()
    assert [(one.id, one.subject) for one in tally.examples] == [("4", "bob"), ("6", "zoe")]
    assert sum(count for _, count in tally.changes) == 6


def test_callers_that_share_a_place_in_memory_are_kept_apart() -> None:
    candidate = Candidate(ACTIVE, STRICTER, Plan(users=frozenset({"n-7"})))
    governed = [
        number for number in range(20_000) if candidate.table_for(user(f"n-{number}")) is STRICTER
    ]
    assert governed == [7]


def test_what_several_workers_saw_adds_up() -> None:
    tallies = []
    for number in range(2):
        candidate = Candidate(ACTIVE, STRICTER, Plan(share=1.0, band=Band(minimum=1, above=0.1)))
        sent(candidate, f"w{number}", inquiry(ACTIVE, ANN, READ))
        tallies.append(msgspec.json.decode(msgspec.json.encode(candidate.tally()), type=Tally))
    whole = joined(tallies)
    assert (whole.compared, whole.enforced, [count for _, count in whole.changes]) == (2, 2, [2])
    assert [one.id for one in whole.examples] == ["w1"]
    assert whole.reverted is not None
    assert whole.reverted.id == "w0"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), blobs(), blobs())
def test_what_is_counted_is_what_the_two_policies_say(
    made: tuple[PolicyDocument, DecisionTable], other: bytes, blob: bytes
) -> None:
    document, active = made
    table = with_other_assignments(document, other)
    candidate = Candidate(
        active, table, Plan(share=0.5, band=Band(minimum=1_000_000, window=1_000_000))
    )
    differ = compared = 0
    for number, question in enumerate(questions_of(active, blob, 6)):
        asked = msgspec.structs.replace(question, body=question.body or BodyFacts({}))
        answers = [
            policy.decide(one, msgspec.structs.replace(asked, held=one.held_by(asked.caller)))
            for one in (active, table)
        ]
        assert not any(isinstance(answer, NeedsBody) for answer in answers)
        if active.version == table.version:
            continue
        by = candidate.table_for(asked.caller)
        candidate.compare(str(number), asked, answers[by is table])
        compared += 1
        differ += answers[0].reason is not answers[1].reason
    tally = candidate.tally()
    assert (tally.compared, sum(count for _, count in tally.changes)) == (compared, differ)
