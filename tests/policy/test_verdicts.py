"""An expectation holds when the outcome is as it says, and for the reason that it says."""

import pytest

from policy import Decision, NeedsBody, Reason, UseRole
from policy.analysis import Refusal
from tests.support.expectations import held, outcomes
from tests.support.policies import CATALOGUE, POLICY, spec, table


def line(text: str) -> bool:
    """Whether the only expectation of the line holds."""
    (verdict,) = held(f"expect:\n  - {text}\n")
    return verdict.as_expected


def caller(who: str, text: str) -> bool:
    """The same, of a caller who has one role."""
    (verdict,) = held(f"callers: {{{who}: {{roles: [{who}]}}}}\nexpect:\n  - {text}\n")
    return verdict.as_expected


# --- who is allowed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "holds"),
    [("ann", True), ("bob", True), ("anonymous", False)],
)
def test_a_request_is_expected_to_be_allowed(who: str, holds: bool) -> None:
    assert line(f"{{request: GET /records, allow: [{who}]}}") is holds


def test_a_public_operation_is_open_to_strangers() -> None:
    assert line("{request: GET /health, allow: [anonymous]}")
    assert not line("{request: GET /health, deny: {anonymous: not-authenticated}}")


def test_roles_claims_and_what_the_policy_gives_a_user_add_up() -> None:
    text = """\
        callers:
          alone: {user: bob}
          promoted: {user: bob, roles: [writer]}
          claimed: {user: bob, claims: [shop-admins]}
          nobody: {roles: []}
        expect:
          - request: PUT /records/1
            body: {Name: Ann}
            allow: [promoted, claimed]
            deny: {alone: [write], nobody: [write]}
    """
    assert set(outcomes(text).values()) == {True}


# --- why somebody is denied --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("denial", "holds"),
    [
        ("[detail]", True),
        ("detail", True),
        ("{all: [detail]}", True),
        ("permission-missing", True),
        ("[read]", False),
        ("[read, detail]", False),
        ("{any: [read, detail]}", False),
        ("not-authenticated", False),
        ("no-route", False),
        ("undecidable", False),
        ("malformed-target", False),
    ],
)
def test_exactly_what_is_missing_is_expected(denial: str, holds: bool) -> None:
    assert line(f"{{request: GET /records?details=1, deny: {{ann: {denial}}}}}") is holds


@pytest.mark.parametrize(
    ("denial", "holds"),
    [
        ("{any: [write, admin]}", True),
        ("{any: [admin, write]}", True),
        ("[{any: [admin, write]}]", True),
        ("[write, admin]", False),
        ("[write]", False),
        ("{any: [write, admin, read]}", False),
    ],
)
def test_one_of_several_and_all_of_them_are_told_apart(denial: str, holds: bool) -> None:
    assert line(f"{{request: POST /sweep, deny: {{bob: {denial}}}}}") is holds


def test_the_order_of_what_is_missing_does_not_count() -> None:
    for names in ("read, detail", "detail, read"):
        text = f"{{request: GET /records?details=, deny: {{nobody: [{names}]}}}}"
        (verdict,) = held(f"callers: {{nobody: {{roles: []}}}}\nexpect:\n  - {text}\n")
        assert verdict.as_expected


def test_a_denial_that_is_an_allowance_is_a_surprise() -> None:
    (verdict,) = held("expect:\n  - {request: GET /records, deny: {ann: [read]}}\n")
    assert isinstance(verdict.answer, Decision)
    assert (verdict.as_expected, verdict.answer.reason) == (False, Reason.PERMITTED)


@pytest.mark.parametrize(
    ("request_", "who", "reason"),
    [
        ("GET /nothing", "chief", "no-route"),
        ("GET /nothing", "anonymous", "not-authenticated"),
        ("GET /records?details=&details=", "chief", "undecidable"),
        ("GET /records/..", "chief", "malformed-target"),
        ("GET records", "anonymous", "malformed-target"),
        ("TRACE /records", "chief", "method-refused"),
        ("get /records", "chief", "method-refused"),
        (f"GET /{'a' * 9000}", "chief", "target-too-long"),
    ],
)
def test_every_reason_can_be_expected_and_no_other_will_do(
    request_: str, who: str, reason: str
) -> None:
    callers = "callers: {chief: {roles: [chief]}}\n" if who == "chief" else ""
    for expected in ("no-route", "not-authenticated", "undecidable", "guard-failed", reason):
        text = f"{callers}expect:\n  - {{request: '{request_}', deny: {{{who}: {expected}}}}}\n"
        (verdict,) = held(text)
        assert verdict.as_expected is (expected == reason)


