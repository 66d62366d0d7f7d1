"""One timer for many deadlines."""

from gateway.wire.watch import NEVER, Watch
from tests.support.wire import FakeLoop


class Sleeper:
    """Something with a deadline."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expiries = 0

    def expire(self) -> None:
        self.expiries += 1


def test_what_is_past_its_deadline_expires_and_the_rest_does_not() -> None:
    watch = Watch(FakeLoop())
    early, exact, late, never = (Sleeper(deadline) for deadline in (9.0, 10.0, 11.0, NEVER))
    for sleeper in (early, exact, late, never):
        watch.add(sleeper)
    watch.check(10.0)
    assert [sleeper.expiries for sleeper in (early, exact, late, never)] == [1, 0, 0, 0]


def test_a_deadline_expires_once() -> None:
    watch = Watch(FakeLoop())
    sleeper = Sleeper(1.0)
    watch.add(sleeper)
    watch.check(2.0)
    watch.check(3.0)
    assert sleeper.expiries == 1
    assert sleeper.deadline == NEVER


def test_one_timer_serves_any_number_and_stops_when_nobody_is_left() -> None:
    loop = FakeLoop()
    watch = Watch(loop, tick_seconds=0.25)
    assert loop.timers == 0
    sleepers = [Sleeper(NEVER) for _ in range(100)]
    for sleeper in sleepers:
        watch.add(sleeper)
    assert (loop.timers, len(watch)) == (1, 100)
    loop.advance(10)
    assert loop.timers == 1
    for sleeper in sleepers:
        watch.remove(sleeper)
    loop.advance(10)
    assert (loop.timers, len(watch)) == (0, 0)


def test_a_watch_that_had_stopped_starts_again() -> None:
    loop = FakeLoop()
    watch = Watch(loop)
    first = Sleeper(NEVER)
    watch.add(first)
    watch.remove(first)
    loop.advance(1)
    second = Sleeper(loop.time() + 1)
    watch.add(second)
    loop.advance(2)
    assert second.expiries == 1


def test_a_deadline_is_late_by_no_more_than_a_tick() -> None:
    loop = FakeLoop()
    watch = Watch(loop, tick_seconds=0.25)
    sleeper = Sleeper(loop.time() + 1.0)
    watch.add(sleeper)
    loop.advance(0.99)
    assert sleeper.expiries == 0
    loop.advance(0.26)
    assert sleeper.expiries == 1


def test_who_leaves_while_others_expire_is_no_trouble() -> None:
    watch = Watch(FakeLoop())

    class Leaver(Sleeper):
        def expire(self) -> None:
            super().expire()
            for sleeper in sleepers:
                watch.remove(sleeper)

    sleepers = [Leaver(1.0), Leaver(1.0), Leaver(1.0)]
    for sleeper in sleepers:
        watch.add(sleeper)
    watch.check(2.0)
    assert len(watch) == 0
    assert all(sleeper.expiries <= 1 for sleeper in sleepers)


def test_a_herd_expires_a_few_in_a_millisecond_so_that_others_are_served_in_between() -> None:
    loop = FakeLoop()
    watch = Watch(loop)
    herd = [Sleeper(1.0) for _ in range(100)]
    for sleeper in herd:
        watch.add(sleeper)
    watch.check(2.0)
    for expired in range(2, 101, 2):
        assert sum(sleeper.expiries for sleeper in herd) == expired
        loop.advance(0.001)
    assert all(sleeper.expiries == 1 for sleeper in herd)


def test_whoever_goes_on_while_a_herd_expires_does_not_expire_with_it() -> None:
    loop = FakeLoop()
    watch = Watch(loop)
    herd = [Sleeper(1.0) for _ in range(3)]
    for sleeper in herd:
        watch.add(sleeper)
    watch.check(2.0)
    [last] = [sleeper for sleeper in herd if not sleeper.expiries]
    last.deadline = 3.0
    loop.advance(0.001)
    assert (last.expiries, last.deadline) == (0, 3.0)


def test_removing_twice_or_a_stranger_is_no_trouble() -> None:
    watch = Watch(FakeLoop())
    watch.remove(Sleeper(1.0))
    assert repr(watch) == "<Watch 0 connections>"


def test_a_closed_watch_leaves_no_timer() -> None:
    loop = FakeLoop()
    watch = Watch(loop)
    watch.close()
    watch.add(Sleeper(1.0))
    watch.close()
    assert (loop.timers, len(watch)) == (0, 0)
