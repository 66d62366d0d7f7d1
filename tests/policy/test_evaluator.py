"""`decide`: the order of its questions, and what each answer says."""

import msgspec
import pytest

from policy import ANONYMOUS, Decision, Effect, Held, Missing, NeedsBody, Reason, UseRole, decide
from tests.support.policies import CATALOGUE, POLICY, ask, decided, inquiry, spec, table, user

SHOP = table()
ANN, BOB, ZOE = user("ann"), user("bob"), user("zoe")
CHIEF = user("chief", roles=("chief",))


def test_an_unknown_operation_is_denied_to_everybody() -> None:
    decision = decided(SHOP, CHIEF, "DELETE /records/1")
    assert (decision.effect, decision.reason) == (Effect.DENY, Reason.NO_ROUTE)
    assert decision.route is None


def test_a_stranger_does_not_hear_whether_there_is_such_an_operation() -> None:
    decision = decided(SHOP, ANONYMOUS, "DELETE /records/1")
    assert (decision.effect, decision.reason) == (Effect.DENY, Reason.NOT_AUTHENTICATED)
    assert decision.route is None


def test_a_public_operation_is_open_to_everybody() -> None:
    for caller in (ZOE, ANONYMOUS):
        assert decided(SHOP, caller, "GET /health").reason is Reason.PERMITTED


def test_a_stranger_hears_nothing_but_that_it_is_one() -> None:
    decision = decided(SHOP, ANONYMOUS, "GET /records/1")
    assert (decision.effect, decision.reason) == (Effect.DENY, Reason.NOT_AUTHENTICATED)
    assert not decision.missing


def test_a_stranger_stays_one_whatever_bits_are_claimed_for_it() -> None:
    asked = msgspec.structs.replace(
        inquiry(SHOP, ANONYMOUS, "GET /records/1"), held=Held.everywhere_alike(-1)
    )
    answer = decide(SHOP, asked)
    assert isinstance(answer, Decision)
    assert answer.reason is Reason.NOT_AUTHENTICATED


def test_any_known_caller_may_do_what_only_asks_for_that() -> None:
    assert decided(SHOP, ZOE, "GET /whoami").reason is Reason.PERMITTED


def test_where_roles_are_not_used_knowing_the_caller_is_enough() -> None:
    lax = table(service=spec(use_role=UseRole.OFF))
    assert decided(lax, ZOE, "PUT /records/1/owner").reason is Reason.NOT_ENFORCED
    assert (
        decided(lax, ZOE, "GET /records", ("details", ""), ("details", "")).effect is Effect.ALLOW
    )
    assert decided(lax, ANONYMOUS, "GET /records").reason is Reason.NOT_AUTHENTICATED
    assert decided(lax, ZOE, "GET /nothing").reason is Reason.NO_ROUTE


def test_a_service_that_only_watches_is_decided_like_any_other() -> None:
    watching = table(service=spec(use_role=UseRole.SHADOW))
    assert decided(watching, ZOE, "GET /records").reason is Reason.PERMISSION_MISSING


def test_who_holds_what_is_needed_is_permitted() -> None:
    decision = decided(SHOP, BOB, "GET /records/1")
    assert (decision.effect, decision.reason) == (Effect.ALLOW, Reason.PERMITTED)
    assert decision.route is SHOP.operations[1]
    assert decision.policy == SHOP.version
    assert decision.missing == Missing()


def test_who_lacks_it_is_told_what() -> None:
    decision = decided(SHOP, ZOE, "GET /records/1")
    assert decision.reason is Reason.PERMISSION_MISSING
    assert decision.missing == Missing(all_of=("read",))


def test_one_of_several_is_enough_and_the_choice_is_told() -> None:
    assert decided(SHOP, ANN, "POST /sweep").reason is Reason.PERMITTED
    decision = decided(SHOP, BOB, "POST /sweep")
    assert decision.missing == Missing(any_of=(("write", "admin"),))


def test_all_and_any_are_kept_apart() -> None:
    catalogue = CATALOGUE.replace(
        "{any: [write, admin]}", "{all: [read, detail, {any: [write, admin]}]}"
    )
    decision = decided(table(catalogue), BOB, "POST /sweep")
    assert decision.missing == Missing(all_of=("detail",), any_of=(("write", "admin"),))
    assert decision.because == ()