# --- bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "denial"),
    [
        ("{Name: Ann}", None),
        ("{NAME: Ann}", None),
        ("{Phone: null}", "[detail]"),
        ("'{\"Ph\\u006fne\": 1}'", "[detail]"),
        ("''", "body-unreadable"),
        ("'[]'", "body-unreadable"),
        ('\'{"a": 1, "A": 2}\'', "body-unreadable"),
        ('\'{"a": "\\ud800"}\'', "body-unreadable"),
    ],
)
def test_a_body_is_read_as_the_gateway_reads_it(body: str, denial: str | None) -> None:
    expected = "allow: [writer]" if denial is None else f"deny: {{writer: {denial}}}"
    assert caller("writer", f"{{request: PUT /records/1, body: {body}, {expected}}}")
    other = "allow: [writer]" if denial is not None else "deny: {writer: [detail]}"
    assert not caller("writer", f"{{request: PUT /records/1, body: {body}, {other}}}")


def test_a_body_on_which_nothing_depends_may_be_anything() -> None:
    for who, expected in (("chief", "allow: [chief]"), ("reader", "deny: {reader: [write]}")):
        assert caller(who, f"{{request: PUT /records/1, body: '[', {expected}}}")


def test_a_body_that_is_needed_and_not_given_is_neither_allowed_nor_denied() -> None:
    for expected in ("allow: [ann]", "deny: {ann: [detail]}", "deny: {ann: body-unreadable}"):
        (verdict,) = held(f"expect:\n  - {{request: PUT /records/1, {expected}}}\n")
        assert isinstance(verdict.answer, NeedsBody)
        assert not verdict.as_expected


def test_an_operation_that_takes_no_body_for_one_needs_none() -> None:
    lenient = table(CATALOGUE.replace("    guards:", "    body: optional\n    guards:"))
    for body in ("", "body: '', "):
        text = f"expect:\n  - {{request: PUT /records/1/owner, {body}allow: [ann]}}\n"
        assert outcomes(text, lenient) == {"ann": True}
    strict = outcomes("expect:\n  - {request: PUT /records/1/owner, allow: [ann]}\n")
    assert strict == {"ann": False}


def test_what_cannot_be_read_is_told_with_its_code() -> None:
    (verdict,) = held("expect:\n  - {request: PUT /records/1, body: '', allow: [ann]}\n")
    assert isinstance(verdict.answer, Refusal)
    assert (verdict.answer.status, verdict.answer.code) == (400, "body-unreadable")


# --- because, and the operation ----------------------------------------------------------------

DETAILS = "query has `details`"
GUARD = "body `id` must be the path's `id`"
OTHERS = "body: {id: '2'}"


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        (f"request: 'GET /records?details=', allow: [chief], because: [{DETAILS}]", True),
        ("request: 'GET /records?details=', allow: [chief], because: []", False),
        (f"request: GET /records, allow: [chief], because: [{DETAILS}]", False),
        ("request: GET /records, allow: [chief], because: []", True),
        (
            (
                f"request: PUT /records/1/owner, {OTHERS}, deny: {{chief: guard-failed}}, "
                f"because: ['{GUARD.replace(chr(39), chr(39) * 2)}']"
            ),
            True,
        ),
        (
            f"request: PUT /records/1/owner, {OTHERS}, deny: {{chief: guard-failed}}, because: []",
            False,
        ),
    ],
)
def test_because_is_exactly_what_came_true(text: str, holds: bool) -> None:
    assert caller("chief", f"{{{text}}}") is holds


def test_because_says_nothing_of_those_on_the_line_who_lack_a_permission() -> None:
    text = f"""\
        callers: {{chief: {{roles: [chief]}}, nobody: {{roles: []}}}}
        expect:
          - request: GET /records?details=
            allow: [chief]
            deny: {{ann: [detail], nobody: [read, detail], anonymous: not-authenticated}}
            because: [{DETAILS}]
    """
    assert set(outcomes(text).values()) == {True}


def test_conditions_of_a_body_count_also_for_those_who_need_no_look_at_it() -> None:
    text = """\
        callers: {chief: {roles: [chief]}}
        expect:
          - request: PUT /records/1
            body: {Phone: 1}
            allow: [chief]
            because: [body has keys outside `core`]
    """
    assert outcomes(text) == {"chief": True}


@pytest.mark.parametrize(
    ("request_", "route", "holds"),
    [
        ("GET /records", "find-records", True),
        ("GET /records", "read-record", False),
        ("HEAD /records/7", "read-record", True),
        ("PUT /records/7", "change-record", True),
        ("GET /nothing", "find-records", False),
        ("GET /..", "find-records", False),
    ],
)
def test_the_operation_that_answers_can_be_expected(request_: str, route: str, holds: bool) -> None:
    assert outcomes(f"expect:\n  - {{request: {request_}, route: {route}}}\n") == {"route": holds}


def test_a_service_that_does_not_use_roles_allows_whoever_is_known() -> None:
    off = table(CATALOGUE, POLICY, service=spec(use_role=UseRole.OFF))
    text = """\
        expect:
          - {request: DELETE /records, deny: {bob: no-route}}
          - {request: POST /sweep, allow: [bob], deny: {anonymous: not-authenticated}}
    """
    assert outcomes(text, off) == {"bob": True, "anonymous": True}
