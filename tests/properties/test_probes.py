"""What is asked of a whole policy is asked of every request there is: held against `decide`."""

from operator import le

import msgspec
from hypothesis import HealthCheck, given, settings

import policy
from policy import (
    NOTHING_HELD,
    BodyFacts,
    Decision,
    DecisionTable,
    Effect,
    Held,
    Inquiry,
)
from policy.analysis import Outcome, Probe, Question, outcome_of, outcome_of_inquiry, probes_of
from policy.analysis import questions_of as every_question
from tests.support.holdings import holdings_of
from tests.support.policies import user
from tests.support.random_policies import blobs, pairs, policies, questions_of

thorough = settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CALLER = user("u0")
TURNS = 13
STRANGER = (policy.ANONYMOUS, NOTHING_HELD)
Tables = tuple[DecisionTable, DecisionTable]
Asking = tuple[policy.Caller, Held]
Made = tuple[policy.PolicyDocument, DecisionTable]


def everybody(table: DecisionTable) -> list[Asking]:
    """A stranger, and whatever callers may hold."""
    return [STRANGER, *((CALLER, held) for held in holdings_of(table))]


def is_allowed(table: DecisionTable, inquiry: Inquiry, asking: Asking) -> bool:
    caller, held = asking
    answer = policy.decide(table, msgspec.structs.replace(inquiry, caller=caller, held=held))
    assert isinstance(answer, Decision)
    return answer.effect is Effect.ALLOW


def foretold(outcome: Outcome, asking: Asking) -> bool:
    return outcome.for_strangers or (asking is not STRANGER and outcome.allows(asking[1]))


@thorough
@given(pairs())
def test_a_probe_demands_what_decide_says_it_does(tables: Tables) -> None:
    told: set[object] = set()
    for question in every_question(*tables):
        for number, probe in enumerate(probes_of(question)):
            for table, route in zip(tables, question.routes, strict=True):
                asked = seen(probe.inquiry(CALLER, NOTHING_HELD))
                assert table.routes.find(asked.method, asked.segments) is route
                outcome, callers = outcome_of(route, probe), everybody(table)
                key = id(table), id(route), outcome
                if key in told:  # many probes have the same: then of each a few callers, by turns
                    callers = callers[number % TURNS :: TURNS]
                told.add(key)
                for asking in callers:
                    assert foretold(outcome, asking) is is_allowed(table, asked, asking), asking


def seen(inquiry: Inquiry) -> Inquiry:
    """The body counts as read: without one there are no keys."""
    return msgspec.structs.replace(inquiry, body=inquiry.body or BodyFacts({}))


@thorough
@given(pairs(), blobs())
def test_every_request_has_a_probe_that_stands_for_it(tables: Tables, blob: bytes) -> None:
    questions: dict[object, list[Question]] = {}
    for question in every_question(*tables):
        questions.setdefault(_key(question.method, question.routes), []).append(question)
    probes: dict[int, tuple[Probe, ...]] = {}
    for inquiry in (*questions_of(tables[0], blob, 3), *questions_of(tables[1], blob[::-1], 3)):
        routes = tuple(table.routes.find(inquiry.method, inquiry.segments) for table in tables)
        if routes == (None, None):
            continue
        said = effects(tables, seen(inquiry))
        method = inquiry.method
        if method == "HEAD" and _key("HEAD", routes) not in questions:
            method = "GET"
        probed = (
            effects(tables, seen(probe.inquiry(CALLER, NOTHING_HELD)))
            for question in questions[_key(method, routes)]
            for probe in _probes_of(question, probes)
        )
        if any(len(outcome_of_inquiry(one, seen(inquiry)).divisions) > 1 for one in routes):
            # What is asked of several divisions is asked of each, and there are probes of these.
            wider = [one for one in probed if all(map(le, said, one))]
            stands = [all(each) for each in zip(*wider, strict=True)] == said
        else:
            stands = said in probed
        assert stands, f"nothing stands for {inquiry}"


def effects(tables: Tables, inquiry: Inquiry) -> list[bool]:
    """Whether it is allowed by either table, for everybody."""
    return [is_allowed(one, inquiry, asking) for one in tables for asking in everybody(one)]


def _probes_of(question: Question, known: dict[int, tuple[Probe, ...]]) -> tuple[Probe, ...]:
    if id(question) not in known:
        known[id(question)] = probes_of(question)
    return known[id(question)]


def _key(method: str, routes: tuple[object, ...]) -> object:
    return method, tuple(map(id, routes))


@thorough
@given(policies())
def test_the_first_probe_is_the_plainest_and_each_is_another_request(made: Made) -> None:
    _, table = made
    for question in every_question(table):
        probes = probes_of(question)
        assert probes[0].query == ()
        assert not probes[0].body
        assert len({str(probe) for probe in probes}) == len(probes)
