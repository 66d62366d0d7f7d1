"""What holds for every target, not only for those we thought of."""

from contextlib import suppress
from urllib.parse import parse_qsl, unquote_to_bytes

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import MalformedTarget, TargetTooLong
from gateway.http.target import Target, TargetLimits, canonicalise
from tests.support.strategies import (
    UNRESERVED,
    hostile_targets,
    near_targets,
    queries,
    segments,
    spellings,
)

LIMITS = TargetLimits()

targets = hostile_targets | near_targets()


def accepted(raw: bytes) -> Target | None:
    try:
        return canonicalise(raw, LIMITS)
    except (MalformedTarget, TargetTooLong):
        return None


@given(raw=targets)
@example(raw=b"/%c2%85?%c2%85")
@example(raw=b"/?\xff")
def test_any_bytes_end_in_a_target_or_in_a_refusal(raw: bytes) -> None:
    """D12: nothing else is ever raised."""
    with suppress(MalformedTarget, TargetTooLong):
        assert type(canonicalise(raw, LIMITS)) is Target


@given(raw=targets)
def test_canonicalising_twice_changes_nothing(raw: bytes) -> None:
    if target := accepted(raw):
        assert canonicalise(str(target).encode("ascii"), LIMITS) == target


def independent_reading(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The canonical text as another, strict server reads it."""
    path, _, query = text.partition("?")
    parts = () if path == "/" else tuple(path[1:].split("/"))
    return (
        tuple(unquote_to_bytes(part).decode("ascii") for part in parts),
        tuple(
            parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query), errors="strict")
        ),
    )


@given(raw=targets)
def test_another_reader_of_what_is_sent_sees_what_was_decided(raw: bytes) -> None:
    """D12 (b)."""
    if target := accepted(raw):
        assert independent_reading(str(target)) == (target.segments, target.query)


@given(raw=targets)
def test_what_is_sent_holds_nothing_that_a_server_might_interpret(raw: bytes) -> None:
    if (target := accepted(raw)) is None:
        return
    path, mark, query = str(target).partition("?")
    assert set(path.encode()) <= UNRESERVED | set(b"/%")
    assert set(query.encode()) <= UNRESERVED | set(b"&=%")
    assert bool(mark) is bool(query)
    assert all(segment not in {"", ".", ".."} for segment in target.segments)
    assert all(not set(segment) & set("/\\;%?#&=\0") for segment in target.segments)


@given(data=st.data(), path=segments, query=queries)
def test_every_honest_spelling_ends_in_the_same_target(
    data: st.DataObject, path: tuple[str, ...], query: tuple[tuple[str, str], ...]
) -> None:
    """The meaning is known here from the values, not from the code under test."""
    target = canonicalise(data.draw(spellings(path, query)), LIMITS)
    assert (target.segments, target.query) == (path, query)
    assert target == canonicalise(data.draw(spellings(path, query)), LIMITS)


@given(data=st.data())
def test_different_values_never_share_a_spelling(data: st.DataObject) -> None:
    values = st.tuples(segments, queries)
    one, other = data.draw(values), data.draw(values)
    first, second = (canonicalise(data.draw(spellings(*value)), LIMITS) for value in (one, other))
    assert (str(first) == str(second)) is (one == other)


plain = st.text("abcXYZ019._~-", min_size=1, max_size=6).filter(
    lambda text: text not in {".", ".."}
)


@given(
    path=st.lists(plain, min_size=1, max_size=4),
    query=st.lists(st.tuples(plain, st.just("") | plain), max_size=4),
    slash=st.sampled_from(("", "/")),
)
def test_the_short_way_for_plain_targets_gives_what_the_long_way_gives(
    path: list[str], query: list[tuple[str, str]], slash: str
) -> None:
    """One escape, which means the same, is enough to leave the short way."""

    def target(escape: str) -> Target:
        text = "/" + escape + "/".join(path)[len(escape) // 3 :] + slash
        if query:
            rest = "&".join(f"{name}={value}" for name, value in query)
            text += "?" + (escape_first(rest) if escape else rest)
        return canonicalise(text.encode("ascii"), LIMITS)

    assert target("") == target(f"%{ord(path[0][0]):02x}")


def escape_first(text: str) -> str:
    return f"%{ord(text[0]):02X}{text[1:]}"
