"""What was used of all that is granted, and the least that would have done."""

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.learning import Lack, Usage
from gateway.learning.lines import Line
from policy import DecisionTable, UseRole
from policy.analysis import Demand, least_of, smallest_role
from tests.support.audit_files import line_of, shop_lines
from tests.support.policies import CATALOGUE, POLICY, inquiry, spec, table, user

SHOP = table()
ANN, BOB, ZOE = user("ann"), user("bob"), user("zoe")
CARLA = user("carla", claims=("shop-admins",))
READ, CHANGE = "GET /records/1", "PUT /records/1"
DETAIL = {"Other": "x"}
read = msgspec.json.Decoder(Line).decode


def usage_of(lines: list[bytes], by: DecisionTable = SHOP) -> Usage:
    usage = Usage(by)
    for line in lines:
        usage.add(read(line))
    return usage


def used(usage: Usage, role: str, by: DecisionTable = SHOP) -> tuple[str, ...]:
    return by.names_of(usage.roles[role].used)


def unused(usage: Usage, role: str, by: DecisionTable = SHOP) -> tuple[str, ...]:
    return by.names_of(usage.unused(role))


def test_what_an_allowed_request_demanded_is_used_and_the_rest_is_not() -> None:
    usage = usage_of(shop_lines(SHOP, [(ANN, READ, (), None)]))
    assert (used(usage, "writer"), unused(usage, "writer")) == (("read",), ("write",))


def test_a_use_counts_for_every_role_through_which_it_was_held() -> None:
    usage = usage_of(shop_lines(SHOP, [(ANN, READ, (), None)]))
    assert [used(usage, role) for role in ("writer", "reader", "chief")] == [
        ("read",),
        ("read",),
        (),
    ]
    assert [usage.roles[role].callers for role in ("writer", "reader", "chief")] == [1, 1, 0]


def test_what_was_denied_used_nothing() -> None:
    usage = usage_of(shop_lines(SHOP, [(BOB, "GET /records", (("details", ""),), None)]))
    assert used(usage, "reader") == ()
    assert (usage.allowed.count, usage.denied.count) == (0, 1)


def test_a_condition_that_was_true_is_a_use() -> None:
    details = usage_of(shop_lines(SHOP, [(CARLA, "GET /records", (("details", ""),), None)]))
    assert used(details, "chief") == ("read", "detail")


def test_what_a_body_that_nobody_read_might_have_needed_is_used_perhaps() -> None:
    usage = usage_of(shop_lines(SHOP, [(CARLA, CHANGE, (), {"Name": "x"})]))
    assert used(usage, "chief") == ("write",)
    assert SHOP.names_of(usage.roles["chief"].perhaps) == ("write", "detail")
    assert unused(usage, "chief") == ("read", "admin")


def test_of_several_that_would_do_those_that_are_held_are_used() -> None:
    usage = usage_of(shop_lines(SHOP, [(CARLA, "POST /sweep", (), None)]))
    assert used(usage, "chief") == ("write", "admin")
    (use,) = usage.callers.values()
    least = least_of([one.at_most for one in use.demands], use.held)
    assert SHOP.names_of(least) == ("write",)


def test_nothing_can_be_taken_from_a_role_of_which_nobody_was_seen() -> None:
    usage = usage_of(shop_lines(SHOP, [(BOB, READ, (), None)]))
    assert usage.removable() == {}
    assert usage.unseen_users_with("reader") == ["ann"]


def test_a_caller_not_all_of_whose_claims_are_told_may_have_used_any_role() -> None:
    line = line_of(SHOP, inquiry(SHOP, CARLA, READ), claims=("other", "…"))
    usage = usage_of([line])
    assert used(usage, "chief") == used(usage, "reader") == ("read",)


