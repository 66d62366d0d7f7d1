"""A 401 says what to bring, in words that every client can parse."""

import pytest

from gateway.authn.challenge import basic_challenge, bearer_challenge, with_error


def test_a_bearer_challenge_names_the_realm() -> None:
    assert bearer_challenge("UCS") == b'Bearer realm="UCS"'


def test_a_basic_challenge_asks_for_utf_8() -> None:
    assert basic_challenge("UCS") == b'Basic realm="UCS", charset="UTF-8"'


def test_an_error_is_one_word_and_no_description() -> None:
    challenge = with_error(bearer_challenge("UCS"), "invalid_token")
    assert challenge == b'Bearer realm="UCS", error="invalid_token"'


def test_quotes_and_backslashes_are_escaped() -> None:
    assert bearer_challenge('a"b\\c') == b'Bearer realm="a\\"b\\\\c"'


@pytest.mark.parametrize("realm", ["a\r\nX-Injected: 1", "a\x00", "Zürich", "a\x7f"])
def test_a_realm_cannot_break_out_of_its_header(realm: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        bearer_challenge(realm)
