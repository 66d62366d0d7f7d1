"""A flood of alike failures is a line in a while."""

from gateway.errors import UpstreamFailed
from gateway.upstream.seldom import Seldom
from tests.support.clock import FakeClock


def marked(seldom: Seldom) -> UpstreamFailed:
    error = UpstreamFailed("refused")
    seldom.mark(error)
    return error


def test_the_first_is_told_and_the_next_ones_are_not() -> None:
    seldom = Seldom(FakeClock())
    assert [marked(seldom).is_repeat for _ in range(3)] == [False, True, True]


def test_what_was_not_told_is_told_as_a_number() -> None:
    clock = FakeClock()
    seldom = Seldom(clock)
    assert marked(seldom).detail == "refused"
    for _ in range(41):
        marked(seldom)
    clock.advance(10.0)
    later = marked(seldom)
    assert not later.is_repeat
    assert later.detail == "refused (and 41 more since this was last said)"
    clock.advance(10.0)
    assert marked(seldom).detail == "refused"


def test_an_error_is_told_unless_somebody_says_otherwise() -> None:
    assert not UpstreamFailed("refused").is_repeat
