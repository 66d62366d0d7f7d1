"""Scopes are a second gate: what a client is authorized for, or what a token names."""

import pytest

import policy
from policy import Caller, Code, DecisionTable, Kind, Means, Missing, Reason, UseRole
from policy.analysis import lint
from policy.scope_names import ScopeNames
from tests.support.policies import decided, document, findings, only, spec, table, user

CATALOGUE = """\
catalogue: cloud
permissions: {"queue:view": View, "queue:edit": Edit, "bill:view": Bills}
scopes: [routing, "routing:readonly", billing, "billing:readonly"]
operations:
  read: {request: "GET /queues", requires: "queue:view", scopes: [routing, "routing:readonly"]}
  write: {request: "PUT /queues", requires: "queue:edit", scopes: [routing]}
  bills: {request: "GET /bills", requires: "bill:view", scopes: ["billing:readonly"]}
  me: {request: "GET /me", requires: authenticated, scopes: [routing]}
  free: {request: "GET /free", requires: "queue:view"}
  health: {request: "GET /health", requires: public, scopes: [routing]}
  secret: {request: "GET /queues/secret", requires: nobody, scopes: [routing]}
"""
POLICY = """\
roles:
  viewer: {permissions: ["queue:view", "queue:edit", "bill:view"]}
clients:
  reader: {roles: [viewer], scopes: ["routing:readonly"]}
  trusted: {roles: [viewer], use_scopes: false}
  bare: {roles: [viewer]}
  lone: {scopes: [routing]}
users:
  reader: {roles: [viewer]}
"""


def cloud(*, use_scopes: bool = True, use_role: UseRole = UseRole.ENFORCE) -> DecisionTable:
    return table(CATALOGUE, POLICY, service=spec(use_scopes=use_scopes, use_role=use_role))


def client(name: str, *, scopes: tuple[str, ...] | None = None) -> Caller:
    return Caller(
        subject=name,
        kind=Kind.SERVICE,
        means=Means.CLIENT_CREDENTIALS,
        scopes=None if scopes is None else frozenset(scopes),
    )


def reason(caller: Caller, request: str, of: DecisionTable | None = None) -> Reason:
    return decided(of or cloud(), caller, request).reason


def test_any_one_of_the_scopes_is_enough_and_none_of_them_is_not() -> None:
    assert reason(client("reader"), "GET /queues") is Reason.PERMITTED
    denied = decided(cloud(), client("reader"), "PUT /queues")
    assert (denied.reason, denied.missing) == (Reason.SCOPE_MISSING, Missing(scopes=("routing",)))


def test_a_permission_that_is_missing_comes_first_and_the_scope_is_told_with_it() -> None:
    denied = decided(cloud(), user("nobody"), "GET /bills")
    assert denied.reason is Reason.PERMISSION_MISSING
    assert denied.missing == Missing(all_of=("bill:view",), scopes=("billing:readonly",))
    lacking_both = decided(cloud(), client("lone"), "GET /bills")
    assert lacking_both.missing == denied.missing


def test_an_operation_that_any_known_caller_may_use_asks_for_its_scope() -> None:
    assert reason(user("anybody", scopes=("routing",)), "GET /me") is Reason.PERMITTED
    assert reason(user("anybody"), "GET /me") is Reason.SCOPE_MISSING


def test_where_an_operation_names_no_scope_none_is_asked_for() -> None:
    assert reason(client("bare"), "GET /free") is Reason.PERMITTED
    assert reason(user(""), "GET /health") is Reason.PERMITTED


def test_a_client_without_scopes_holds_none_unless_it_does_not_use_them() -> None:
    assert reason(client("bare"), "GET /queues") is Reason.SCOPE_MISSING
    for request in ("GET /queues", "PUT /queues", "GET /bills", "GET /me"):
        assert reason(client("trusted"), request) is Reason.PERMITTED


def test_a_token_narrows_what_its_client_is_authorized_for_and_never_widens_it() -> None:
    assert reason(client("reader", scopes=()), "GET /queues") is Reason.SCOPE_MISSING
    assert reason(client("reader", scopes=("routing",)), "PUT /queues") is Reason.SCOPE_MISSING
    assert reason(client("reader", scopes=("routing:readonly",)), "GET /queues") is Reason.PERMITTED


