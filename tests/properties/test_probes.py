"""What is asked of a whole policy is asked of every request there is: held against `decide`."""

import msgspec
from hypothesis import HealthCheck, given, settings

import policy
from policy import NOTHING_HELD, BodyFacts, Decision, DecisionTable, Effect, Inquiry, PolicyDocument
from policy.analysis import Outcome, Probe, Question, outcome_of, probes_of
from policy.analysis import questions_of as every_question
from tests.support.holdings import holdings_of
from tests.support.policies import user
from tests.support.random_policies import blobs, policies, questions_of

thorough = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CALLER = user("u0")
Made = tuple[PolicyDocument, DecisionTable]


def effects(table: DecisionTable, inquiry: Inquiry) -> list[bool]:
    """Whether the inquiry is allowed, for whatever callers may hold, and for strangers."""
    holding = [
        msgspec.structs.replace(inquiry, held=held, caller=CALLER) for held in holdings_of(table)
    ]
    strangers = msgspec.structs.replace(inquiry, held=NOTHING_HELD, caller=policy.ANONYMOUS)
    answers = [policy.decide(table, asked) for asked in (strangers, *holding)]
    assert all(isinstance(answer, Decision) for answer in answers)
    return [isinstance(answer, Decision) and answer.effect is Effect.ALLOW for answer in answers]


def foretold(outcome: Outcome, table: DecisionTable) -> list[bool]:
    return [
        outcome.for_strangers,
        *((outcome.for_strangers or outcome.allows(held)) for held in holdings_of(table)),
    ]


@thorough
@given(policies(), policies())
def test_a_probe_demands_what_decide_says_it_does(one: Made, other: Made) -> None:
    tables = one[1], other[1]
    for question in every_question(*tables):
        for probe in probes_of(question):
            for table, route in zip(tables, question.routes, strict=True):
                asked = seen(probe.inquiry(CALLER, NOTHING_HELD))
                assert table.routes.find(asked.method, asked.segments) is route
                assert foretold(outcome_of(route, probe), table) == effects(table, asked)


def seen(inquiry: Inquiry) -> Inquiry:
    """The body counts as read: without one there are no keys."""
    return msgspec.structs.replace(inquiry, body=inquiry.body or BodyFacts({}))


@thorough
@given(policies(), policies(), blobs())
def test_every_request_has_a_probe_that_stands_for_it(one: Made, other: Made, blob: bytes) -> None:
    tables = one[1], other[1]
    questions: dict[object, list[Question]] = {}
    for question in every_question(*tables):
        questions.setdefault(_key(question.method, question.routes), []).append(question)
    probes: dict[int, tuple[Probe, ...]] = {}
    for inquiry in (*questions_of(tables[0], blob, 3), *questions_of(tables[1], blob[::-1], 3)):
        routes = tuple(table.routes.find(inquiry.method, inquiry.segments) for table in tables)
        if routes == (None, None):
            continue
        asked = seen(msgspec.structs.replace(inquiry, caller=CALLER))
        said = [effects(table, asked) for table in tables]
        method = inquiry.method
        if method == "HEAD" and _key("HEAD", routes) not in questions:
            method = "GET"
        standing_for_it = any(
            [effects(table, seen(probe.inquiry(CALLER, NOTHING_HELD))) for table in tables] == said
            for question in questions[_key(method, routes)]
            for probe in _probes_of(question, probes)
        )
        assert standing_for_it, f"nothing stands for {inquiry}"


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
