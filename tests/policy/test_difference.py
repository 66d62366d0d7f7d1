"""Planted changes are found, each with a request that shows it; what is no change is not."""

import pytest

from policy import DecisionTable, Effect, Reason, UseRole
from policy.analysis import (
    Change,
    Combination,
    Difference,
    Enforcement,
    Strength,
    Who,
    WhoKind,
    difference,
    gains_of,
    losses_of,
)
from tests.support.policies import CATALOGUE, POLICY, spec, table

READER, WRITER = Who(WhoKind.ROLE, "reader"), Who(WhoKind.ROLE, "writer")
DESK, BOB, ANN = Who(WhoKind.GROUP, "desk"), Who(WhoKind.USER, "bob"), Who(WhoKind.USER, "ann")
STRANGER, KNOWN = Who(WhoKind.STRANGER), Who(WhoKind.KNOWN)


def edited(old: str, new: str, text: str = POLICY) -> str:
    assert text.count(old) == 1, "the test changes just one place"
    return text.replace(old, new)


def by_policy(policy: str) -> Difference:
    return difference(table(), table(CATALOGUE, policy))


def by_catalogue(catalogue: str) -> Difference:
    return difference(table(), table(catalogue))


def gainers(found: Difference) -> dict[str, set[Who]]:
    """Request to whoever gains it."""
    return {
        str(change.probe): set(found.population.members(change.gained)) for change in found.gains
    }


def only(changes: tuple[Change, ...]) -> Change:
    assert len(changes) == 1, [str(change.probe) for change in changes]
    return changes[0]


# --- planted grants ----------------------------------------------------------------------------


def test_a_permission_added_to_a_role_is_gained_by_whoever_has_the_role() -> None:
    found = by_policy(
        edited("reader: {permissions: [read]}", "reader: {permissions: [read, detail]}")
    )
    assert gainers(found) == {"GET /records?details=1": {READER, WRITER, DESK, BOB, ANN},
                              'PUT /records/1 {"other1": "(somebody)"}': {WRITER, ANN}}  # fmt: skip
    assert found.grants
    assert not found.losses
    change = found.gains[0]
    old, new = found.decided(change, BOB)
    assert (old.reason, old.missing.all_of) == (Reason.PERMISSION_MISSING, ("detail",))
    assert (new.reason, new.effect) == (Reason.PERMITTED, Effect.ALLOW)
    assert change.new.outcome.because == ("query has `details`",)


def test_an_include_added_to_a_role_is_gained() -> None:
    found = by_policy(
        edited("reader: {permissions: [read]}", "reader: {includes: [chief], permissions: [read]}")
    )
    assert gainers(found)["POST /sweep"] == {READER, DESK, BOB}
    assert gainers(found)["PUT /records/1/owner"] == {READER, DESK, BOB}


def test_a_demand_that_became_weaker_is_gained() -> None:
    found = by_catalogue(
        edited(
            "requires: {any: [write, admin]}", "requires: {any: [read, write, admin]}", CATALOGUE
        )
    )
    assert gainers(found) == {"POST /sweep": {READER, DESK, BOB}}
    change = only(found.demands)
    assert change.strength is Strength.WEAKER
    assert (str(change.old), str(change.new)) == (
        "needs `write` or `admin`", "needs `read` or `write` or `admin`",
    )  # fmt: skip


def test_a_new_mapping_of_a_claim_is_gained_by_that_claim_alone() -> None:
    found = by_policy(f"{POLICY}  newcomers: [reader]\n")
    claim = Who(WhoKind.CLAIM, "newcomers")
    assert gainers(found) == {"GET /records": {claim}, "GET /records/1": {claim}}
    assert [names.section for names in found.inventory.names] == ["claims"]


def test_a_role_and_a_user_that_only_the_new_policy_has_gain_what_they_may() -> None:
    found = by_policy(
        edited("  ann: {roles: [writer]}\n", "  ann: {roles: [writer]}\n  eve: {roles: [sweeper]}\n")
        .replace("roles:\n  reader", "roles:\n  sweeper: {permissions: [admin]}\n  reader", 1)
    )  # fmt: skip
    new = {Who(WhoKind.ROLE, "sweeper"), Who(WhoKind.USER, "eve")}
    assert gainers(found) == {"POST /sweep": new}
    assert {names.section: names.new for names in found.inventory.names} == {
        "roles": ("sweeper",), "users": ("eve",),
    }  # fmt: skip


