"""A cell of the matrix says what `decide` answers a caller who has that role and no other."""

import msgspec
from hypothesis import HealthCheck, given, settings

import policy
from policy import BodyFacts, Decision, DecisionTable, Inquiry, PolicyDocument, Reason, Route
from policy.analysis import (
    Cell,
    OpenTo,
    Probe,
    Row,
    State,
    Who,
    WhoKind,
    probes_of,
    questions_of,
    rows_of,
)
from policy.predicates import Answer
from tests.support.random_policies import policies

thorough = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
LACKING = {Reason.PERMISSION_MISSING, Reason.SCOPE_MISSING, Reason.DIVISION_MISSING}
Made = tuple[PolicyDocument, DecisionTable]


def inquiry(table: DecisionTable, probe: Probe, who: Who) -> Inquiry:
    caller = who.caller(table)
    asked = probe.inquiry(caller, table.held_by(caller))
    return msgspec.structs.replace(asked, body=asked.body or BodyFacts({}))


def answer(table: DecisionTable, probe: Probe, who: Who) -> Decision:
    decision = policy.decide(table, inquiry(table, probe, who))
    assert isinstance(decision, Decision)
    return decision


@thorough
@given(policies())
def test_every_cell_is_what_decide_answers(made: Made) -> None:
    _, table = made
    roles = tuple(table.roles.values())
    rows = {row.route: row for row in rows_of(table, roles, table.operations)}
    seen = set()
    for question in questions_of(table):
        (route,) = question.routes
        assert route is not None
        row = rows[route]
        seen.add(route)
        for probe in probes_of(question):
            for role, number in zip(roles, row.cells, strict=True):
                who = Who(WhoKind.ROLE, role.name)
                met = conditions_met(route, inquiry(table, probe, who))
                decision = answer(table, probe, who)
                if decision.reason is Reason.PERMISSION_MISSING and for_nobody(table, probe, who):
                    continue  # a guard is broken too: no cell speaks of such a request
                holds(row, row.kinds[number], met, decision)
    assert {route for route, row in rows.items() if row.reachable} == seen


def for_nobody(table: DecisionTable, probe: Probe, who: Who) -> bool:
    """Whether even a caller who holds everything is denied."""
    asked = msgspec.structs.replace(inquiry(table, probe, who), held=table.everything)
    decision = policy.decide(table, asked)
    assert isinstance(decision, Decision)
    return decision.effect is policy.Effect.DENY


def nothing_held(table: DecisionTable, probe: Probe) -> Decision:
    """What becomes of a caller who is known, and has no role and no scope."""
    asked = msgspec.structs.replace(
        inquiry(table, probe, Who(WhoKind.KNOWN)), held=policy.NOTHING_HELD
    )
    decision = policy.decide(table, asked)
    assert isinstance(decision, Decision)
    return decision


def conditions_met(route: Route, asked: Inquiry) -> set[str]:
    return {
        extra.condition.text
        for extra in route.requirement.extras
        if extra.condition.answer(asked.query, asked.body) is Answer.YES
    }


def holds(row: Row, cell: Cell, met: set[str], decision: Decision) -> None:
    """What the cell says of a request that meets these conditions is what became of it."""
    lacks = [lack for lack in cell.lacks if set(lack.when) <= met]
    match decision.reason:
        case Reason.PERMISSION_MISSING:
            assert lacks, "a denial that the cell does not tell"
            for lack in lacks:
                if set(lack.when) == met:
                    assert set(decision.missing.all_of) <= set(lack.missing.all_of)
        case Reason.DIVISION_MISSING:
            assert lacks, "a pinned service, and nothing of it is granted"
        case Reason.GUARD_FAILED:
            assert not lacks
            assert set(decision.because) <= set(row.guards)
        case Reason.UNDECIDABLE:
            pass
        case _:
            assert not lacks, "a denial that did not happen"
    if decision.reason is Reason.CLOSED:
        assert (row.open_to, cell) == (OpenTo.NOBODY, Cell(State.DENIED))
        return
    states = {
        State.ALLOWED: not cell.lacks,
        State.DENIED: any(lack.when == () for lack in cell.lacks),
        State.CONDITIONAL: bool(cell.lacks) and all(lack.when for lack in cell.lacks),
    }
    assert states[cell.state]
    if cell.state is State.DENIED and not met and decision.reason is Reason.PERMISSION_MISSING:
        assert cell.lacks[0].missing == decision.missing


@thorough
@given(policies())
def test_what_is_open_is_open_to_whom_decide_lets_in(made: Made) -> None:
    _, table = made
    rows = {row.route: row for row in rows_of(table, (), table.operations)}
    for question in questions_of(table):
        row = rows[question.routes[0]]  # type: ignore[index]
        plainest = probes_of(question)[0]
        stranger = answer(table, plainest, Who(WhoKind.STRANGER)).effect is policy.Effect.ALLOW
        known = all(
            nothing_held(table, probe).reason not in LACKING
            # Where a guard is broken too, nobody is let in, whatever they hold.
            or for_nobody(table, probe, Who(WhoKind.KNOWN))
            for probe in probes_of(question)
        )
        expected = OpenTo.ANYBODY if stranger else OpenTo.KNOWN if known else OpenTo.HOLDERS
        closed = answer(table, plainest, Who(WhoKind.KNOWN)).reason is Reason.CLOSED
        assert row.open_to is (OpenTo.NOBODY if closed else expected)
