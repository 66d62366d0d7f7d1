"""Proved claims become a caller only if every one of them has the type it should have."""

from collections.abc import Mapping
from typing import Any

import pytest

from gateway.authn.base import NotYet
from gateway.authn.bearer import TrustedIssuer
from gateway.authn.claims import MAX_ROLES, MAX_SCOPES, ClaimRules
from gateway.authn.keys import FixedKeys, KeySet
from gateway.errors import CredentialsRefused
from policy import Caller, Kind, Means

NOW = 1_800_000_000.0
ISSUER = "https://login.example.com/"
RULES = ClaimRules(issuer=ISSUER, audience="ucs-gateway")
GOOD: Mapping[str, Any] = {
    "iss": ISSUER,
    "aud": "ucs-gateway",
    "sub": "anna",
    "roles": ["editor"],
    "exp": NOW + 600,
}


def judged(rules: ClaimRules = RULES, /, **changes: Any) -> Caller:
    return rules.caller({**GOOD, **changes}, now=NOW)


def without(claim: str) -> dict[str, Any]:
    return {name: value for name, value in GOOD.items() if name != claim}


def test_good_claims_are_a_caller() -> None:
    assert judged() == Caller(
        subject="anna",
        kind=Kind.USER,
        means=Means.JWT,
        issuer=ISSUER,
        claims=frozenset({"editor"}),
        expires_at=NOW + 600,
    )


def test_a_caller_from_the_network_has_no_direct_roles() -> None:
    assert judged(roles=["admin"]).roles == frozenset()


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "sub"])
def test_issuer_audience_expiry_and_subject_must_be_there(claim: str) -> None:
    with pytest.raises(CredentialsRefused, match=f"`{claim}`"):
        RULES.caller(without(claim), now=NOW)


@pytest.mark.parametrize(
    "issuer",
    [
        "https://login.example.com",
        "https://login.example.com//",
        "https://login.example.com/ ",
        "HTTPS://login.example.com/",
        "https://login.example.com/x",
        "login.example.com",
        "",
        [ISSUER],
        {ISSUER: 1},
        None,
        True,
        0,
    ],
    ids=repr,
)
def test_the_issuer_is_compared_exactly(issuer: Any) -> None:
    with pytest.raises(CredentialsRefused, match="`iss` is not the issuer's name"):
        judged(iss=issuer)


@pytest.mark.parametrize("audience", ["ucs-gateway", ["ucs-gateway"], ["other", "ucs-gateway"]])
def test_the_audience_is_us_or_contains_us(audience: Any) -> None:
    assert judged(aud=audience).subject == "anna"


@pytest.mark.parametrize(
    "audience",
    [
        "ucs-gateway ",
        "UCS-Gateway",
        "ucs-gateway,other",
        "ucs-gateway other",
        "xucs-gateway",
        "ucs",
        "",
        "*",
        [],
        ["other"],
        [["ucs-gateway"]],
        [{"ucs-gateway": 1}],
        ["ucs-gateway", 1],
        ["ucs-gateway", None],
        {"ucs-gateway": "ucs-gateway"},
        None,
        1,
        True,
    ],
    ids=repr,
)
def test_any_other_audience_is_refused(audience: Any) -> None:
    with pytest.raises(CredentialsRefused, match="`aud`"):
        judged(aud=audience)


@pytest.mark.parametrize("expiry", [NOW - 29.9, NOW, NOW + 0.5, int(NOW) + 1, 253_402_300_799])
def test_a_token_is_good_until_its_expiry_and_the_leeway_after_it(expiry: float) -> None:
    caller = judged(exp=expiry)
    assert caller.expires_at == expiry  # without the leeway: no cache may add to it


