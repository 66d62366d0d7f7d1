"""Who may send a request, taken one by one and together."""

import policy
from policy import NOTHING_HELD, BodyFacts, Inquiry, Reason
from policy.analysis import Population, Reach, Who, WhoKind, cases_of_request, reach_of
from tests.support.policies import CATALOGUE, POLICY, spec, table, user
from tests.support.policies import inquiry as asked_of

SHOP = table()


def reaches(
    request: str,
    *query: tuple[str, str],
    body: dict[str, object] | None = None,
    of: policy.DecisionTable = SHOP,
) -> list[Reach]:
    inquiry: Inquiry = asked_of(of, user("zoe"), request, *query, body=body)
    cases = cases_of_request(of.routes.find(inquiry.method, inquiry.segments), inquiry)
    own = frozenset(case.only for case in cases if case.only is not None)
    return [reach_of(of, Population(of), case, except_=own) for case in cases]


def allowed(reach: Reach) -> dict[WhoKind, tuple[str, ...]]:
    return {kind: names for kind, names in reach.allowed.items() if names}


def test_everybody_is_told_by_kind() -> None:
    (reach,) = reaches("GET /records/1")
    assert allowed(reach) == {
        WhoKind.ROLE: ("chief", "reader", "writer"),
        WhoKind.GROUP: ("desk",),
        WhoKind.CLAIM: ("shop-admins",),
        WhoKind.USER: ("ann", "bob"),
    }
    assert reach.anybody


def test_strangers_and_callers_without_a_role_are_told_where_they_may() -> None:
    (public,), (known,) = reaches("GET /health"), reaches("GET /whoami")
    assert public.allowed[WhoKind.STRANGER] == ("",)
    assert known.allowed[WhoKind.STRANGER] == ()
    assert known.allowed[WhoKind.KNOWN] == ("",)


def test_nobody_may_what_no_operation_answers() -> None:
    (reach,) = reaches("GET /nothing")
    assert reach.case.outcome.barred is Reason.NO_ROUTE
    assert not reach.anybody


def test_a_body_that_was_not_given_makes_two_cases() -> None:
    plain, more = reaches("PUT /records/1")
    assert plain.case.outcome.because == ()
    assert plain.allowed[WhoKind.ROLE] == ("chief", "writer")
    assert more.case.outcome.because == ("body has keys outside `core`",)
    assert more.allowed[WhoKind.ROLE] == ("chief",)
    assert more.case.example is not None
    assert more.case.example.body == {"other1": "(somebody)"}


def test_a_body_that_was_given_makes_one() -> None:
    (reach,) = reaches("PUT /records/1", body={"Phone": "1"})
    assert reach.allowed[WhoKind.ROLE] == ("chief",)
    (miss,) = [miss for miss in reach.near if miss.permissions == ("detail",)]
    assert miss.who[WhoKind.ROLE] == ("writer",)
    assert miss.who[WhoKind.USER] == ("ann",)


def test_a_query_that_was_given_is_not_guessed_at() -> None:
    (reach,) = reaches("GET /records", ("details", ""))
    assert reach.case.outcome.because == ("query has `details`",)
    assert reach.allowed[WhoKind.ROLE] == ("chief",)


def test_one_of_two_permissions_is_one_step_away() -> None:
    (reach,) = reaches("POST /sweep")
    (miss,) = reach.near
    assert miss.permissions == ("write", "admin")
    assert miss.who[WhoKind.ROLE] == ("reader",)
    assert miss.who[WhoKind.KNOWN] == ("",)


APART = """\
roles: {w: {permissions: [write]}, d: {permissions: [detail]}}
claims: {writers: [w], readers: [d], others: []}
users: {eve: {roles: [w]}}
"""


def test_claims_that_only_together_are_enough_are_told() -> None:
    (reach,) = reaches("PUT /records/1", body={"Phone": "1"}, of=table(CATALOGUE, APART))
    assert allowed(reach) == {}
    assert {str(who) for who in reach.together} == {"claim `writers`", "claim `readers`"}
    assert reach.anybody


def test_a_user_whom_a_claim_completes_is_told_with_it() -> None:
    less = APART.replace("writers: [w], ", "")
    (reach,) = reaches("PUT /records/1", body={"Phone": "1"}, of=table(CATALOGUE, less))
    assert reach.together == (Who(WhoKind.USER, "eve"), Who(WhoKind.CLAIM, "readers"))


def test_a_guard_on_the_callers_own_name_has_a_case_for_whom_the_body_names() -> None:
    catalogue = CATALOGUE.replace(
        "requires: authenticated}",
        "requires: read, guards: [{body_value_equals_caller: owner}]}",
    )
    usual, own = reaches("GET /whoami", body={"owner": "ann"}, of=table(catalogue, POLICY))
    assert (usual.case.only, usual.case.outcome.barred) == (None, Reason.GUARD_FAILED)
    assert not usual.anybody
    assert own.case.only == "ann"
    assert own.allowed[WhoKind.USER] == ("ann",), "bob holds it too, and is not ann"


def test_a_body_that_already_speaks_of_the_unnamed_is_no_trick() -> None:
    catalogue = CATALOGUE.replace(
        "requires: authenticated}",
        "requires: read, guards: [{body_value_equals_caller: owner}]}",
    )
    inquiry = Inquiry(
        caller=policy.ANONYMOUS, held=NOTHING_HELD, method="GET", segments=("whoami",),
        body=BodyFacts({"owner": "(unnamed)"}),
    )  # fmt: skip
    of = table(catalogue, POLICY)
    usual, own = cases_of_request(of.routes.find("GET", ("whoami",)), inquiry)
    assert usual.outcome.barred is Reason.GUARD_FAILED
    assert own.only == "(unnamed)"


CLOUD = """\
catalogue: cloud
permissions: {view: View, edit: Edit}
scopes: [read]
operations:
  me: {request: "GET /me", requires: authenticated, scopes: [read]}
  both: {request: "GET /both", requires: [view, edit]}
  own: {request: "PUT /own", requires: view, guards: [{body_value_equals_caller: name}]}
"""
TENANTS = """\
roles: {viewer: {permissions: [view]}, editor: {permissions: [edit]}}
users: {ann: {roles: [viewer]}}
clients: {bot: {}}
claims:
  one: [{role: viewer, divisions: [a]}]
  two: [{role: editor, divisions: [b]}]
  three: [{role: editor, divisions: [a]}]
"""
PINNED = table(CLOUD, TENANTS, service=spec(pin_header="X-Tenant"))


def test_one_scope_is_not_enough_for_who_holds_nothing_of_a_pinned_service() -> None:
    (reach,) = reaches("GET /me", of=PINNED)
    assert allowed(reach)[WhoKind.USER] == ("ann",)
    assert not any("bot" in miss.who[WhoKind.CLIENT] for miss in reach.near)


def test_claims_for_one_division_are_enough_together_where_those_for_two_are_not() -> None:
    (reach,) = reaches("GET /both", of=PINNED)
    assert not any(reach.allowed.values())
    assert {who.name for who in reach.together} == {"one", "three"}


def test_a_client_is_a_caller_whom_a_body_can_name() -> None:
    other, itself = reaches("PUT /own", body={"name": "bot"}, of=table(CLOUD, TENANTS))
    assert (other.case.only, itself.case.only) == (None, "bot")
    (miss,) = [miss for miss in itself.near if miss.permissions == ("view",)]
    assert miss.who[WhoKind.CLIENT] == ("bot",)
    assert not any("bot" in miss.who[WhoKind.CLIENT] for miss in other.near)
