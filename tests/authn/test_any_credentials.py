"""Whatever is sent as credentials, the answer is a caller or a refusal and never a fault."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.authn.basic import read_basic
from gateway.authn.claims import ClaimRules
from gateway.authn.credentials import Credentials
from gateway.authn.jwk import Unusable, read_jwks
from gateway.authn.names import is_plain
from gateway.authn.token import UnprovedToken
from gateway.errors import CredentialsRefused
from tests.support.issuer import encoded

NOW = 1_800_000_000.0
RULES = ClaimRules(issuer="i", audience="a", roles_claim="r.s")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
claims = st.fixed_dictionaries(
    {},
    optional={
        "iss": st.just("i") | json_values,
        "aud": st.just("a") | json_values,
        "sub": st.text(min_size=1) | json_values,
        "exp": st.floats(NOW - 60, NOW + 60) | json_values,
        "nbf": st.floats(NOW - 60, NOW + 60) | json_values,
        "iat": st.floats(NOW - 60, NOW + 60) | json_values,
        "r": st.fixed_dictionaries({"s": st.lists(st.text()) | json_values}) | json_values,
        "client_id": json_values,
    },
)


@given(st.binary() | st.text().map(str.encode))
def test_any_header_is_one_scheme_and_one_word_or_refused(header: bytes) -> None:
    try:
        scheme, word = Credentials.parse(header)
    except CredentialsRefused:
        return
    assert header.lower() == scheme.encode() + b" " + word.lower()


@given(st.binary(), st.binary(), st.binary())
def test_any_token_is_ours_to_judge_or_not(header: bytes, payload: bytes, tail: bytes) -> None:
    for text in (header, b".".join(map(encoded, (header, payload, tail)))):
        try:
            token = UnprovedToken.parse(text)
        except CredentialsRefused:
            continue
        assert token is None or token.text == text


@given(claims)
def test_any_claims_are_a_plain_caller_in_time_or_refused(claims: Mapping[str, Any]) -> None:
    try:
        caller = RULES.caller(claims, now=NOW)
    except CredentialsRefused:
        return
    assert is_plain(caller.subject)
    assert all(is_plain(value) for value in caller.claims)
    assert caller.expires_at is not None
    assert caller.expires_at > NOW - RULES.leeway_seconds
    assert claims["iss"] == "i"
    assert claims["aud"] == "a" or "a" in claims["aud"]


@given(st.binary())
def test_any_word_is_a_name_and_a_password_or_refused(word: bytes) -> None:
    try:
        name, password = read_basic(word)
    except CredentialsRefused:
        return
    assert is_plain(name)
    assert password


@given(st.binary() | json_values.map(lambda value: repr(value).encode()))
def test_any_document_is_a_set_of_keys_or_unusable(text: bytes) -> None:
    try:
        assert len(read_jwks(text)) > 0
    except Unusable:
        return
