"""A grant counts in its divisions: where the permission asks for it, and the request says which."""

from collections.abc import Mapping

import msgspec
import pytest

import policy
from policy import (
    BodyFacts,
    Caller,
    Code,
    Decision,
    DecisionTable,
    Held,
    Kind,
    Means,
    Missing,
    NeedsBody,
    Reason,
    folded,
)
from policy.analysis import lint
from tests.support.policies import document, findings, inquiry, only, spec, table, user

CATALOGUE = """\
catalogue: cloud
permissions: {"queue:view": View, "queue:edit": Edit, "user:view": Users}
division_aware: ["queue:view", "queue:edit"]
operations:
  of-division: {request: "GET /divisions/{division}/queues", requires: "queue:view", division: {path: division}}
  list: {request: "GET /queues", requires: "queue:view", division: {query: divisionId}}
  add: {request: "POST /queues", requires: "queue:edit", division: {body: division}}
  change: {request: "PUT /queues", requires: "queue:edit", division: {header: X-Division}}
  read: {request: "GET /queues/{id}", requires: "queue:view"}
  users: {request: "GET /users", requires: "user:view", division: {query: divisionId}}
"""
POLICY = """\
roles:
  desk: {permissions: ["queue:view", "queue:edit", "user:view"]}
users:
  ann: {roles: [{role: desk, divisions: [north]}]}
  bob: {roles: [desk]}
  cho: {roles: [{role: desk, divisions: ["*"]}]}
  dan: {groups: [both]}
  eve: {roles: [{role: desk, divisions: [home]}]}
groups:
  both: {roles: [{role: desk, divisions: [north, south]}]}
claims:
  easterners: [{role: desk, divisions: [east]}]
clients:
  vsm: {roles: [{role: desk, divisions: [north]}]}
"""
CLOUD = table(CATALOGUE, POLICY, service=spec(home_division="home"))


def answer(
    caller: Caller | str,
    request: str,
    *query: tuple[str, str],
    body: Mapping[str, object] | None = None,
    header: str | None = None,
    of: DecisionTable = CLOUD,
) -> Decision | NeedsBody:
    caller = user(caller) if isinstance(caller, str) else caller
    asked = inquiry(of, caller, request, *query)
    if body is not None:
        facts = {folded(key): value for key, value in body.items()}
        asked = msgspec.structs.replace(asked, body=BodyFacts(facts, frozenset(body)))
    if header is not None:
        asked = msgspec.structs.replace(asked, headers={b"x-division": header.encode()})
    return policy.decide(of, asked)


def reason(*args: object, **more: object) -> Reason | None:
    decision = answer(*args, **more)  # type: ignore[arg-type]
    return decision.reason if isinstance(decision, Decision) else None


def test_what_is_held_there_counts_and_what_is_held_elsewhere_does_not() -> None:
    assert reason("ann", "GET /divisions/north/queues") is Reason.PERMITTED
    denied = answer("ann", "GET /divisions/south/queues")
    assert isinstance(denied, Decision)
    assert denied.reason is Reason.DIVISION_MISSING
    assert denied.missing == Missing(all_of=("queue:view",), divisions=("south",))
    assert denied.divisions == ("south",)


def test_a_grant_in_all_divisions_counts_everywhere() -> None:
    for name in ("bob", "cho"):
        for request in ("GET /divisions/north/queues", "GET /divisions/x/queues", "GET /queues/1"):
            assert reason(name, request) is Reason.PERMITTED
        assert reason(name, "POST /queues") is Reason.PERMITTED  # and the body is not read


def test_a_permission_that_is_not_division_aware_counts_wherever_it_was_granted() -> None:
    assert reason("ann", "GET /users", ("divisionId", "south")) is Reason.PERMITTED


def test_where_a_request_names_no_division_the_home_is_meant() -> None:
    for request in ("GET /queues", "GET /queues/17"):
        assert reason("eve", request) is Reason.PERMITTED
        denied = answer("ann", request)
        assert isinstance(denied, Decision)
        assert (denied.reason, denied.missing.divisions) == (Reason.DIVISION_MISSING, ("home",))


def test_without_a_home_only_grants_in_all_divisions_count() -> None:
    homeless = table(CATALOGUE, POLICY)
    assert reason("eve", "GET /queues/17", of=homeless) is Reason.DIVISION_MISSING
    assert reason("bob", "GET /queues/17", of=homeless) is Reason.PERMITTED


def test_several_divisions_mean_all_of_them() -> None:
    both = ("divisionId", "north,south")
    assert reason("dan", "GET /queues", both) is Reason.PERMITTED
    assert reason("ann", "GET /queues", both) is Reason.DIVISION_MISSING
    twice = (("divisionId", "north"), ("divisionId", "south"))
    assert reason("dan", "GET /queues", *twice) is Reason.PERMITTED
    assert reason("ann", "GET /queues", *twice) is Reason.DIVISION_MISSING


