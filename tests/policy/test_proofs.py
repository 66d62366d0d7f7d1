"""What assertions mean, and what is told when one does not hold."""

from typing import Any

import pytest

from policy import DecisionTable, UseRole
from policy.analysis import Proof
from tests.support.policies import CATALOGUE, POLICY, spec, table
from tests.support.proofs import verdict, verdicts

SHOP = table()

EXTRA_CLAIMS = """\
roles:
  reader: {permissions: [read]}
  writer: {permissions: [write]}
  detailer: {permissions: [detail]}
users:
  ann: {roles: [writer]}
  bob: {}
groups:
  desk: {roles: [reader]}
claims:
  c-detail: [detailer]
  c-read: [reader]
  c-write: [writer]
"""
SEVERAL = table(CATALOGUE, EXTRA_CLAIMS)


def contradicted(found: Proof) -> list[str]:
    """Who shows that it does not hold."""
    return [str(example) for example in found.counterexamples]


def on(assertion: str, of: DecisionTable = SHOP) -> list[str]:
    return contradicted(verdict(assertion, of))


# --- whom --------------------------------------------------------------------------------------


def test_only_means_whoever_has_the_role_however_it_came_by_it() -> None:
    assert on("{only: {roles: [writer, chief]}, can: own-record}") == []
    assert on("{only: {roles: reader}, can: own-record}") == [
        "role `chief`", "role `writer`", "claim `shop-admins`", "user `ann`",
    ]  # fmt: skip


def test_a_role_that_includes_a_named_one_is_another_role() -> None:
    assert on("{only: {roles: [reader, chief]}, can: read-record}") == [
        "role `writer`", "user `ann`",
    ]  # fmt: skip


def test_a_role_that_nobody_has_counts_where_roles_say_who_may() -> None:
    unused = table(CATALOGUE, POLICY, "roles: {unused: {permissions: [write]}}")
    assert on("{only: {roles: [writer, chief]}, can: own-record}", unused) == ["role `unused`"]
    assert on("{only: {users: ann, claims: shop-admins}, can: own-record}", unused) == []


def test_never_means_members_with_all_that_they_have_besides() -> None:
    both = table(CATALOGUE, POLICY, "users: {eve: {roles: [writer], groups: [desk]}}")
    assert on("{never: {groups: desk}, can: {methods: writes}}", SHOP) == []
    assert on("{never: {groups: desk}, can: {methods: writes}}", both) == ["user `eve`"]


def test_always_means_what_is_named_and_nobody_else() -> None:
    assert on("{always: {roles: [reader, writer]}, can: own-record}") == ["role `reader`"]
    assert on("{always: {users: [ann, bob]}, can: own-record}") == ["user `bob`"]
    assert on("{always: {groups: desk, claims: shop-admins}, can: own-record}") == ["group `desk`"]


@pytest.mark.parametrize(
    ("assertion", "against"),
    [
        ("{never: anonymous, can: health}", ["anonymous callers"]),
        ("{never: anonymous, can: [whoami, read-record]}", []),
        ("{only: authenticated, can: [whoami, read-record]}", []),
        ("{only: authenticated, can: health}", ["anonymous callers"]),
        ("{always: anyone, can: health}", []),
        ("{always: anyone, can: whoami}", ["anonymous callers"]),
        ("{always: authenticated, can: whoami}", []),
        ("{always: authenticated, can: read-record}", ["callers without a role"]),
    ],
)
def test_anonymous_authenticated_and_anyone_are_who_they_say(
    assertion: str, against: list[str]
) -> None:
    assert on(assertion) == against


def test_never_anyone_speaks_of_roles_groups_claims_and_users() -> None:
    assert on("{never: anyone, can: find-records}") == [
        "role `chief`", "role `reader`", "role `writer`", "group `desk`", "claim `shop-admins`",
        "user `ann`", "user `bob`",
    ]  # fmt: skip


