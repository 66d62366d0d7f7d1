"""Who may send a request is whoever `decide` allows, asked one by one."""

from collections.abc import Iterator

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import policy
from policy import BodyFacts, Decision, DecisionTable, Effect, Held, Inquiry, PolicyDocument, Route
from policy.analysis import (
    Outcome,
    Population,
    Reach,
    Who,
    WhoKind,
    cases_of_request,
    one_short,
    reach_of,
)
from policy.permissions import Demand
from tests.support.policies import user
from tests.support.random_policies import blobs, policies, questions_of

thorough = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Made = tuple[PolicyDocument, DecisionTable]


def everybody(table: DecisionTable) -> Iterator[Who]:
    yield Who(WhoKind.STRANGER)
    yield Who(WhoKind.KNOWN)
    yield from (Who(WhoKind.ROLE, name) for name in table.roles)
    yield from (Who(WhoKind.GROUP, name) for name in table.groups)
    yield from (Who(WhoKind.CLAIM, name) for name in table.claims)
    yield from (Who(WhoKind.USER, name) for name in table.users)
    yield from (Who(WhoKind.CLIENT, name) for name in table.clients)


def may(table: DecisionTable, inquiry: Inquiry, who: Who, held: Held | None = None) -> bool:
    caller = who.caller(table)
    if held is None:
        held = table.held_by(caller)
    answer = policy.decide(table, msgspec.structs.replace(inquiry, caller=caller, held=held))
    assert isinstance(answer, Decision)
    return answer.effect is Effect.ALLOW


def reaches(table: DecisionTable, inquiry: Inquiry) -> list[Reach]:
    route = table.routes.find(inquiry.method, inquiry.segments)
    cases = cases_of_request(route, inquiry)
    own = frozenset(case.only for case in cases if case.only is not None)
    return [reach_of(table, Population(table), case, except_=own) for case in cases]


def case_of(found: list[Reach], who: Who) -> Reach:
    """The case that answers them: of their own, or everybody's."""
    named = [reach for reach in found if reach.case.only == who.name != "" and _is_subject(who)]
    return named[0] if named else next(reach for reach in found if reach.case.only is None)


def _is_subject(who: Who) -> bool:
    return who.kind in {WhoKind.USER, WhoKind.CLIENT}


@thorough
@given(policies(), blobs())
def test_who_can_is_whom_decide_allows(made: Made, blob: bytes) -> None:
    _, table = made
    for asked in questions_of(table, blob, 8):
        inquiry = msgspec.structs.replace(asked, body=asked.body or BodyFacts({}))
        found = reaches(table, inquiry)
        for who in everybody(table):
            reach = case_of(found, who)
            assert (who.name in reach.allowed[who.kind]) is may(table, inquiry, who), (inquiry, who)


@thorough
@given(policies(), blobs())
def test_whoever_lacks_one_permission_would_be_allowed_with_it(made: Made, blob: bytes) -> None:
    _, table = made
    for asked in questions_of(table, blob, 8):
        inquiry = msgspec.structs.replace(asked, body=asked.body or BodyFacts({}))
        found = reaches(table, inquiry)
        for who in everybody(table):
            reach = case_of(found, who)
            told = {
                name for miss in reach.near if who.name in miss.who[who.kind]
                for name in (*miss.permissions, *(f"scope {scope}" for scope in miss.scopes))
            }  # fmt: skip
            enough = {
                name
                for name, bit in named_bits(table)
                if not may(table, inquiry, who)
                and may(table, inquiry, who, given_there(table, reach, who, bit))
            }
            lacks = reach.case.outcome.unmet_by(table.held_by(who.caller(table)))
            # Of a pinned service any permission might make somebody belong who lacks no other.
            if lacks or not reach.case.outcome.realm:
                assert told == enough, (inquiry, who)
            assert told <= enough, (inquiry, who)


def named_bits(table: DecisionTable) -> Iterator[tuple[str, int]]:
    names = table.permissions
    yield from ((name, names.mask_of([name])) for name in names)
    yield from ((f"scope {name}", names.scope_mask_of([name])) for name in names.scopes)


def given_there(table: DecisionTable, reach: Reach, who: Who, bit: int) -> Held:
    """What `who` holds with that bit, in the divisions that the request is about."""
    held = table.held_by(who.caller(table))
    divisions = reach.case.outcome.where(held)
    if not divisions or not bit & table.aware:
        return held.plus(bit)
    more = Held(bit, 0, dict.fromkeys(divisions, bit))
    return Held.joined((held, more))


@thorough
@given(policies(), blobs())
def test_claims_that_are_enough_together_are_told_where_nobody_is_alone(
    made: Made, blob: bytes
) -> None:
    _, table = made
    for asked in questions_of(table, blob, 8):
        inquiry = msgspec.structs.replace(asked, body=asked.body or BodyFacts({}))
        found = reaches(table, inquiry)
        apart = {reach.case.only for reach in found}
        for reach in found:
            if reach.case.only is not None or any(reach.allowed.values()):
                continue
            names = [who.name for who in everybody(table) if who.kind is WhoKind.USER]
            every = table.permissions.scopes
            # All claims are not always more than one: they may be for several divisions.
            callers = [
                user(name, claims=claims, scopes=every)
                for name in ("nobody", *names)
                for claims in (("c0", "c1"), ("c0",), ("c1",))
                if name not in apart
            ]
            answers = [_answer(table, inquiry, caller) for caller in callers]
            assert bool(reach.together) is any(answers), inquiry
            if reach.together:
                subject = next((w.name for w in reach.together if w.kind is WhoKind.USER), "nobody")
                values = [who.name for who in reach.together if who.kind is WhoKind.CLAIM]
                assert _answer(table, inquiry, user(subject, claims=tuple(values), scopes=every))


def _answer(table: DecisionTable, inquiry: Inquiry, caller: policy.Caller) -> bool:
    held = table.held_by(caller)
    answer = policy.decide(table, msgspec.structs.replace(inquiry, caller=caller, held=held))
    assert isinstance(answer, Decision)
    return answer.effect is Effect.ALLOW


@thorough
@given(policies(), blobs())
def test_a_body_that_was_not_given_has_a_case_for_everything_that_it_could_do(
    made: Made, blob: bytes
) -> None:
    _, table = made
    for asked in questions_of(table, blob, 8):
        route = table.routes.find(asked.method, asked.segments)
        unseen = msgspec.structs.replace(asked, body=None)
        cases = cases_of_request(route, unseen)
        if asked.body is not None:
            (case, *_) = cases_of_request(route, asked)
            if len(case.outcome.divisions) > 1:
                continue  # what is asked of each of them is asked of all
            foreseen = [_by_name(each.outcome, route) for each in cases]
            assert _by_name(case.outcome, route) in foreseen, asked


def _by_name(outcome: Outcome, route: Route | None) -> Outcome:
    """Divisions that no policy names are one like the other."""
    named = route is not None and set(outcome.divisions) <= set(route.divisions)
    return outcome if named else msgspec.structs.replace(outcome, divisions=())


@given(st.integers(0, 31), st.lists(st.integers(1, 31), max_size=3), st.integers(0, 31))
def test_one_short_is_every_single_permission_that_is_enough(
    all_of: int, any_of: list[int], held: int
) -> None:
    demand = Demand(all_of, tuple(any_of))
    enough = sum(1 << bit for bit in range(5) if demand.met_by(held | 1 << bit))
    assert one_short(demand, held) == (0 if demand.met_by(held) else enough)
