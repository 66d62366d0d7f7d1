"""Coverage names what no expectation has made the policy do."""

import pytest

from policy import UseRole
from policy.analysis import Coverage, coverage_of
from tests.support.expectations import SHOP, held
from tests.support.policies import CATALOGUE, POLICY, spec, table

NOTHING = "expect:\n  - {request: GET /nothing, deny: {ann: no-route}}\n"
DETAILS = "find-records: query has `details`"
KEYS = "change-record: body has keys outside `core`"
GUARD = "own-record: body `id` must be the path's `id`"


def coverage(*lines: str, callers: str = "{}") -> Coverage:
    text = f"callers: {callers}\nexpect:\n" + "".join(f"  - {{{line}}}\n" for line in lines)
    return coverage_of(SHOP, held(text))


def test_without_expectations_everything_is_a_gap() -> None:
    none = coverage_of(SHOP, ())
    assert [(each.title, each.covered, each.total) for each in none.dimensions] == [
        ("operations", 0, 7), ("conditions", 0, 4), ("guards", 0, 2), ("roles", 0, 3),
        ("permissions", 0, 4),
    ]  # fmt: skip
    assert [each.percent for each in none.dimensions] == [0] * 5
    assert none.operations.gaps[0] == "find-records (GET /records)"
    assert none.conditions.gaps == (
        f"{DETAILS}: never true", f"{DETAILS}: never false", f"{KEYS}: never true",
        f"{KEYS}: never false",
    )  # fmt: skip
    assert none.guards.gaps == (f"{GUARD}: never holds", f"{GUARD}: never fails")
    assert none.roles.gaps == ("reader", "writer", "chief")
    assert none.permissions.gaps == ("read", "write", "detail", "admin")


def test_an_operation_is_tried_by_whoever_asks_for_it() -> None:
    one = coverage("request: GET /health, allow: [anonymous]")
    assert one.operations.covered == 1
    assert "health (GET /health)" not in one.operations.gaps
    assert coverage("request: GET /nothing, deny: {ann: no-route}").operations.covered == 0
    assert coverage("request: GET /.., deny: {ann: malformed-target}").operations.covered == 0


def test_an_expectation_of_the_route_alone_tries_nobody() -> None:
    none = coverage("request: GET /records, route: find-records")
    assert [each.covered for each in none.dimensions] == [0] * 5


def test_a_condition_is_to_be_seen_both_ways() -> None:
    true, false = "request: 'GET /records?details=', ", "request: GET /records, "
    assert coverage(f"{true}deny: {{ann: [detail]}}").conditions.covered == 1
    assert coverage(f"{false}allow: [ann]").conditions.covered == 1
    both = coverage(f"{true}deny: {{ann: [detail]}}", f"{false}allow: [ann]")
    assert not [gap for gap in both.conditions.gaps if gap.startswith(DETAILS)]


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        # Denied before the body is looked at: it says nothing of the body.
        ("body: {Phone: 1}, deny: {bob: [write]}", []),
        ("body: {Phone: 1}, deny: {anonymous: not-authenticated}", []),
        ("deny: {ann: [detail]}", []),
        ("body: '[', deny: {ann: body-unreadable}", []),
        ("body: {Phone: 1}, deny: {ann: [detail]}", ["true"]),
        ("body: {Name: x}, allow: [ann]", ["false"]),
    ],
)
def test_a_condition_of_the_body_counts_where_the_body_counted(line: str, seen: list[str]) -> None:
    gaps = coverage(f"request: PUT /records/1, {line}").conditions.gaps
    missing = [way for way in ("true", "false") if f"{KEYS}: never {way}" in gaps]
    assert missing == [way for way in ("true", "false") if way not in seen]


def test_a_condition_of_the_query_counts_for_everybody_who_is_known() -> None:
    lacking = coverage(
        "request: 'GET /records?details=', deny: {nobody: [read, detail]}",
        callers="{nobody: {roles: []}}",
    )
    assert f"{DETAILS}: never true" not in lacking.conditions.gaps
    stranger = coverage("request: 'GET /records?details=', deny: {anonymous: not-authenticated}")
    assert stranger.conditions.covered == 0
    unclear = coverage("request: 'GET /records?details=&details=', deny: {ann: undecidable}")
    assert unclear.conditions.covered == 0


def test_a_guard_is_to_be_seen_both_ways() -> None:
    own, other = "body: {id: '1'}, allow: [ann]", "body: {id: '2'}, deny: {ann: guard-failed}"
    request = "request: PUT /records/1/owner, "
    assert coverage(f"{request}{own}").guards.gaps == (f"{GUARD}: never fails",)
    assert coverage(f"{request}{other}").guards.gaps == (f"{GUARD}: never holds",)
    assert coverage(f"{request}{own}", f"{request}{other}").guards.percent == 100
    assert coverage(f"{request}body: {{id: '2'}}, deny: {{bob: [write]}}").guards.covered == 0


def test_a_role_is_had_by_whoever_is_given_it_and_not_by_including_it() -> None:
    by_name = coverage("request: GET /records, allow: [ann]")
    assert by_name.roles.gaps == ("reader", "chief")
    by_group = coverage("request: GET /records, allow: [bob]")
    assert by_group.roles.gaps == ("writer", "chief")
    by_claim = coverage(
        "request: GET /records, allow: [boss]", callers="{boss: {claims: [shop-admins]}}"
    )
    assert by_claim.roles.gaps == ("reader", "writer")


def test_a_permission_counts_where_somebody_is_denied_for_want_of_it() -> None:
    denied = coverage("request: PUT /records/1, body: {}, deny: {bob: [write]}")
    assert denied.permissions.gaps == ("read", "detail", "admin")
    either = coverage("request: POST /sweep, deny: {bob: {any: [write, admin]}}")
    assert either.permissions.gaps == ("read", "detail")
    assert coverage("request: GET /records, allow: [ann]").permissions.covered == 0


def test_it_counts_what_happened_and_not_what_was_expected() -> None:
    wrong = coverage("request: 'GET /records?details=', allow: [ann]")
    assert wrong.permissions.gaps == ("read", "write", "admin")


def test_where_roles_are_not_used_no_rule_can_be_tried() -> None:
    off = table(CATALOGUE, POLICY, service=spec(use_role=UseRole.OFF))
    none = coverage_of(off, held(NOTHING, off))
    assert (none.conditions.total, none.guards.total, none.permissions.total) == (0, 0, 0)
    assert none.conditions.percent == 100
    assert none.operations.total == 7


def test_a_percentage_is_all_only_when_nothing_is_left() -> None:
    most = coverage(*(f"request: {line}, allow: [ann]" for line in (
        "GET /records", "GET /records/1", "PUT /records/1", "PUT /records/1/owner", "POST /sweep",
        "GET /whoami",
    )))  # fmt: skip
    assert (most.operations.covered, most.operations.percent) == (4, 57)
