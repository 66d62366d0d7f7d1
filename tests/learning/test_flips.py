"""What another policy would have decided of lines that a gateway wrote."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings

from gateway.learning import Flip, FlipKind, Flips
from gateway.learning.lines import Line
from policy import BodyFacts, DecisionTable, PolicyDocument, Reason, UseRole
from policy.analysis import Doubt
from tests.support.audit_files import decided, line_of, shop_lines
from tests.support.policies import CATALOGUE, POLICY, inquiry, spec, table, user
from tests.support.random_policies import blobs, policies, questions_of, with_other_assignments

SHOP = table()
ANN, BOB, ZOE = user("ann"), user("bob"), user("zoe")
READ, CHANGE = "GET /records/1", "PUT /records/1"
DETAIL = {"Other": "x"}
_NO_KEYS = BodyFacts({})

read = msgspec.json.Decoder(Line).decode


def replayed(lines: list[bytes], against: DecisionTable, by: DecisionTable = SHOP) -> Flips:
    flips = Flips(by, against)
    for line in lines:
        flips.add(read(line))
    return flips


def only(flips: Flips) -> Flip:
    (flip,) = flips.groups()
    return flip


def with_policy(old: str, new: str) -> DecisionTable:
    assert old in POLICY
    return table(CATALOGUE, POLICY.replace(old, new))


def test_nothing_flips_under_the_same_policy() -> None:
    asked: Any = [
        (caller, request, query, body)
        for caller in (ANN, BOB, ZOE, user(""), user("x", claims=("shop-admins",)))
        for request in (READ, "GET /records", CHANGE, "GET /nothing", "GET /health", "POST /sweep")
        for query in ((), (("details", ""),), (("details", ""), ("details", "")))
        for body in (None, DETAIL)
    ]
    flips = replayed(shop_lines(SHOP, asked), SHOP)
    assert (flips.replayed, flips.same, flips.unknown) == (len(asked), len(asked), {})


def test_who_is_given_more_is_newly_allowed_and_it_is_told_what_he_holds_now() -> None:
    lines = shop_lines(SHOP, [(BOB, "GET /records", (("details", ""),), None)] * 3)
    flip = only(replayed(lines, with_policy("permissions: [read]", "permissions: [read, detail]")))
    assert (flip.kind, flip.count, flip.caller) == (FlipKind.ALLOWED, 3, "bob")
    assert (flip.before, flip.after) == (Reason.PERMISSION_MISSING, Reason.PERMITTED)
    assert flip.conditions == ("query has `details`",)
    assert flip.missing.all_of == ("detail",)
    assert (flip.example, flip.first < flip.last) == ("r-2", True)


def test_who_is_given_less_is_newly_denied_and_it_is_told_what_he_lacks() -> None:
    lines = shop_lines(SHOP, [(ANN, READ, (), None), (BOB, READ, (), None)])
    against = with_policy("writer: {includes: [reader], ", "writer: {")
    flip = only(replayed(lines, against))
    assert (flip.kind, flip.caller, flip.missing.all_of) == (FlipKind.DENIED, "ann", ("read",))
    assert flip.after is Reason.PERMISSION_MISSING


def test_new_allows_come_first_and_then_what_is_most_frequent() -> None:
    lines = shop_lines(
        SHOP, [*[(ANN, READ, (), None)] * 3, (ZOE, READ, (), None), *[(BOB, READ, (), None)] * 5]
    )
    against = table(CATALOGUE, "roles: {r: {permissions: [read]}}\nusers: {zoe: {roles: [r]}}\n")
    groups = replayed(lines, against).groups()
    assert [(flip.kind, flip.caller, flip.count) for flip in groups] == [
        (FlipKind.ALLOWED, "zoe", 1), (FlipKind.DENIED, "bob", 5), (FlipKind.DENIED, "ann", 3),
    ]  # fmt: skip


def test_what_depends_on_a_body_that_nobody_read_is_not_guessed() -> None:
    chief = user("carla", claims=("shop-admins",))
    lines = shop_lines(SHOP, [(chief, CHANGE, (), DETAIL)])
    less = with_policy("[read, write, detail, admin]", "[read, write]")
    flips = replayed(lines, less)
    ((unknown, count),) = flips.unknown.items()
    assert (unknown.why, unknown.operation, count) == (Doubt.BODY, "change-record", 1)
    assert flips.examples[unknown] == "r-0"


def test_where_the_body_was_read_its_conditions_are_known() -> None:
    lines = shop_lines(SHOP, [(ANN, CHANGE, (), DETAIL), (ANN, CHANGE, (), {"Name": "x"})])
    more = with_policy("permissions: [write]", "permissions: [write, detail]")
    flip = only(replayed(lines, more))
    assert (flip.count, flip.conditions) == (1, ("body has keys outside `core`",))


def test_lines_of_other_catalogues_than_those_at_hand_are_told_apart() -> None:
    other = table(CATALOGUE + "#")
    flips = replayed(shop_lines(other, [(BOB, READ, (), None)]), SHOP)
    (unknown,) = flips.unknown
    assert "other catalogues" in unknown.why


def test_lines_of_an_older_policy_over_the_same_catalogues_are_as_good() -> None:
    older = with_policy("desk: {roles: [reader]}", "desk: {roles: [writer]}")
    flips = replayed(shop_lines(older, [(BOB, CHANGE, (), {"Name": "x"})]), SHOP)
    assert only(flips).kind is FlipKind.DENIED


def test_an_operation_that_is_gone_is_denied() -> None:
    without = table(
        CATALOGUE.replace("  whoami: {request: GET /whoami, requires: authenticated}\n", "")
    )
    flip = only(replayed(shop_lines(SHOP, [(ZOE, "GET /whoami", (), None)]), without))
    assert (flip.kind, flip.after) == (FlipKind.DENIED, Reason.NO_ROUTE)


def test_a_path_that_was_unknown_may_be_the_new_operation_or_not() -> None:
    more = table(CATALOGUE + "  news: {request: GET /news, requires: authenticated}\n")
    lines = shop_lines(SHOP, [(ZOE, "GET /news", (), None), (ZOE, "PUT /news", (), None)])
    flips = replayed(lines, more)
    assert [(found.why, count) for found, count in flips.unknown.items()] == [(Doubt.NO_PATH, 1)]
    assert flips.same == 1


def test_a_condition_that_was_not_asked_then_is_not_guessed() -> None:
    stricter = table(
        CATALOGUE.replace(
            "  read-record: {",
            "  read-record: {also: [{when: {query_has: [all]}, requires: detail}], ",
        )
    )
    flips = replayed(shop_lines(SHOP, [(BOB, READ, (("all", ""),), None)]), stricter)
    assert [found.why for found in flips.unknown] == [Doubt.NEW_CONDITION]


def test_claims_that_the_line_left_out_could_only_have_brought_more() -> None:
    shop_admins = inquiry(SHOP, user("x", claims=("other",)), READ)
    for claims, against, expected in (
        (("other", "…"), SHOP, Doubt.CALLER),
        (("shop-admins", "…"), SHOP, None),
        (("other", "…"), with_policy("  shop-admins: [chief]", "  shop-admins: []"), None),
    ):
        flips = replayed([line_of(SHOP, shop_admins, claims=claims)], against)
        assert [found.why for found in flips.unknown] == ([expected] if expected else [])


def test_a_line_that_was_shortened_says_only_what_is_left() -> None:
    line = line_of(SHOP, inquiry(SHOP, BOB, "GET /records"), conditions=("…",), because=("…",))
    more = with_policy("permissions: [read]", "permissions: [read, detail]")
    less = with_policy("permissions: [read]", "permissions: [write]")
    assert replayed([line], more).same == 1
    assert only(replayed([line], less)).kind is FlipKind.DENIED
    assert [found.why for found in replayed([line], SHOP).unknown] == [Doubt.NOT_RECORDED]


def test_a_line_that_no_request_leaves_is_told_and_not_believed() -> None:
    line = line_of(SHOP, inquiry(SHOP, BOB, READ), conditions=("query has `nonsense`",))
    assert [found.why for found in replayed([line], SHOP).unknown] == [Doubt.NOTHING_FITS]


def test_what_ended_in_an_error_was_never_decided() -> None:
    line = line_of(SHOP, inquiry(SHOP, BOB, READ), reason="body-unreadable", effect="deny")
    flips = replayed([line], SHOP)
    assert (flips.undecided, flips.replayed) == (1, 0)


def test_what_was_let_through_in_shadow_and_would_be_refused_is_told_as_such() -> None:
    watching = table(service=spec(use_role=UseRole.SHADOW))
    lines = [line_of(watching, inquiry(watching, ZOE, READ), enforced=False)]
    assert only(replayed(lines, SHOP, watching)).kind is FlipKind.ENFORCED
    assert replayed(lines, watching, watching).same == 1


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies(), blobs(), blobs())
def test_a_line_through_its_text_agrees_with_deciding_anew(
    made: tuple[PolicyDocument, DecisionTable], other: bytes, blob: bytes
) -> None:
    document, by = made
    against = with_other_assignments(document, other)
    for question in questions_of(by, blob, 4):
        caller = msgspec.structs.replace(question.caller, roles=frozenset())
        asked = {
            one: msgspec.structs.replace(
                question, caller=caller, held=one.held_by(caller), body=question.body or _NO_KEYS
            )
            for one in (by, against)
        }
        flips = replayed([line_of(by, asked[by])], against, by)
        same = decided(by, asked[by]).effect is decided(against, asked[against]).effect
        assert (flips.same, flips.flipped) in {(int(same), int(not same)), (0, 0)}
        assert flips.replayed + flips.unknown.total() == 1