# --- what --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "operations"),
    [
        ("own-record", {"own-record"}),
        ("[own-record, sweep]", {"own-record", "sweep"}),
        ("{methods: writes}", {"change-record", "own-record", "sweep"}),
        ("{methods: reads}", {"find-records", "read-record", "whoami", "health"}),
        ("{methods: [POST, GET], paths: [/sweep, /health]}", {"sweep", "health"}),
        ("{services: shop, methods: POST}", {"sweep"}),
        ("{paths: '/records/{any}'}", {"read-record", "change-record"}),
        ("{paths: /records/*/owner}", {"own-record"}),
        ("{paths: /records/**}", {"find-records", "read-record", "change-record", "own-record"}),
        ("{needs: admin}", {"sweep"}),
        ("{needs: [detail, admin]}", {"find-records", "change-record", "sweep"}),
        ("{when: {query_has: [details]}, methods: reads, needs: detail}", {"find-records"}),
        ("{request: PUT /records/1, body: {}}", {"change-record"}),
        ("{request: HEAD /records/1}", {"read-record"}),
    ],
)
def test_requests_are_meant_by_all_that_is_said_of_them(what: str, operations: set[str]) -> None:
    found = verdict(f"{{never: anyone, can: {what}}}", SHOP)
    assert {asked.route.id for asked in found.assertion.asked[0]} == operations


def test_a_permission_is_needed_only_where_the_conditions_say_so() -> None:
    found = verdict("{never: anyone, can: {operations: find-records, needs: detail}}", SHOP)
    assert [str(asked.probe) for asked in found.assertion.asked[0]] == ["GET /records?details=1"]


def test_a_condition_of_the_assertion_is_combined_with_those_of_the_operation() -> None:
    what = "{operations: change-record, when: {body_has_keys: [Colour]}}"
    assert on(f"{{never: {{roles: writer}}, can: {what}}}") == []
    what = "{operations: change-record, when: {body_has_keys: [Name]}}"
    (example, _) = verdict(f"{{never: {{roles: writer}}, can: {what}}}", SHOP).counterexamples
    assert example.asked[0].probe.body == {"Name": "(somebody)"}


def test_the_lists_of_a_condition_are_those_of_the_catalogue() -> None:
    what = "{operations: change-record, when: {body_has_keys_outside: core}}"
    assert on(f"{{only: {{roles: chief}}, can: {what}}}") == []


def test_one_request_is_meant_as_it_stands() -> None:
    plain = "{request: PUT /records/1, body: {Name: Ada}}"
    detailed = "{request: PUT /records/1, body: {Name: Ada, Colour: red}}"
    assert on(f"{{always: {{roles: [writer, chief]}}, can: {plain}}}") == []
    assert on(f"{{always: {{roles: [writer, chief]}}, can: {detailed}}}") == ["role `writer`"]


def test_always_leaves_out_what_is_refused_whoever_sends_it() -> None:
    assert on("{always: {roles: chief}, can: [find-records, own-record]}") == []


def test_one_request_that_is_always_refused_is_not_left_out() -> None:
    other = "{request: PUT /records/1/owner, body: {id: '2'}}"
    (example,) = verdict(f"{{always: {{roles: chief}}, can: {other}}}", SHOP).counterexamples
    assert example.why == ("guard-failed, whoever sends it", "body `id` must be the path's `id`")


# --- hold, and two things at once --------------------------------------------------------------


def test_to_hold_is_to_hold_all_of_it_at_once() -> None:
    assert on("{only: {roles: chief}, hold: [write, detail]}") == []
    assert on("{never: anyone, hold: [write, detail]}") == ["role `chief`", "claim `shop-admins`"]
    assert on("{always: {roles: [chief, writer]}, hold: [write, detail]}") == ["role `writer`"]


def test_two_duties_are_apart_if_nobody_can_do_something_of_both() -> None:
    both = "[{methods: PUT}, {operations: find-records, needs: detail}]"
    assert on(f"{{only: {{roles: chief}}, can_both: {both}}}") == []
    (example, _) = verdict(f"{{never: anyone, can_both: {both}}}", SHOP).counterexamples
    assert [asked.route.id for asked in example.asked] == ["change-record", "find-records"]


# --- several values of the roles claim ---------------------------------------------------------


def test_values_that_do_together_what_none_does_alone_are_found_and_as_few_as_it_takes() -> None:
    found = on("{never: anyone, can: {operations: change-record, needs: detail}}", SEVERAL)
    assert found == ["a token with the claims `c-detail` and `c-write`"]


def test_a_user_may_bring_such_a_token_too() -> None:
    assertion = "{only: {claims: c-write}, can: {operations: change-record, needs: detail}}"
    assert on(assertion, SEVERAL) == ["user `ann` with the claim `c-detail`"]