def test_a_condition_of_the_query_adds_to_what_is_needed() -> None:
    plain = decided(SHOP, BOB, "GET /records", ("name", "x"))
    assert (plain.reason, plain.because) == (Reason.PERMITTED, ())
    decision = decided(SHOP, BOB, "GET /records", (" Details", ""))
    assert decision.missing == Missing(all_of=("detail",))
    assert decision.because == ("query has `details`",)


def test_a_condition_that_was_met_is_told_with_the_permission() -> None:
    decision = decided(SHOP, CHIEF, "GET /records", ("details", ""))
    assert (decision.reason, decision.because) == (Reason.PERMITTED, ("query has `details`",))


def test_a_denial_tells_also_the_conditions_that_were_met() -> None:
    catalogue = CATALOGUE.replace(
        "requires: detail}\n",
        "requires: detail}\n      - {when: {query_has: [all]}, requires: read}\n",
        1,
    )
    decision = decided(table(catalogue), BOB, "GET /records", ("details", ""), ("all", ""))
    assert decision.because == ("query has `details`",)
    assert decision.conditions == ("query has `details`", "query has `all`")


def test_a_decision_names_what_it_did_not_have_to_look_into_the_body_for() -> None:
    outside = ("body has keys outside `core`",)
    for body in ({"Name": "x"}, {"Other": "x"}):
        decision = decided(SHOP, ANN, "PUT /records/1", body=body)
        assert decision.unread == ()
        assert decision.conditions == (outside if "Other" in body else ())
    for caller in (CHIEF, ZOE):
        assert decided(SHOP, caller, "PUT /records/1").unread == outside


def test_everything_known_to_be_missing_is_told_at_once() -> None:
    decision = decided(SHOP, ZOE, "GET /records", ("details", ""))
    assert decision.missing == Missing(all_of=("read", "detail"))


def test_only_conditions_that_shaped_the_denial_are_told() -> None:
    shop = table(CATALOGUE, "roles: {d: {permissions: [detail]}}")
    decision = decided(shop, user("x", roles=("d",)), "GET /records", ("details", ""))
    assert decision.missing == Missing(all_of=("read",))
    assert decision.because == ()


def test_a_watched_name_that_is_given_twice_cannot_be_decided() -> None:
    decision = decided(SHOP, CHIEF, "GET /records", ("details", "a"), ("DETAILS", "b"))
    assert (decision.effect, decision.reason) == (Effect.DENY, Reason.UNDECIDABLE)
    assert decision.because == ("the query gives `details` more than once",)


def test_other_names_may_be_given_twice() -> None:
    decision = decided(SHOP, BOB, "GET /records", ("name", "a"), ("name", "b"))
    assert decision.reason is Reason.PERMITTED


def test_a_denial_that_the_body_cannot_change_does_not_wait_for_it() -> None:
    decision = decided(SHOP, BOB, "PUT /records/1")
    assert decision.missing == Missing(all_of=("write",))
    seen = decided(SHOP, BOB, "PUT /records/1", body={"Phone": []})
    assert seen.missing == Missing(all_of=("write",)), "the body is not asked where all is lost"


def test_a_permission_that_the_body_cannot_change_does_not_wait_for_it() -> None:
    assert decided(SHOP, CHIEF, "PUT /records/1").reason is Reason.PERMITTED


def test_the_body_is_asked_for_where_the_outcome_depends_on_it() -> None:
    answer = ask(SHOP, ANN, "PUT /records/1")
    assert isinstance(answer, NeedsBody)
    assert answer.route is SHOP.operations[2]


@pytest.mark.parametrize("value", ["555", [], None, {}])
def test_a_key_in_the_body_adds_to_what_is_needed_whatever_its_value(value: object) -> None:
    decision = decided(SHOP, ANN, "PUT /records/1", body={"name": "x", "Phone": value})
    assert decision.missing == Missing(all_of=("detail",))
    assert decision.because == ("body has keys outside `core`",)


def test_a_body_that_adds_nothing_is_permitted() -> None:
    decision = decided(SHOP, ANN, "PUT /records/1", body={"ID": "1", "name": "x"})
    assert (decision.reason, decision.because) == (Reason.PERMITTED, ())


def test_a_guard_always_has_the_body_read() -> None:
    assert isinstance(ask(SHOP, CHIEF, "PUT /records/1/owner"), NeedsBody)