def test_a_user_who_is_gone_loses_what_he_had() -> None:
    found = by_policy(edited("  bob: {groups: [desk]}\n", ""))
    assert {str(change.probe) for change in found.losses} == {"GET /records", "GET /records/1"}
    assert set(found.population.members(found.losses[0].lost)) == {BOB}
    assert not found.grants
    assert found


def test_what_becomes_public_is_gained_by_strangers() -> None:
    found = by_catalogue(
        edited("GET /whoami, requires: authenticated", "GET /whoami, requires: public", CATALOGUE)
    )
    assert gainers(found) == {"GET /whoami": {STRANGER}}
    old, new = found.decided(only(found.gains), STRANGER)
    assert (old.reason, new.reason) == (Reason.NOT_AUTHENTICATED, Reason.PERMITTED)


def test_a_guard_that_is_gone_is_gained_with_the_body_that_it_kept_out() -> None:
    found = by_catalogue(
        edited("    guards:\n      - {body_value_equals_path: {id: id}}\n", "", CATALOGUE)
    )
    change = only(found.gains)
    assert str(change.probe) == 'PUT /records/1/owner {"id": "(somebody)"}'
    assert change.old.outcome.barred is Reason.GUARD_FAILED
    assert change.strength is Strength.WEAKER


# --- demands that touch nobody today -----------------------------------------------------------


def test_a_weaker_demand_is_a_grant_though_nobody_gains_today() -> None:
    policy = edited("permissions: [read, write, detail, admin]", "permissions: [read]")
    catalogue = edited(
        'GET /records/{id}", requires: read',
        'GET /records/{id}", requires: [read, admin]',
        CATALOGUE,
    )
    weaker = edited(
        'GET /records/{id}", requires: read', 'GET /records/{id}", requires: [admin]', CATALOGUE
    )
    found = difference(table(catalogue, policy), table(weaker, policy))
    assert not found.effects
    assert only(found.demands).strength is Strength.WEAKER
    assert found.grants


def test_a_stronger_demand_is_no_grant() -> None:
    found = by_catalogue(
        edited(
            "PUT /records/{id}/owner\n    requires: write",
            "PUT /records/{id}/owner\n    requires: [write, admin]",
            CATALOGUE,
        )
    )
    assert {change.strength for change in found.demands} == {Strength.STRONGER}
    assert not found.grants


def test_a_new_operation_is_a_grant_only_for_who_may_send_it() -> None:
    line = "  purge: {{request: POST /purge, requires: {}}}\n"
    policy = edited("permissions: [read, write, detail, admin]", "permissions: [read]")
    for needed, may in (("admin", False), ("read", True)):
        found = difference(table(CATALOGUE, policy), table(CATALOGUE + line.format(needed), policy))
        assert found.grants is may
        assert found.demands == ()
        assert found.inventory.names[0].new == ("purge of shop",)


def test_an_operation_behind_another_path_is_moved_and_one_of_another_name_renamed() -> None:
    catalogue = edited("POST /sweep", "POST /clean", CATALOGUE).replace("own-record", "owner")
    (sweep, owner) = by_catalogue(catalogue).inventory.moved
    assert (sweep.old_request, sweep.new_request) == ("POST /sweep", "POST /clean")
    assert (owner.old, owner.new) == ("own-record", "owner")


# --- services that do not obey -----------------------------------------------------------------


def with_use_role(mode: UseRole) -> DecisionTable:
    return table(service=spec(use_role=mode))


@pytest.mark.parametrize(
    ("old", "new", "looser"),
    [
        (UseRole.ENFORCE, UseRole.SHADOW, True),
        (UseRole.ENFORCE, UseRole.OFF, True),
        (UseRole.SHADOW, UseRole.ENFORCE, False),
        (UseRole.OFF, UseRole.SHADOW, False),
    ],
)
def test_a_service_that_ceases_to_obey_roles_is_a_grant(
    old: UseRole, new: UseRole, looser: bool
) -> None:
    found = difference(with_use_role(old), with_use_role(new))
    assert found.inventory.enforcement == (Enforcement("shop", old, new),)
    assert found.grants is looser
    assert found.demands == ()


