"""A breaker opens after failures in a row, and lets one at a time try whether they are over."""

from gateway.authn.breaker import Breaker
from tests.support.clock import FakeClock


def test_failures_that_are_not_in_a_row_open_nothing() -> None:
    breaker = Breaker(FakeClock(), after=2, pause_seconds=5.0)
    for _ in range(10):
        assert breaker.admits()
        breaker.failed()
        assert breaker.admits()
        breaker.succeeded()
    assert not breaker.is_open


def test_while_it_is_open_one_may_try_after_each_pause() -> None:
    clock = FakeClock()
    breaker = Breaker(clock, after=2, pause_seconds=5.0)
    breaker.failed()
    assert breaker.admits()
    breaker.failed()
    assert (breaker.is_open, breaker.admits()) == (True, False)
    clock.advance(5)
    assert [breaker.admits() for _ in range(3)] == [True, False, False]
    breaker.failed()
    assert not breaker.admits()
    clock.advance(5)
    assert breaker.admits()
    breaker.succeeded()
    assert [breaker.admits() for _ in range(3)] == [True] * 3


def test_whoever_gave_up_trying_leaves_it_to_the_next() -> None:
    clock = FakeClock()
    breaker = Breaker(clock, after=1, pause_seconds=5.0)
    breaker.failed()
    clock.advance(5)
    assert breaker.admits()
    breaker.gave_up()
    assert breaker.admits()