@pytest.mark.parametrize("expiry", [NOW - 30, NOW - 31, 0, 1])
def test_a_token_is_refused_from_the_end_of_the_leeway_on(expiry: float) -> None:
    with pytest.raises(CredentialsRefused, match="has expired"):
        judged(exp=expiry)


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    ("date", "fault"),
    [
        (str(int(NOW) + 600), "not a number"),
        ("2099-01-01T00:00:00Z", "not a number"),
        (True, "not a number"),
        (None, "not a number"),
        ([NOW + 600], "not a number"),
        ({"$date": NOW}, "not a number"),
        (-1, "out of range"),
        (-0.5, "out of range"),
        (2**63, "out of range"),
        (2**64, "out of range"),
        (10**400, "out of range"),
        (1e300, "out of range"),
        (float("inf"), "out of range"),
        (float("nan"), "out of range"),
        (253_402_300_800, "out of range"),
        (int(NOW) * 1000, "out of range"),  # milliseconds
    ],
    ids=lambda value: repr(value)[:30],
)
def test_dates_are_numbers_within_reach(name: str, date: Any, fault: str) -> None:
    with pytest.raises(CredentialsRefused, match=f"`{name}` is {fault}"):
        judged(**{name: date})


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_from_the_future_may_be_good_later(name: str) -> None:
    assert judged(**{name: NOW + 30}).subject == "anna"
    with pytest.raises(NotYet, match=f"`{name}` is in the future"):
        judged(**{name: NOW + 31})


@pytest.mark.parametrize("subject", [None, 1, True, ["anna"], {"sub": "anna"}, ""])
def test_a_subject_that_is_no_text_is_refused(subject: Any) -> None:
    with pytest.raises(CredentialsRefused, match="`sub` is not text"):
        judged(sub=subject)


@pytest.mark.parametrize(
    "subject", ["an\nna", " anna", "anna\u200b", "Mu\u0308ller", "a" * 257, "\u202eanna"], ids=ascii
)
def test_a_subject_that_is_no_plain_name_is_refused(subject: str) -> None:
    with pytest.raises(CredentialsRefused, match="`sub` is not a plain name"):
        judged(sub=subject)


def test_a_prefix_keeps_the_names_of_two_issuers_apart() -> None:
    rules = ClaimRules(issuer=ISSUER, audience="ucs-gateway", subject_prefix="partner:")
    assert judged(rules).subject == "partner:anna"


def test_a_prefix_makes_no_name_of_nothing() -> None:
    rules = ClaimRules(issuer=ISSUER, audience="ucs-gateway", subject_prefix="partner:")
    with pytest.raises(CredentialsRefused, match="`sub` is not text"):
        judged(rules, sub="")
    with pytest.raises(CredentialsRefused, match="plain name"):
        judged(rules, sub="a" * 250)


def test_the_subject_may_be_in_another_claim() -> None:
    rules = ClaimRules(issuer=ISSUER, audience="ucs-gateway", subject_claim="user.name")
    assert judged(rules, user={"name": "kent"}).subject == "kent"
    with pytest.raises(CredentialsRefused, match=r"`user\.name` is not text"):
        judged(rules, user="kent")


@pytest.mark.parametrize(
    ("roles", "values"),
    [
        (["a", "b"], {"a", "b"}),
        ([], set()),
        ("a", {"a"}),
        ("a,b", {"a,b"}),
        ("a b", {"a b"}),
        ("*", {"*"}),
        (["a", "a"], {"a"}),
        (["admin "], set()),
        (["Admin"], {"Admin"}),
        (["a", "b\n", "", "e\u0301", "c" * 300], {"a"}),
    ],
)
def test_roles_are_taken_as_they_are_and_never_split(roles: Any, values: set[str]) -> None:
    assert judged(roles=roles).claims == values


def test_a_token_without_roles_has_none() -> None:
    assert RULES.caller(without("roles"), now=NOW).claims == frozenset()
    assert judged(roles=None).claims == frozenset()


@pytest.mark.parametrize("roles", [1, True, {"a": True}, ["a", 1], [["a"]], [None], 0, False])
def test_roles_of_another_type_are_refused(roles: Any) -> None:
    with pytest.raises(CredentialsRefused, match="`roles` is not a list of text"):
        judged(roles=roles)


def test_roles_are_bounded() -> None:
    assert len(judged(roles=[f"r{n}" for n in range(MAX_ROLES)]).claims) == MAX_ROLES
    with pytest.raises(CredentialsRefused, match=f"over {MAX_ROLES} values"):
        judged(roles=[f"r{n}" for n in range(MAX_ROLES + 1)])


