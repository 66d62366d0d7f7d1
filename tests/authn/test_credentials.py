"""The `Authorization` header has one reading, or none."""

import pytest

from gateway.authn.credentials import MAX_CREDENTIALS_BYTES, Credentials
from gateway.errors import CredentialsRefused


@pytest.mark.parametrize(
    ("header", "scheme", "word"),
    [
        (b"Bearer abc.def.ghi", "bearer", b"abc.def.ghi"),
        (b"bearer abc", "bearer", b"abc"),
        (b"BEARER abc", "bearer", b"abc"),
        (b"Basic a2VudDp4", "basic", b"a2VudDp4"),
        (b"bAsIc YQ==", "basic", b"YQ=="),
        (b"Api-Key ~a/b+c._-", "api-key", b"~a/b+c._-"),
    ],
)
def test_the_scheme_has_no_case_and_the_word_has(header: bytes, scheme: str, word: bytes) -> None:
    assert Credentials.parse(header) == (scheme, word)


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b" ",
        b"Bearer",
        b"Bearer ",
        b"Bearer  abc",
        b"Bearer\tabc",
        b" Bearer abc",
        b"Bearer abc ",
        b"Bearer abc\n",
        b"Bearer abc def",
        b"Bearer abc,Basic YQ==",
        b"Bearer abc, Bearer def",
        b"Bearer token=abc",
        b'Digest username="kent"',
        b"Bearer =abc",
        b"Bearer a=b",
        b"Bearer ab\x00c",
        "Bearer äbc".encode(),
        "\uff22earer abc".encode(),
        b"1Bearer abc",
        b"B" * 33 + b" abc",
    ],
    ids=repr,
)
def test_anything_but_scheme_space_word_is_refused(header: bytes) -> None:
    with pytest.raises(CredentialsRefused, match="with one space"):
        Credentials.parse(header)


def test_credentials_have_a_greatest_length() -> None:
    fitting = b"Bearer " + b"a" * (MAX_CREDENTIALS_BYTES - 7)
    assert len(Credentials.parse(fitting).word) == MAX_CREDENTIALS_BYTES - 7
    with pytest.raises(CredentialsRefused, match="longer than 8192 bytes"):
        Credentials.parse(fitting + b"a")


def test_the_repr_shows_no_secret() -> None:
    assert repr(Credentials.parse(b"Bearer topsecret")) == "Credentials('bearer', 9 bytes)"