def test_what_is_not_obeyed_any_more_is_gained_by_callers_without_a_role() -> None:
    found = difference(with_use_role(UseRole.ENFORCE), with_use_role(UseRole.OFF))
    assert all(KNOWN in members for members in gainers(found).values())
    assert all(STRANGER not in members for members in gainers(found).values())
    (party,) = gains_of(found, folded=True).parties
    assert party.members[0] == KNOWN
    assert READER not in party.members, "what everybody gains is told once"


def test_a_new_operation_of_a_service_that_only_records_opens_to_whoever_is_known() -> None:
    catalogue = f"{CATALOGUE}  purge: {{request: POST /purge, requires: admin}}\n"
    policy = edited("permissions: [read, write, detail, admin]", "permissions: [read]")
    shadow = spec(use_role=UseRole.SHADOW)
    found = difference(
        table(CATALOGUE, policy, service=shadow), table(catalogue, policy, service=shadow)
    )
    assert only(found.demands).opens
    assert not found.gains
    assert found.grants


# --- tokens with several claims ----------------------------------------------------------------

SEVERAL = """\
roles:
  r: {permissions: [read]}
  w: {permissions: [write]}
  d: {permissions: [detail]}
claims:
  reads: [r]
  writes: [w]
  details: [d]
users:
  una: {roles: [d]}
"""
NEEDS_TWO = """\
catalogue: shop
permissions: {read: Read, write: Write, detail: Detail}
operations:
  merge: {request: POST /merge, requires: [read, %s]}
"""


def test_a_token_gains_by_two_claims_of_which_neither_gains_alone() -> None:
    old = edited("w: {permissions: [write]}", "w: {permissions: []}", SEVERAL)
    found = difference(table(NEEDS_TWO % "write", old), table(NEEDS_TWO % "write", SEVERAL))
    change = only(found.gains)
    assert not change.gained
    assert change.gained_together == (Combination(("reads", "writes")),)
    old_answer, new_answer = found.decided(change, change.gained_together[0])
    assert old_answer.missing.all_of == ("write",)
    assert new_answer.reason is Reason.PERMITTED
    assert found.grants


def test_a_user_gains_by_a_claim_that_gives_the_rest() -> None:
    without = edited("  details: [d]\n", "", SEVERAL)
    old = edited("r: {permissions: [read]}", "r: {permissions: []}", without)
    found = difference(table(NEEDS_TWO % "detail", old), table(NEEDS_TWO % "detail", without))
    assert only(found.gains).gained_together == (Combination(("reads",), "una"),)


def test_a_token_loses_by_three_claims_and_none_can_be_left_out() -> None:
    catalogue = NEEDS_TWO % "write, detail"
    found = difference(
        table(catalogue, SEVERAL),
        table(catalogue, edited("d: {permissions: [detail]}", "d: {permissions: []}", SEVERAL)),
    )
    change = only(found.losses)
    assert change.lost_together == (Combination(("details", "reads", "writes")),)
    assert not found.grants


def test_a_token_that_could_all_along_gains_nothing() -> None:
    more = edited("d: {permissions: [detail]}", "d: {permissions: [detail, write]}", SEVERAL)
    catalogue = NEEDS_TWO % "write"
    found = difference(table(catalogue, SEVERAL), table(catalogue, more))
    assert only(found.gains).gained_together == (Combination(("details", "reads")),)


# --- a pinned service, and requests that do not say to which division ---------------------------

PINNED = spec(pin_header="X-Tenant")
TENANTS = """\
roles:
  r: {permissions: [read]}
  w: {permissions: [write]}
claims:
  reads: [{role: r, divisions: [north]}]
  writes: [{role: w, divisions: [north]}]
  elsewhere: [{role: w, divisions: [south]}]
"""


def pinned(old: str, new: str) -> Difference:
    catalogue = NEEDS_TWO % "write"
    return difference(*(table(catalogue, each, service=PINNED) for each in (old, new)))