@pytest.mark.parametrize(
    ("path", "claims", "values"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, {"a"}),
        ("realm_access.roles", {"realm_access.roles": ["a"]}, set()),
        ("realm_access.roles", {"realm_access": ["roles"]}, set()),
        ("a.b.c", {"a": {"b": {"c": "x"}}}, {"x"}),
        ("https://example.com/roles", {"https://example.com/roles": ["a"]}, {"a"}),
        ("cognito:groups", {"cognito:groups": ["a"]}, {"a"}),
    ],
)
def test_the_roles_claim_is_a_dotted_path_or_a_uri(
    path: str, claims: dict[str, Any], values: set[str]
) -> None:
    rules = ClaimRules(issuer=ISSUER, audience="ucs-gateway", roles_claim=path)
    assert judged(rules, **claims).claims == values


@pytest.mark.parametrize(
    ("client_id", "kind"),
    [("anna", Kind.SERVICE), ("web-app", Kind.USER), (None, Kind.USER), (["anna"], Kind.USER)],
)
def test_a_client_that_speaks_for_itself_is_a_service(client_id: Any, kind: Kind) -> None:
    assert judged(client_id=client_id).kind is kind


# --- scopes ------------------------------------------------------------------------------------


def scoped(claim: str = "scope") -> ClaimRules:
    return ClaimRules(issuer=ISSUER, audience="ucs-gateway", scopes_claim=claim)


def test_a_token_says_nothing_of_scopes_where_no_claim_is_named() -> None:
    assert judged(scope="a b", scp=["c"]).scopes is None


def test_a_token_that_lacks_the_claim_has_no_scope() -> None:
    """Else whoever gives out a token without the claim gives out every scope."""
    assert judged(scoped()).scopes == frozenset()


@pytest.mark.parametrize("claim", ["scope", "scp"])
@pytest.mark.parametrize("value", ["routing:readonly users", ["users", "routing:readonly"]])
def test_scopes_are_one_text_with_spaces_or_a_list(claim: str, value: Any) -> None:
    found = judged(scoped(claim), **{claim: value}).scopes
    assert found == {"routing:readonly", "users"}


def test_only_spaces_part_scopes() -> None:
    assert judged(scoped(), scope=" a,b  c ").scopes == {"a,b", "c"}


@pytest.mark.parametrize(
    "value",
    [
        7,
        True,
        {"users": 1},
        [["users"]],
        [None],
        ["a\n"],
        ["a b"],
        ["a "],
        [""],
        "a\tb",
        "ü",
        "a\u200bb",
        "x" * 257,
    ],
)
def test_what_is_no_scope_makes_no_caller(value: Any) -> None:
    with pytest.raises(CredentialsRefused, match="`scope`"):
        judged(scoped(), scope=value)


def test_there_are_only_so_many_scopes() -> None:
    most = [f"s{index}" for index in range(MAX_SCOPES)]
    assert len(judged(scoped(), scope=most).scopes or ()) == MAX_SCOPES
    with pytest.raises(CredentialsRefused, match="no list of scopes"):
        judged(scoped(), scope=[*most, "one-more"])


# --- what the token's own server has said ------------------------------------------------------


def test_only_who_asked_the_tokens_own_server_may_do_without_issuer_audience_and_end() -> None:
    asked = ClaimRules(
        issuer=None,
        audience=None,
        origin="https://login/introspect",
        means=Means.INTROSPECTION,
        has_to_end=False,
    )
    caller = asked.caller({"sub": "anna"}, now=NOW)
    assert (caller.means, caller.issuer, caller.expires_at) == (
        Means.INTROSPECTION,
        "https://login/introspect",
        None,
    )
    for rules in (asked, ClaimRules(issuer=ISSUER, audience=None)):
        with pytest.raises(ValueError, match="has to know issuer and audience"):
            TrustedIssuer(rules, algorithms=["ES256"], keys=FixedKeys(KeySet([])))
