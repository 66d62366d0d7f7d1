"""The name of somebody has one spelling and nothing invisible in it."""

import pytest

from gateway.authn.names import MAX_NAME_LENGTH, is_plain


@pytest.mark.parametrize(
    "name",
    [
        "anna",
        "Anna Müller",
        "anna@example.com",
        "a" * MAX_NAME_LENGTH,
        "*",
        "a:b",
        "李娜",
        "ß",
        "0",
    ],
)
def test_names_that_people_and_programs_have_are_plain(name: str) -> None:
    assert is_plain(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        " anna",
        "anna ",
        "an\nna",
        "an\tna",
        "anna\x00",
        "anna\x7f",
        "anna\x85",
        "an\u00a0na",
        "an\u2003na",
        "an\u200bna",
        "an\u202ena",
        "\ufeffanna",
        "an\u2028na",
        "an\ud800na",
        "an\ue000na",
        "an\U000e0041na",
        "Mu\u0308ller",
        "\u212bngstro\u0308m",
        "\u212b",
        "a" * (MAX_NAME_LENGTH + 1),
    ],
    ids=ascii,
)
def test_names_with_two_spellings_or_invisible_parts_are_not(name: str) -> None:
    assert not is_plain(name)