def test_each_value_may_be_looked_at_by_itself() -> None:
    what = "{operations: change-record, needs: detail}"
    assert on(f"{{never: anyone, can: {what}, claims: alone}}", SEVERAL) == []


def test_duties_and_members_are_looked_at_without_such_tokens_unless_asked_for() -> None:
    duties = "{never: anyone, hold: [write, detail]%s}"
    assert on(duties % "", SEVERAL) == []
    assert on(duties % ", claims: together", SEVERAL) == [
        "a token with the claims `c-detail` and `c-write`"
    ]
    members = "{never: {claims: c-read}, can: {methods: writes}%s}"
    assert on(members % "", SEVERAL) == []
    assert on(members % ", claims: together", SEVERAL) == [
        "a token with the claims `c-read` and `c-write`"
    ]


def test_who_may_is_not_what_makes_others_able() -> None:
    assertion = "{only: {roles: detailer}, can: {operations: change-record, needs: detail}}"
    assert on(assertion, SEVERAL) == []


# --- services that let through -----------------------------------------------------------------


@pytest.mark.parametrize("use_role", [UseRole.SHADOW, UseRole.OFF])
def test_what_is_let_through_unasked_counts_as_what_callers_can_do(use_role: UseRole) -> None:
    lax = table(service=spec(use_role=use_role))
    assertion = "{only: {roles: [writer, chief]}, can: {operations: own-record, needs: write}}"
    first, *_ = verdict(assertion, lax).counterexamples
    assert str(first) == "callers without a role"
    mode = "only watches" if use_role is UseRole.SHADOW else "does not use roles"
    assert first.why == (
        f"`shop` {mode} (`use_role: {use_role}`) and lets every known caller through",
    )
    assert on("{never: anonymous, can: own-record}", lax) == []


def test_what_is_held_does_not_depend_on_the_service() -> None:
    lax = table(service=spec(use_role=UseRole.OFF))
    assert on("{only: {roles: chief}, hold: detail}", lax) == []


# --- what is told ------------------------------------------------------------------------------


def test_a_counterexample_names_the_way_of_each_permission_to_its_line() -> None:
    group, user = verdict("{never: {groups: desk}, can: read-record}", SHOP).counterexamples
    assert [str(origin) for origin in group.origins] == [
        "group `desk` → role `reader` (policy-1.yaml:2:26)"
    ]
    assert [str(origin) for origin in user.origins] == [
        "user `bob` → group `desk` → role `reader` (policy-1.yaml:2:26)"
    ]


def test_a_counterexample_names_every_operation_that_it_can() -> None:
    first, *_ = verdict("{only: {roles: chief}, can: {methods: writes}}", SHOP).counterexamples
    assert first.operations == ("change-record", "own-record", "sweep")


def test_a_counterexample_to_always_names_what_is_missing() -> None:
    first, second = verdict(
        "{always: {roles: reader, users: bob}, can: sweep}", SHOP
    ).counterexamples
    assert first.why == second.why == ("one of `write`, `admin` is missing",)
    assert first.missing.any_of == (("write", "admin"),)


@pytest.mark.parametrize(
    ("assertion", "why"),
    [
        ("{never: anonymous, can: health}", "`health` is public (shop.yaml:25:3)"),
        ("{never: authenticated, can: whoami}", "`whoami` asks for no permission (shop.yaml:24:3)"),
        ("{always: anonymous, can: whoami}", "the operation is not public"),
        ("{always: {users: bob}, hold: write}", "`write` is missing"),
    ],
)
def test_what_needs_no_permission_is_told_as_such(assertion: str, why: str) -> None:
    first, *_ = verdict(assertion, SHOP).counterexamples
    assert first.why == (why,)


def test_of_very_many_callers_the_rest_is_named_only() -> None:
    users = ", ".join(f"u{number}: {{roles: [writer]}}" for number in range(120))
    many = table(CATALOGUE, POLICY, f"users: {{{users}}}")
    found = verdict("{only: {claims: shop-admins}, can: own-record}", many)
    assert (len(found.counterexamples), len(found.others)) == (100, 21)
    assert found.callers == 124


def test_verdicts_come_in_the_order_of_the_files() -> None:
    one = "assertions: {b: {title: t, never: anonymous, can: health}}"
    other = "assertions: {a: {title: t, always: anyone, can: health}}"
    found: list[Any] = [(each.assertion.name, each.holds) for each in verdicts(SHOP, one, other)]
    assert found == [("b", False), ("a", True)]
