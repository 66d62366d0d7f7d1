"""Both kinds of time, and the clock that tests move by hand."""

import time

import pytest

from gateway.clock import Clock, SystemClock
from tests.support.clock import FakeClock


def test_the_system_clock_reads_the_machines_clocks() -> None:
    clock: Clock = SystemClock()
    before, after = time.time(), time.time() + 60
    assert before <= clock.wall() <= after
    assert clock.monotonic() <= clock.monotonic()
    assert repr(clock) == "SystemClock()"


def test_time_that_passes_moves_both_clocks() -> None:
    clock = FakeClock(wall=100.0, monotonic=5.0)
    clock.advance(2.5)
    assert (clock.wall(), clock.monotonic()) == (102.5, 7.5)


def test_a_corrected_date_is_no_time_passed() -> None:
    clock = FakeClock(wall=100.0, monotonic=5.0)
    clock.set_wall(50.0)
    assert (clock.wall(), clock.monotonic()) == (50.0, 5.0)


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="set_wall"):
        FakeClock().advance(-1)