def test_claims_for_one_division_gain_together_without_saying_it() -> None:
    old = edited("w: {permissions: [write]}", "w: {permissions: []}", TENANTS)
    unsaid, said = pinned(old, TENANTS).gains
    assert (unsaid.probe.headers, said.probe.headers) == ((), (("X-Tenant", "north"),))
    for change in (unsaid, said):
        assert change.gained_together == (Combination(("reads", "writes")),)


def test_a_token_gains_where_one_of_its_claims_no_longer_leaves_the_division_open() -> None:
    """With grants in two divisions nobody could say which was meant."""
    more = edited("r: {permissions: [read]}", "r: {permissions: [read, write]}", TENANTS)
    less = edited("elsewhere: [{role: w, divisions: [south]}]", "elsewhere: []", more)
    found = pinned(more, less)
    change = only(found.gains)
    assert change.probe.headers == ()
    assert change.gained_together == (Combination(("elsewhere", "reads")),)
    before, after = found.decided(change, change.gained_together[0])
    assert (before.reason, after.reason) == (Reason.DIVISION_MISSING, Reason.PERMITTED)


def test_a_pinned_service_that_asks_for_a_scope_alone_asks_for_more_than_that() -> None:
    catalogue = """\
catalogue: shop
permissions: {read: Read}
scopes: [look]
operations:
  me: {request: GET /me, requires: authenticated, scopes: [look]}
"""
    policies = "roles: {r: {permissions: [read]}}\n"
    found = difference(table(catalogue, policies), table(catalogue, policies, service=PINNED))
    assert {change.strength for change in found.demands} == {Strength.STRONGER}
    assert str(found.demands[0].new) == (
        "needs some permission, and scope `look`, in the caller's only division or in all"
    )


# --- told together -----------------------------------------------------------------------------


def test_those_who_gain_the_same_are_one_party_and_each_request_stands_once() -> None:
    found = by_policy(
        edited("reader: {permissions: [read]}", "reader: {permissions: [read, detail]}")
    )
    shares = gains_of(found)
    assert {frozenset(party.members): len(party.bundles) for party in shares.parties} == {
        frozenset({READER, DESK, BOB}): 1,
        frozenset({WRITER, ANN}): 2,
    }
    assert [len(bundle.changes) for bundle in shares.bundles] == [1, 1]
    assert losses_of(found).parties == ()


def test_who_holds_other_permissions_is_told_though_it_changes_no_answer() -> None:
    policy = edited(
        "permissions: [read, write, detail, admin]", "permissions: [read, write, admin]"
    )
    catalogue = CATALOGUE.replace("detail}", "write}")
    found = difference(table(catalogue), table(catalogue, policy))
    assert not found.effects
    (holding,) = found.inventory.holdings
    assert set(holding.members) == {Who(WhoKind.ROLE, "chief"), Who(WhoKind.CLAIM, "shop-admins")}
    assert (holding.gained, holding.lost) == ((), ("detail",))
    assert found
    assert not found.grants


def test_permissions_are_compared_by_name_whatever_their_place_in_the_catalogue() -> None:
    line = "permissions: {read: Read Records, write: Write Records, detail: Read Details, admin: Administer}"
    other = "permissions: {admin: Administer, extra: More, detail: Read Details, write: Write Records, read: Read Records}"
    found = by_catalogue(edited(line, other, CATALOGUE))
    assert not found.effects
    assert not found.demands
    assert not found.inventory.holdings
    assert [(names.section, names.new) for names in found.inventory.names] == [
        ("permissions", ("extra",))
    ]


def test_another_comment_is_no_difference() -> None:
    found = by_policy(f"# as before\n{POLICY}")
    assert found.old.version != found.new.version
    assert not found


def test_a_claim_that_the_later_ones_made_needless_is_left_out() -> None:
    catalogue = """\
catalogue: shop
permissions: {a: A, b: B, c: C, d: D}
operations:
  all: {request: POST /all, requires: [a, b, c, d]}
"""
    policy = """\
roles: {ab: {permissions: [a, b]}, ca: {permissions: [c, a]}, db: {permissions: [%s]}}
claims: {one: [ab], two: [ca], three: [db]}
"""
    found = difference(table(catalogue, policy % "b"), table(catalogue, policy % "d, b"))
    assert only(found.gains).gained_together == (Combination(("three", "two")),)
