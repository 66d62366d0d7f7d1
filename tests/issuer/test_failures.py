"""How many wrong secrets are listened to, and for whom that counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.issuer.failures import Failures, Leaking, neighbourhood


def failures(*, per_client: int = 3, per_address: int = 2) -> Failures:
    return Failures(per_client=per_client, per_address=per_address, seconds=60.0)


def test_an_address_is_heard_so_many_times() -> None:
    seen = failures()
    seen.add("a", "192.0.2.1", 0.0)
    assert not seen.too_many("a", "192.0.2.1", 0.0)
    seen.add("b", "192.0.2.1", 0.0)
    assert "address" in seen.too_many("c", "192.0.2.1", 0.0)
    assert not seen.too_many("c", "192.0.2.2", 0.0)


def test_failures_are_forgotten_bit_by_bit() -> None:
    seen = failures()
    for _ in range(5):
        seen.add("a", "192.0.2.1", 0.0)
    assert seen.too_many("a", "192.0.2.1", 29.0)
    assert not seen.too_many("a", "192.0.2.1", 30.0)


def test_what_was_no_failure_is_taken_back() -> None:
    seen = failures()
    for _ in range(50):
        seen.add("a", "192.0.2.1", 0.0)
        seen.take_back("a", "192.0.2.1", 0.0)
    assert not seen.too_many("a", "192.0.2.1", 0.0)
    seen.take_back("b", "192.0.2.9", 0.0)
    assert not seen.too_many("b", "192.0.2.9", 0.0)


def test_strangers_do_not_lock_a_client_out() -> None:
    seen = failures(per_address=10)
    for number in range(10):
        seen.add("vsm", f"192.0.2.{number}", 0.0)
    assert "client" in seen.too_many("vsm", "192.0.2.1", 0.0)
    assert not seen.too_many("vsm", "198.51.100.1", 0.0)
    seen.add("vsm", "198.51.100.1", 0.0)
    assert "client" in seen.too_many("vsm", "198.51.100.1", 0.0)
    assert not seen.too_many("mindful", "198.51.100.1", 0.0)


def test_an_ipv6_neighbourhood_is_one_address() -> None:
    seen = failures()
    seen.add("a", "2001:db8::1", 0.0)
    seen.add("a", "2001:db8::2", 0.0)
    assert seen.too_many("a", "2001:db8::ffff", 0.0)
    assert not seen.too_many("a", "2001:db8:0:1::1", 0.0)


@pytest.mark.parametrize(
    ("peer", "whose"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("local", "local"),
        ("fe80::1%eth0", "fe80::"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ],
)  # fmt: skip
def test_whose_an_address_is(peer: str, whose: str) -> None:
    assert neighbourhood(peer) == whose


def test_memory_is_bounded_and_the_oldest_goes_first() -> None:
    """J-16: 10,000 wrong secrets from 10,000 addresses."""
    seen = Leaking(3, 60.0, entries=100)
    for number in range(10_000):
        seen.add(str(number), float(number) / 1_000)
    assert len(seen) == 100
    assert seen.level("9999", 10.0) > 0
    assert seen.level("0", 10.0) == 0


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 50)), max_size=40))
def test_a_bucket_is_full_when_a_naive_one_is(steps: list[tuple[int, float]]) -> None:
    """Against one that is emptied second by second, in small steps of its own."""
    most, seconds = 3, 30.0
    leaking = Leaking(most, seconds)
    levels = dict.fromkeys(range(4), 0.0)
    now = 0.0
    for key, waited in steps:
        now += waited
        levels = {each: max(0.0, level - waited * most / seconds) for each, level in levels.items()}
        assert leaking.level(str(key), now) == pytest.approx(levels[key], abs=1e-6)
        leaking.add(str(key), now)
        levels[key] = min(levels[key] + 1, most)
