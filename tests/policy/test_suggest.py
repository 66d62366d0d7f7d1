"""Did you mean …?"""

import pytest

from policy.suggest import Suggestions, distance


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("permisions", "permissions"),
        ("Permissions", "permissions"),
        ("permission", "permissions"),
        ("permissiosn", "permissions"),
        ("query-has", "query_has"),
        ("QueryHas", "query_has"),
    ],
)
def test_a_slip_another_case_or_another_notation_is_understood(wrong: str, right: str) -> None:
    known = Suggestions(["roles", "permissions", "query_has"])
    assert known.help_for(wrong) == f"did you mean `{right}`?"


@pytest.mark.parametrize("wrong", ["operations", "xyz", "", "p"])
def test_nothing_is_suggested_for_what_comes_near_nothing(wrong: str) -> None:
    assert Suggestions(["roles", "permissions"]).help_for(wrong) is None


def test_the_nearest_name_wins_and_then_the_first() -> None:
    assert Suggestions(["reader2", "readers", "reader"]).closest("readerx") == "reader2"
    assert Suggestions(["raeders", "reader"]).closest("readr") == "reader"


def test_helping_ends_where_it_would_take_too_long() -> None:
    known = Suggestions([*(f"zzzz{number:05}" for number in range(50_000)), "reader-of-records-7"])
    assert known.closest("raeder-of-records-7") == "reader-of-records-7", (
        "other lengths cost nothing"
    )
    known = Suggestions([*(f"zzzz{number:05}" for number in range(50_000)), "reader-07"])
    assert known.closest("raeder-07") is None
    assert known.closest("READER_07") == "reader-07", "the same letters are found at once"


@pytest.mark.parametrize(
    ("one", "other", "limit", "wanted"),
    [
        ("abc", "abc", 0, 0),
        ("abc", "abd", 1, 1),
        ("abc", "acb", 1, 1),
        ("abc", "ab", 1, 1),
        ("ab", "abc", 1, 1),
        ("abc", "abd", 0, None),
        ("abcdef", "ghijkl", 3, None),
        ("", "ab", 2, 2),
        ("", "ab", 1, None),
    ],
)
def test_distance_counts_letters(one: str, other: str, limit: int, wanted: int | None) -> None:
    assert distance(one, other, limit) == wanted
