"""Names that are what they look like."""

import pytest

from policy.names import MAX_LENGTH, flaw_of, look_alikes, scripts_of

CYRILLIC_A = "\u0430"


@pytest.mark.parametrize("name", ["reader", "VSM Role", "Отдел продаж", "CN=Admins,OU=CC", "営業"])
def test_names_may_be_in_any_language(name: str) -> None:
    assert flaw_of(name) is None


@pytest.mark.parametrize(
    ("name", "flaw"),
    [
        ("", "a name is empty"),
        ("x" * (MAX_LENGTH + 1), "a name is longer than 512 characters"),
        (" reader", "` reader` begins or ends with a space"),
        ("read\u200ber", r"`read\u200ber` holds invisible characters"),
        ("admin\u202e", r"`admin\u202e` holds invisible characters"),
        ("a\nb", r"`a\nb` holds invisible characters"),
        ("a\u00a0b", r"`a\xa0b` holds invisible characters"),
    ],
)
def test_names_that_cannot_be_seen_are_refused(name: str, flaw: str) -> None:
    assert flaw_of(name) == flaw


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("admin", f"{CYRILLIC_A}dmin"),
        ("admin", "Admin"),
        ("tier-1", "tier-l"),
        ("tier-10", "tier-1O"),
        ("admin", "\uff41dmin"),
    ],
)
def test_names_that_can_hardly_be_told_apart_are_found(one: str, other: str) -> None:
    assert list(look_alikes([one, "other", other])) == [(other, one)]


def test_different_names_are_not_look_alikes() -> None:
    assert list(look_alikes(["reader", "readers", "editor", "tier-1", "tier-2"])) == []


def test_mixed_scripts_are_named() -> None:
    assert scripts_of(f"{CYRILLIC_A}dmin") == ("cyrillic", "latin")


@pytest.mark.parametrize("name", ["admin", "Отдел", "営業 team", "équipe-1", "123"])
def test_one_script_or_scripts_that_go_together_are_fine(name: str) -> None:
    assert scripts_of(name) == ()
