"""A table that says what the policy does passes, and the one line that says otherwise does not."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import policy
from gateway.cli.requests import REFUSALS, sent_request
from gateway.errors import GatewayError
from gateway.http.target import TargetLimits, canonicalise
from gateway.settings import Limits
from policy import (
    BodyFacts,
    Decision,
    DecisionTable,
    Effect,
    Inquiry,
    Kind,
    Means,
    PolicyDocument,
    Reason,
    Text,
)
from policy.analysis import Verdict, coverage_of, expectations_of, verdict_on
from tests.support.random_policies import PERMISSIONS, SCOPES, blobs, policies, questions_of

thorough = settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
Made = tuple[PolicyDocument, DecisionTable]
Line = dict[str, Any]
TELLING = {Reason.GUARD_FAILED, Reason.UNDECIDABLE}


def target_of(inquiry: Inquiry) -> str:
    path = "/".join(quote(segment, safe="") for segment in inquiry.segments)
    pairs = (f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in inquiry.query)
    return f"/{path}?{'&'.join(pairs)}" if inquiry.query else f"/{path}"


def is_sent_as_it_is(inquiry: Inquiry) -> bool:
    """Whether the gateway reads of its target what the inquiry holds."""
    try:
        read = canonicalise(target_of(inquiry).encode(), TargetLimits())
    except GatewayError:
        return False
    return (read.segments, read.query) == (inquiry.segments, inquiry.query)


def caller_of(inquiry: Inquiry, table: DecisionTable) -> Line:
    """The caller as a table describes it: only what the policy knows of it can be said."""
    caller = inquiry.caller
    named = {} if caller.scopes is None else {"scopes": sorted(caller.scopes & {*SCOPES})}
    if caller.means is Means.CLIENT_CREDENTIALS:
        return {"client": caller.subject, **named}
    divisions = None if caller.divisions is None else sorted(caller.divisions)
    roles = [] if divisions == [] else sorted(caller.roles & table.roles.keys())
    key = "user" if caller.subject in table.users else "subject"
    return {
        key: caller.subject,
        "roles": roles,
        "claims": sorted(caller.claims & table.claims.keys()),
        "scopes": [],
        **named,
        **({"divisions": divisions} if divisions else {}),
    }


def as_sent(inquiry: Inquiry) -> Inquiry:
    """With the keys of its body spelt as they will be, and only headers that say something."""
    body = inquiry.body
    if body is not None:
        body = BodyFacts(body.values, frozenset(body.values))
    headers = {name: value for name, value in inquiry.headers.items() if value}
    return msgspec.structs.replace(inquiry, body=body, headers=headers)


def line_of(inquiry: Inquiry, decision: Decision, who: str) -> Line:
    line: Line = {"request": f"{inquiry.method} {target_of(inquiry)}"}
    if inquiry.headers:
        line["headers"] = {name.decode(): value.decode() for name, value in inquiry.headers.items()}
    if inquiry.body is not None:
        line["body"] = dict(inquiry.body.values)
    if decision.route is not None:
        line["route"] = decision.route.id
    if decision.effect is Effect.ALLOW:
        return line | {"allow": [who], "because": list(decision.because)}
    if decision.reason is Reason.PERMISSION_MISSING:
        missing = decision.missing
        groups = [{"any": list(group)} for group in missing.any_of]
        return line | {"deny": {who: [*missing.all_of, *groups]}}
    told = {"because": list(decision.because)} if decision.reason in TELLING else {}
    return line | {"deny": {who: decision.reason}} | told


def truth_of(table: DecisionTable, blob: bytes) -> tuple[dict[str, Line], list[Line]]:
    """Callers and lines that say what `decide` answers to some questions."""
    callers: dict[str, Line] = {}
    lines: list[Line] = []
    for number, asked in enumerate(questions_of(table, blob, 6)):
        inquiry = as_sent(asked)
        caller = inquiry.caller
        is_client = caller.means is Means.CLIENT_CREDENTIALS
        if is_client and caller.subject not in table.clients:
            continue
        decision = policy.decide(table, inquiry)
        if not isinstance(decision, Decision) or not is_sent_as_it_is(inquiry):
            continue
        who = f"caller{number}" if inquiry.caller.kind is not Kind.ANONYMOUS else "anonymous"
        if who != "anonymous":
            callers[who] = caller_of(inquiry, table)
        lines.append(line_of(inquiry, decision, who))
    return callers, lines


def verdicts(
    table: DecisionTable, callers: Mapping[str, Line], lines: list[Line]
) -> list[tuple[int, Verdict]]:
    """Each verdict with the number of its line; every line of the file is a line of text."""
    text = "\n".join([
        f"callers: {json.dumps(callers)}",
        "expect:",
        *(f"  - {json.dumps(line)}" for line in lines),
    ])  # fmt: skip
    expectations, findings = expectations_of(table, [Text("random.yaml", text)], REFUSALS)
    assert not findings, "\n".join(map(str, findings))
    return [
        (each.where.line - 3, verdict_on(table, each, sent_request(table, each, Limits())))
        for each in expectations
    ]


@thorough
@given(policies(), blobs())
def test_a_table_of_what_decide_answers_passes(made: Made, blob: bytes) -> None:
    _, table = made
    callers, lines = truth_of(table, blob)
    if not lines:
        return
    found = verdicts(table, callers, lines)
    assert all(verdict.as_expected for _, verdict in found)
    coverage = coverage_of(table, (verdict for _, verdict in found))
    for dimension in coverage.dimensions:
        assert 0 <= dimension.covered <= dimension.total
        assert (dimension.percent == 100) is not bool(dimension.gaps)


def flipped(line: Line, draw: Any) -> Line:
    """The line with the one expectation of its caller turned into another one."""
    denied = line.get("deny", {})
    ((who, why),) = denied.items() or [(*line["allow"], None)]
    rest = {key: line[key] for key in line.keys() - {"allow", "deny", "because"}}
    others: list[Line] = [{"deny": {who: [name]}} for name in PERMISSIONS if why != [name]]
    others += [{"deny": {who: reason}} for reason in ("no-route", "guard-failed") if why != reason]
    if denied:
        others.append({"allow": [who]})
    if isinstance(why, list):
        more = [name for name in PERMISSIONS if name not in why]
        others += [{"deny": {who: [*why, name]}} for name in more]
        # A group that holds a missing permission is no further demand: that would be the same.
        others += [{"deny": {who: why[1:]}}] if len(why) > 1 else []
    return rest | draw(st.sampled_from(others))


@thorough
@given(policies(), blobs(), st.data())
def test_with_one_expectation_flipped_exactly_that_one_fails(
    made: Made, blob: bytes, data: st.DataObject
) -> None:
    _, table = made
    callers, lines = truth_of(table, blob)
    if not lines:
        return
    number = data.draw(st.integers(0, len(lines) - 1))
    lines[number] = flipped(lines[number], data.draw)
    found = verdicts(table, callers, lines)
    surprises = [(line, each) for line, each in found if not each.as_expected]
    ((line, verdict),) = surprises
    assert (line, bool(verdict.expectation.who)) == (number, True)


@thorough
@given(policies(), blobs(), st.data())
def test_with_another_route_or_another_because_exactly_that_fails(
    made: Made, blob: bytes, data: st.DataObject
) -> None:
    _, table = made
    callers, lines = truth_of(table, blob)
    candidates = [number for number, line in enumerate(lines) if "route" in line]
    if not candidates or len(table.operations) < 2:
        return
    number = data.draw(st.sampled_from(candidates))
    right = lines[number]["route"]
    wrong = data.draw(
        st.sampled_from([route.id for route in table.operations if route.id != right])
    )
    lines[number] = lines[number] | {"route": wrong}
    found = verdicts(table, callers, lines)
    ((line, verdict),) = [(line, each) for line, each in found if not each.as_expected]
    assert (line, verdict.expectation.who) == (number, "")