@pytest.mark.parametrize(
    "query",
    [
        (("DivisionId", "north"),),
        ((" divisionId", "north"),),
        (("divisionId", ""),),
        (("divisionId", "north,"),),
        (("divisionId", "*"),),
        (("divisionId", "NORTH"),),
        (("divisionId", "north"), ("divisionid", "north")),
        tuple(("divisionId", f"d{n}") for n in range(60)),
    ],
)
def test_what_another_reader_might_take_otherwise_is_no_division_of_anybodys(
    query: tuple[tuple[str, str], ...],
) -> None:
    assert reason("ann", "GET /queues", *query) is Reason.DIVISION_MISSING
    assert reason("bob", "GET /queues", *query) is Reason.PERMITTED


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("north", Reason.PERMITTED),
        ({"id": "north"}, Reason.PERMITTED),
        (["north"], Reason.PERMITTED),
        ([{"id": "north", "name": "South"}], Reason.PERMITTED),
        ("south", Reason.DIVISION_MISSING),
        (["north", "south"], Reason.DIVISION_MISSING),
        (["north", None], Reason.DIVISION_MISSING),
        ({"ID": "north"}, Reason.DIVISION_MISSING),
        ({"id": ["north"]}, Reason.DIVISION_MISSING),
        (None, Reason.DIVISION_MISSING),
        ([], Reason.DIVISION_MISSING),
        (7, Reason.DIVISION_MISSING),
    ],
)
def test_a_body_says_its_division_by_an_id(value: object, expected: Reason) -> None:
    assert reason("ann", "POST /queues", body={"division": value}) is expected


def test_a_key_in_another_case_may_be_none_to_the_upstream() -> None:
    """Or a queue would be made in the home division with a grant in the north."""
    assert reason("ann", "POST /queues", body={"Division": "north"}) is Reason.DIVISION_MISSING


def test_the_body_is_asked_for_only_if_the_outcome_depends_on_it() -> None:
    assert isinstance(answer("ann", "POST /queues"), NeedsBody)
    assert reason("bob", "POST /queues") is Reason.PERMITTED
    assert reason("nobody", "POST /queues") is Reason.PERMISSION_MISSING
    assert reason("ann", "POST /queues", body={}) is Reason.DIVISION_MISSING
    assert reason("eve", "POST /queues", body={}) is Reason.PERMITTED


def test_a_header_says_it_where_the_catalogue_says_so() -> None:
    assert reason("ann", "PUT /queues", header="north") is Reason.PERMITTED
    assert reason("ann", "PUT /queues", header="north, south") is Reason.DIVISION_MISSING
    assert reason("ann", "PUT /queues", header="") is Reason.DIVISION_MISSING
    assert reason("eve", "PUT /queues") is Reason.PERMITTED


def test_users_groups_claims_and_clients_can_be_given_roles_by_division() -> None:
    vsm = Caller(subject="vsm", kind=Kind.SERVICE, means=Means.CLIENT_CREDENTIALS)
    assert reason(vsm, "GET /divisions/north/queues") is Reason.PERMITTED
    assert reason(vsm, "GET /divisions/east/queues") is Reason.DIVISION_MISSING
    east = user("x", claims=("easterners",))
    assert reason(east, "GET /divisions/east/queues") is Reason.PERMITTED
    assert reason("dan", "GET /divisions/south/queues") is Reason.PERMITTED


def test_who_holds_nothing_by_division_has_only_integers_to_compare() -> None:
    held = CLOUD.held_by(user("bob"))
    assert held == Held.everywhere_alike(held.anywhere)
    plain = table()
    assert not plain.held_by(user("ann")).by_division
    assert plain.aware == 0


def test_a_role_given_in_all_divisions_and_in_some_is_given_in_all() -> None:
    twice = POLICY.replace(
        "bob: {roles: [desk]}", "bob: {roles: [{role: desk, divisions: [a]}, desk]}"
    )
    of = table(CATALOGUE, twice, service=spec(home_division="home"))
    assert of.held_by(user("bob")) == CLOUD.held_by(user("bob"))


def test_an_unknown_role_of_a_grant_is_found_where_it_stands() -> None:
    found = only(
        findings(
            CATALOGUE, POLICY.replace("vsm: {roles: [{role: desk,", "vsm: {roles: [{role: dusk,")
        )
    )
    assert (found.code, found.help) == (Code.UNKNOWN_ROLE, "did you mean `desk`?")


def test_an_unknown_division_is_no_finding_and_a_missing_home_is_a_hint() -> None:
    at_home = document(CATALOGUE, POLICY, service=spec(home_division="nowhere-granted"))
    codes = {found.code for found in lint(at_home, policy.compile(at_home))}
    assert Code.HOME_DIVISION_UNSET not in codes
    homeless = document(CATALOGUE, POLICY)
    (hint,) = (
        found
        for found in lint(homeless, policy.compile(homeless))
        if found.code is Code.HOME_DIVISION_UNSET
    )
    assert str(hint.where) == "policy-1.yaml:4:3"


# --- pinned services ---------------------------------------------------------------------------

PINNED = table(
    CATALOGUE.replace(
        "users: {request:", "me: {request: GET /me, requires: authenticated}\n  users: {request:"
    ),
    POLICY,
    service=spec(pin_header="X-Genesys-TenantId"),
)