def test_a_client_is_no_user_and_a_user_is_no_client() -> None:
    assert reason(user("reader", scopes=("routing",)), "PUT /queues") is Reason.PERMITTED
    assert reason(user("reader"), "GET /queues") is Reason.SCOPE_MISSING
    assert reason(user("trusted", scopes=("routing",)), "GET /queues") is Reason.PERMISSION_MISSING


def test_the_gate_is_off_where_the_service_says_so() -> None:
    of = cloud(use_scopes=False)
    assert reason(client("bare"), "GET /queues", of) is Reason.PERMITTED
    assert reason(client("lone"), "GET /queues", of) is Reason.PERMISSION_MISSING
    assert all(not route.any_of for route in of.operations)
    assert reason(client("bare"), "GET /queues", cloud(use_role=UseRole.OFF)) is Reason.NOT_ENFORCED


def test_a_closed_operation_is_closed_to_everybody_whatever_the_service_obeys() -> None:
    for use_role in UseRole:
        of = cloud(use_role=use_role)
        assert reason(client("trusted"), "GET /queues/secret", of) is Reason.CLOSED
        assert reason(user(""), "GET /queues/secret", of) is Reason.NOT_AUTHENTICATED


def test_a_scope_may_be_called_like_a_permission() -> None:
    same = CATALOGUE.replace("scopes: [routing,", 'scopes: ["queue:view", routing,').replace(
        'requires: "queue:view", scopes: [routing, ',
        'requires: "queue:view", scopes: ["queue:view", ',
    )
    of = table(same, POLICY)
    assert reason(client("bare"), "GET /queues", of) is Reason.SCOPE_MISSING
    assert reason(user("x", scopes=("queue:view",)), "GET /queues", of) is Reason.PERMISSION_MISSING


KNOWN = [
    "assistants", "assistants:readonly", "conversations", "conversations:readonly", "fax:readonly",
    "process-automation", "process-automation:readonly", "quality", "quality:readonly",
    "user-basic-info",
]  # fmt: skip


@pytest.mark.parametrize(
    ("misspelt", "meant"),
    [
        ("quaity:readonly", "quality:readonly"),
        ("assitstants:readonly", "assistants:readonly"),
        ("assitstants", "assistants"),
        ("conversation:readonly", "conversations:readonly"),
        ("process-authorization:readonly", "process-automation:readonly"),
        ("user-basic-info:readonly", "user-basic-info"),
        ("zzz:readonly", None),
        ("wholly-different", None),
    ],
)
def test_a_misspelt_scope_gets_the_one_that_was_meant(misspelt: str, meant: str | None) -> None:
    expected = None if meant is None else f"did you mean `{meant}`?"
    assert ScopeNames(KNOWN).help_for(misspelt) == expected


def test_an_unknown_scope_of_a_client_is_found_where_it_stands() -> None:
    found = only(
        findings(CATALOGUE, POLICY.replace('["routing:readonly"]', '["rooting:readonly"]'))
    )
    assert (found.code, found.help) == (Code.UNKNOWN_SCOPE, "did you mean `routing:readonly`?")
    assert found.where.line == 4


def test_what_roles_and_scopes_do_not_open_together_is_warned_of() -> None:
    of = document(
        CATALOGUE, POLICY.replace('["routing:readonly"]', '["routing:readonly", billing]')
    )
    found = {each.message for each in lint(of, policy.compile(of)) if "`reader`" in each.message}
    lost = "`queue:edit` and `bill:view`, which its roles grant"
    assert found == {
        f"the scopes of the client `reader` shut out {lost}",
        "`billing` of the client `reader` opens nothing that its roles permit",
    }


def test_nothing_is_said_of_scopes_where_nobody_asks_for_them() -> None:
    of = document(CATALOGUE, POLICY, service=spec(use_scopes=False))
    codes = {found.code for found in lint(of, policy.compile(of))}
    assert not codes & {Code.PERMISSION_SHUT_OUT, Code.SCOPE_OPENS_NOTHING}


def test_a_token_says_what_its_caller_is() -> None:
    """A client whose name no policy file has holds nothing, not even the scopes of its token."""
    unknown = replace_scopes(client("unknown"), "routing")
    denied = decided(cloud(), unknown, "GET /queues")
    assert denied.missing.scopes == ("routing", "routing:readonly")


def replace_scopes(caller: Caller, *scopes: str) -> Caller:
    return Caller(
        subject=caller.subject, kind=caller.kind, means=caller.means, scopes=frozenset(scopes)
    )
