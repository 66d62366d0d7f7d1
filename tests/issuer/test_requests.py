"""Who a client says it is: one reading of what it sent, or none."""

from base64 import b64encode
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.issuer.answers import OAuthError, Result
from gateway.issuer.requests import Claimed, claimed, scopes_in

T = TypeVar("T")
VISIBLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=40)


def outcome(read: Callable[[], T]) -> T | Result:
    """What was read, or how it was refused."""
    try:
        return read()
    except OAuthError as refused:
        return refused.result


def basic(text: str) -> bytes:
    return b"Basic " + b64encode(text.encode())


@given(VISIBLE, VISIBLE)
def test_whatever_may_be_in_an_id_and_a_secret_is_read(id_: str, secret: str) -> None:
    """RFC 6749 section 2.3.1, appendix A.1 and A.2: colons, percent signs and spaces too."""
    said = Claimed(id=id_, secret=secret)
    assert claimed(basic(f"{quote_plus(id_)}:{quote_plus(secret)}"), {}) == said
    assert claimed(basic(f"{quote(id_, safe='')}:{quote(secret, safe='')}"), {}) == said
    assert claimed(None, {"client_id": id_, "client_secret": secret}) == said


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda it: b"Basic " + b64encode(it)))
def test_any_bytes_are_credentials_or_refused(authorization: bytes) -> None:
    said = outcome(lambda: claimed(authorization, {}))
    if isinstance(said, Result):
        assert said is Result.INVALID_CLIENT
        return
    for text in (said.id, said.secret):
        assert text.isascii()
        assert text.isprintable()


@given(st.text(max_size=60))
def test_any_text_is_a_scope_or_refused(text: str) -> None:
    found = outcome(lambda: scopes_in(text))
    if isinstance(found, Result):
        assert found is Result.INVALID_SCOPE
        return
    assert set(text.split(" ")) == set(found)
    assert len(set(found)) == len(found)


def test_no_repr_shows_a_secret() -> None:
    said = claimed(basic("id:hunter2"), {})
    assert "hunter2" not in repr(said)
    with pytest.raises(OAuthError) as refused:
        claimed(basic("id:hunter2"), {"client_secret": "hunter2"})
    assert "hunter2" not in f"{refused.value} {refused.value.detail}"