def test_a_guard_that_holds_grants_nothing() -> None:
    decision = decided(SHOP, BOB, "PUT /records/1/owner", body={"id": "1"})
    assert decision.reason is Reason.PERMISSION_MISSING
    assert decided(SHOP, ANN, "PUT /records/1/owner", body={"id": "1"}).reason is Reason.PERMITTED
    assert decided(SHOP, ANN, "PUT /records/1/owner", body={}).reason is Reason.PERMITTED


@pytest.mark.parametrize("value", ["2", 1, None, ["1"]])
def test_a_guard_that_fails_denies_whoever_asks(value: object) -> None:
    decision = decided(SHOP, CHIEF, "PUT /records/1/owner", body={"ID": value})
    assert (decision.effect, decision.reason) == (Effect.DENY, Reason.GUARD_FAILED)
    assert decision.because == ("body `id` must be the path's `id`",)
    assert not decision.missing


def test_a_guard_compares_with_the_segment_behind_the_prefix() -> None:
    shop = table(service=spec(prefix="/shop/1"))
    assert (
        decided(shop, ANN, "PUT /shop/1/records/7/owner", body={"id": "7"}).effect is Effect.ALLOW
    )
    assert decided(shop, ANN, "PUT /shop/1/records/7/owner", body={"id": "1"}).effect is Effect.DENY


SEVERAL = """\
catalogue: shop
permissions: {a: A, b: B, c: C}
lists: {core: [id]}
operations:
  op:
    request: POST /op
    requires: authenticated
    also:
      - {when: {body_has_keys_outside: core}, requires: a}
      - {when: {query_has: [x]}, requires: b}
      - {when: {query_has: [x], body_has_keys: [y]}, requires: {any: [a, c]}}
    guards:
      - {body_value_equals_caller: agent}
      - {body_values_are_records_outside: [agent]}
"""
GIVEN = "roles: {a: {permissions: [a]}, b: {permissions: [b]}, c: {permissions: [c]}}"


def test_what_shaped_the_answer_is_told_in_the_order_of_the_catalogue() -> None:
    shop = table(SEVERAL, GIVEN)
    allowed = decided(shop, user("u", roles=("a", "b")), "POST /op", ("x", ""), body={"y": {}})
    assert allowed.because == (
        "body has keys outside `core`",
        "query has `x`",
        "query has `x` and body has keys of `y`",
    )
    denied = decided(shop, user("u", roles=("b", "c")), "POST /op", ("x", ""), body={"y": {}})
    assert denied.missing == Missing(all_of=("a",))
    assert denied.because == ("body has keys outside `core`",)
    refused = decided(shop, user("u", roles=("a",)), "POST /op", body={"agent": "v", "y": 1})
    assert refused.because == (
        "body `agent` must be the caller",
        "body values must be records outside `agent`",
    )


def test_a_condition_that_the_query_rules_out_does_not_ask_for_the_body() -> None:
    catalogue = SEVERAL[: SEVERAL.index("    guards")].replace(
        "      - {when: {body_has_keys_outside: core}, requires: a}\n", ""
    )
    shop = table(catalogue, GIVEN)
    b = user("u", roles=("b",))
    assert decided(shop, b, "POST /op").reason is Reason.PERMITTED
    assert isinstance(ask(shop, b, "POST /op", ("x", "")), NeedsBody)
    bc = user("u", roles=("b", "c"))
    assert decided(shop, bc, "POST /op", ("x", "")).because == ("query has `x`",)


def test_guards_are_enough_to_weigh_an_operation_that_asks_for_no_permission() -> None:
    catalogue = SEVERAL.replace(
        SEVERAL[SEVERAL.index("    also") : SEVERAL.index("    guards")], ""
    )
    shop = table(catalogue, GIVEN)
    assert isinstance(ask(shop, ZOE, "POST /op"), NeedsBody)
    assert decided(shop, ZOE, "POST /op", body={"agent": "zoe"}).reason is Reason.PERMITTED


def test_adding_a_role_takes_nothing_away() -> None:
    shop = table(CATALOGUE, POLICY)
    assert decided(shop, BOB, "GET /records").effect is Effect.ALLOW
    assert decided(shop, user("bob", roles=("chief",)), "GET /records").effect is Effect.ALLOW
