"""What stands in an audit line instead of what a stranger sent."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.audit import safe_text, target_digest

KEY = b"k" * 32


def test_a_target_is_known_by_sixteen_hexadecimal_digits() -> None:
    digest = target_digest(KEY, b"/profiles/1")

    assert len(digest) == 16
    assert int(digest, 16) >= 0


def test_the_same_target_has_the_same_digest_and_another_has_another() -> None:
    assert target_digest(KEY, b"/profiles/1") == target_digest(KEY, b"/profiles/1")
    assert target_digest(KEY, b"/profiles/1") != target_digest(KEY, b"/profiles/2")


def test_without_the_key_a_target_cannot_be_guessed_from_its_digest() -> None:
    unkeyed = hashlib.blake2b(b"/profiles/1", digest_size=8).hexdigest()

    assert target_digest(KEY, b"/profiles/1") != target_digest(b"x" * 32, b"/profiles/1")
    assert target_digest(KEY, b"/profiles/1") != unkeyed


@pytest.mark.parametrize("text", ["anna", "Zoë Müller", "名前", "a b", ""])
def test_an_ordinary_name_is_left_as_it_is(text: str) -> None:
    assert safe_text(text) == text


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x9b2Jb", "a\\x9b2Jb"),
        ("a\x7fb", "a\\x7fb"),
        ("a\u2028b", "a\\u2028b"),
        ("a\u202eb", "a\\u202eb"),
        ("a\udcffb", "a\\udcffb"),
    ],
    ids=["newline", "escape", "c1-control", "delete", "line-separator", "right-to-left", "surrogate"],
)  # fmt: skip
def test_a_name_cannot_end_a_line_or_steer_a_terminal(hostile: str, shown: str) -> None:
    assert safe_text(hostile) == shown


def test_a_long_name_is_cut_and_says_so() -> None:
    shown = safe_text("x" * 10_000)

    assert len(shown) == 256
    assert shown.endswith("…")


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_name_comes_out_printable_and_encodable(text: str) -> None:
    shown = safe_text(text)

    assert shown.isprintable()
    shown.encode()