def test_who_lacked_one_permission_is_told_how_often() -> None:
    asked: Any = [
        *[(BOB, "GET /records", (("details", ""),), None)] * 2,
        (ZOE, "GET /records", (("details", ""),), None),  # two at once
        (BOB, "POST /sweep", (), None),
    ]
    usage = usage_of(shop_lines(SHOP, asked))
    assert usage.lacks == {
        Lack("bob", (), ("detail",), "find-records"): 2,
        Lack("bob", (), ("write", "admin"), "sweep"): 1,
    }


def test_users_and_claims_that_were_seen_are_known() -> None:
    usage = usage_of(shop_lines(SHOP, [(BOB, CHANGE, (), None), (CARLA, READ, (), None)]))
    assert (usage.seen_users, usage.seen_claims) == ({"bob"}, {"shop-admins"})


def test_lines_of_other_catalogues_count_as_needing_all_that_they_may_have_needed() -> None:
    other = table(CATALOGUE + "#")
    usage = usage_of(shop_lines(other, [(CARLA, "GET /records", (), None)]))
    assert unused(usage, "chief") == ("write", "admin")
    assert SHOP.names_of(usage.roles["chief"].perhaps) == ("read", "detail")


def test_an_operation_that_is_gone_is_counted_apart() -> None:
    more = table(CATALOGUE + "  news: {request: GET /news, requires: authenticated}\n")
    assert usage_of(shop_lines(more, [(ZOE, "GET /news", (), None)])).unknown_operations == 1


def test_where_roles_are_not_used_a_request_used_what_it_would_need() -> None:
    lax = table(service=spec(use_role=UseRole.OFF))
    usage = usage_of(shop_lines(lax, [(ANN, READ, (), None)]), lax)
    assert used(usage, "writer", lax) == ("read",)


def test_the_time_that_it_rests_on_is_told() -> None:
    lines = shop_lines(SHOP, [(BOB, READ, (), None)] * 3)
    assert 0 < usage_of(lines).allowed.days < 1
    assert usage_of([]).allowed.days == 0
    odd = line_of(SHOP, inquiry(SHOP, BOB, READ), time="2026-yesterday")
    assert usage_of([odd]).allowed.days == 0


def test_the_smallest_role_is_one_that_the_caller_has_where_there_are_equals() -> None:
    policy = "roles: {a: {permissions: [admin]}, b: {permissions: [write]}}\n"
    by = table(CATALOGUE, policy)
    demands = [Demand(0, (by.permissions.mask_of(["write", "admin"]),))]
    held = by.permissions.mask_of(["write"])
    assert [smallest_role(by, demands, mask).name for mask in (0, held)] == ["a", "b"]  # type: ignore[union-attr]
    assert smallest_role(by, [Demand(by.permissions.mask_of(["write", "admin"]))]) is None


masks = st.integers(1, 63)
demands = st.lists(
    st.builds(Demand, st.integers(0, 63), st.lists(masks, max_size=3).map(tuple)), max_size=4
)


@settings(deadline=None)
@given(demands, st.integers(0, 63))
def test_the_least_is_the_least_that_brute_force_finds(wanted: list[Demand], held: int) -> None:
    least = least_of(wanted, held)
    good = [mask for mask in range(64) if all(demand.met_by(mask) for demand in wanted)]
    assert least in good
    assert least.bit_count() == min(mask.bit_count() for mask in good)


def test_with_very_much_to_choose_from_a_small_one_is_found() -> None:
    wanted = [Demand(0, (0b11 << 2 * number,)) for number in range(12)]
    assert least_of(wanted).bit_count() == 12


def test_everybody_who_was_seen_is_asked_whether_a_smaller_policy_would_do() -> None:
    usage = usage_of(shop_lines(SHOP, [(ANN, READ, (), None)]))
    assert usage.still_met_by(table(CATALOGUE, POLICY.replace("[write]", "[detail]")))
    assert not usage.still_met_by(table(CATALOGUE, POLICY.replace("[reader], p", "[], p")))
