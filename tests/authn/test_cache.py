"""An answer is reused for the same credentials, the same configuration, and not too long."""

import pytest

from gateway.authn.cache import (
    REFUSAL_ENTRIES,
    REFUSAL_SECONDS,
    CallerCache,
    Refusal,
    configuration_digest,
)
from policy import Caller, Kind, Means
from tests.support.clock import FakeClock


def caller(subject: str = "anna", expires_at: float | None = None) -> Caller:
    return Caller(subject=subject, kind=Kind.USER, means=Means.JWT, expires_at=expires_at)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def cache_of(clock: FakeClock, *, entries: int = 100, configuration: bytes = b"c") -> CallerCache:
    return CallerCache(clock=clock, entries=entries, configuration=configuration)


def test_a_caller_is_found_until_the_seconds_are_over(clock: FakeClock) -> None:
    cache = cache_of(clock)
    cache.keep(b"k", caller(), seconds=300)
    clock.advance(299.9)
    assert cache.find(b"k") == caller()
    clock.advance(0.1)
    assert cache.find(b"k") is None


def test_a_caller_is_never_found_after_the_token_expired(clock: FakeClock) -> None:
    cache = cache_of(clock)
    cache.keep(b"k", caller(expires_at=clock.wall() + 10), seconds=300)
    clock.advance(9.9)
    assert cache.find(b"k") is not None
    clock.advance(0.1)
    assert cache.find(b"k") is None


def test_a_date_corrected_forward_ends_tokens_at_once(clock: FakeClock) -> None:
    cache = cache_of(clock)
    cache.keep(b"k", caller(expires_at=clock.wall() + 10), seconds=300)
    clock.set_wall(clock.wall() + 10)
    assert cache.find(b"k") is None


def test_a_date_corrected_backward_lengthens_nothing(clock: FakeClock) -> None:
    cache = cache_of(clock)
    cache.keep(b"k", caller(expires_at=clock.wall() + 10), seconds=300)
    clock.set_wall(clock.wall() - 3600)
    clock.advance(10)
    assert cache.find(b"k") is None


def test_what_has_expired_already_is_not_kept(clock: FakeClock) -> None:
    cache = cache_of(clock)
    cache.keep(b"k", caller(expires_at=clock.wall() - 1), seconds=300)
    cache.keep(b"zero", caller(), seconds=0)
    assert cache.find(b"k") is None
    assert cache.find(b"zero") is None
    assert repr(cache) == "CallerCache(0 callers, 0 refusals)"


def test_the_cache_is_bounded_and_forgets_the_least_used(clock: FakeClock) -> None:
    cache = cache_of(clock, entries=2)
    cache.keep(b"a", caller("a"), seconds=300)
    cache.keep(b"b", caller("b"), seconds=300)
    assert cache.find(b"a") is not None
    cache.keep(b"c", caller("c"), seconds=300)
    assert cache.find(b"b") is None
    assert cache.find(b"a") is not None


def test_a_refusal_is_remembered_briefly(clock: FakeClock) -> None:
    cache = cache_of(clock)
    cache.keep_refusal(b"k", Refusal("wrong", "invalid_token"))
    clock.advance(REFUSAL_SECONDS - 0.1)
    assert cache.refusal(b"k") == ("wrong", "invalid_token")
    clock.advance(0.1)
    assert cache.refusal(b"k") is None


def test_a_flood_of_refusals_pushes_no_caller_out(clock: FakeClock) -> None:
    cache = cache_of(clock, entries=10_000)
    cache.keep(b"anna", caller(), seconds=300)
    for number in range(REFUSAL_ENTRIES + 100):
        cache.keep_refusal(number.to_bytes(4, "big"), Refusal("wrong", ""))
    assert cache.find(b"anna") == caller()
    assert repr(cache) == f"CallerCache(1 callers, {REFUSAL_ENTRIES} refusals)"


def test_clearing_forgets_callers_and_refusals(clock: FakeClock) -> None:
    cache = cache_of(clock)
    cache.keep(b"a", caller(), seconds=300)
    cache.keep_refusal(b"b", Refusal("wrong", ""))
    cache.clear()
    assert cache.find(b"a") is None
    assert cache.refusal(b"b") is None


def test_a_key_is_a_digest_and_differs_between_caches(clock: FakeClock) -> None:
    one, other = cache_of(clock), cache_of(clock)
    assert one.key(b"Bearer abc") == one.key(b"Bearer abc")
    assert one.key(b"Bearer abc") != one.key(b"Bearer abd")
    assert one.key(b"Bearer abc") != other.key(b"Bearer abc")
    assert len(one.key(b"Bearer abc")) == 32


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("a", "bc"), ("ab", "c")),
        (("a", ""), ("", "a")),
        (("a|b",), ("a", "b")),
        ((), ("",)),
        (("a", "b"), ("b", "a")),
    ],
)
def test_no_two_configurations_run_together(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert configuration_digest(*one) != configuration_digest(*other)


def test_text_and_its_bytes_are_one_configuration() -> None:
    assert configuration_digest("ä") == configuration_digest("ä".encode())