def pinned(name: str, request: str = "GET /users", said: str | None = None) -> Decision:
    asked = inquiry(PINNED, user(name), request)
    if said is not None:
        headers = {b"x-genesys-tenantid": said.encode()}
        asked = msgspec.structs.replace(asked, headers=headers)
    decision = policy.decide(PINNED, asked)
    assert isinstance(decision, Decision)
    return decision


def test_the_only_division_of_a_caller_is_meant_where_it_says_nothing() -> None:
    decision = pinned("ann")
    assert (decision.reason, decision.divisions) == (Reason.PERMITTED, ("north",))


def test_whose_grants_count_everywhere_is_confined_to_none_and_may_name_any() -> None:
    assert (pinned("bob").reason, pinned("bob").divisions) == (Reason.PERMITTED, ())
    anywhere = pinned("bob", said="south")
    assert (anywhere.reason, anywhere.divisions) == (Reason.PERMITTED, ("south",))


def test_with_grants_in_several_divisions_a_caller_has_to_say_which() -> None:
    assert pinned("dan").reason is Reason.DIVISION_MISSING
    assert (pinned("dan", said="south").reason, pinned("dan", said="south").divisions) == (
        Reason.PERMITTED,
        ("south",),
    )


def test_a_contradiction_is_denied_whatever_the_operation_asks_for() -> None:
    """H-12: also where every known caller may, and for permissions that are not division aware."""
    for request in ("GET /users", "GET /queues/1", "GET /me"):
        denied = pinned("ann", request, "south")
        assert (denied.reason, denied.divisions) == (Reason.DIVISION_MISSING, ("south",))
        assert pinned("ann", request, "north").reason is Reason.PERMITTED
    assert pinned("nobody", "GET /me").reason is Reason.DIVISION_MISSING
    assert pinned("nobody", "GET /users", "north").reason is Reason.PERMISSION_MISSING


@pytest.mark.parametrize(
    "said",
    ["", " ", "north,south", "north, south", "01 ", "-", "a" * 65, "north;x", "no\tth", "a b"],
)
def test_what_does_not_name_one_division_is_refused_to_everybody(said: str) -> None:
    for name in ("ann", "bob", "nobody"):
        decision = pinned(name, said=said)
        assert decision.reason is Reason.UNDECIDABLE
        assert decision.because == ("the header `X-Genesys-TenantId` does not name one division",)
        assert decision.divisions == ()


def test_another_spelling_of_a_number_is_another_division() -> None:
    """D0-2, H-12: `01` is not `1`."""
    of = table(CATALOGUE, POLICY.replace("[north]", '["1"]'), service=spec(pin_header="X-Tenant"))
    for said, expected in (("1", Reason.PERMITTED), ("01", Reason.DIVISION_MISSING)):
        asked = inquiry(of, user("ann"), "GET /users")
        asked = msgspec.structs.replace(asked, headers={b"x-tenant": said.encode()})
        decision = policy.decide(of, asked)
        assert isinstance(decision, Decision)
        assert decision.reason is expected


def test_a_denial_says_what_the_service_would_have_been_told() -> None:
    """A service that only watches lets the request through, to where the client said."""
    assert pinned("nobody", "GET /users", "north").divisions == ("north",)


# --- several divisions, and permissions to choose from ------------------------------------------

CHOICE = table(
    """\
catalogue: cloud
permissions: {"queue:view": View, "queue:audit": Audit}
division_aware: ["queue:view", "queue:audit"]
operations:
  list: {request: "GET /queues", requires: {any: ["queue:view", "queue:audit"]}, division: {query: divisionId}}
""",
    """\
roles:
  desk: {permissions: ["queue:view"]}
  audit: {permissions: ["queue:audit"]}
users:
  ann: {roles: [{role: desk, divisions: [north]}, {role: audit, divisions: [south]}]}
""",
)


def test_of_permissions_to_choose_from_another_may_be_held_in_each_division() -> None:
    """Who may ask about the one and about the other may ask about both."""
    for said in ("north", "south", "north,south"):
        assert reason("ann", "GET /queues", ("divisionId", said), of=CHOICE) is Reason.PERMITTED
    denied = answer("ann", "GET /queues", ("divisionId", "north,west"), of=CHOICE)
    assert isinstance(denied, Decision)
    assert denied.missing == Missing(
        any_of=(("queue:view", "queue:audit"),), divisions=("north", "west")
    )


def test_an_explanation_names_what_counts_in_each_division() -> None:
    asked = inquiry(CHOICE, user("ann"), "GET /queues", ("divisionId", "north,south"))
    (need,) = policy.explain(CHOICE, asked).needs
    assert need.held == ("queue:view", "queue:audit")
    asked = inquiry(CHOICE, user("ann"), "GET /queues", ("divisionId", "north,west"))
    (need,) = policy.explain(CHOICE, asked).needs
    assert (need.held, need.elsewhere) == ((), ("queue:view", "queue:audit"))
