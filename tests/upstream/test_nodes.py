"""When a node is out, for how long, and what brings it back."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gateway.errors import UpstreamFailed
from gateway.upstream.nodes import Node
from tests.support.clock import FakeClock
from tests.support.nodes import a_node

REFUSED = "connection refused"


def fail(node: Node, times: int = 1) -> None:
    for _ in range(times):
        node.begin()
        node.failed(UpstreamFailed(REFUSED))
        node.end()


def serves(node: Node, clock: FakeClock) -> bool:
    return node.may_serve(clock.monotonic())


def test_a_node_is_in_until_it_fails_so_often_in_a_row(clock: FakeClock) -> None:
    node = a_node(clock)
    fail(node, 2)
    assert node.is_in
    fail(node)
    assert not node.is_in
    assert not serves(node, clock)
    assert node.ejections == 1


def test_a_success_between_two_failures_makes_a_new_row(clock: FakeClock) -> None:
    node = a_node(clock)
    for _ in range(5):
        fail(node, 2)
        node.answered()
        node.succeeded()
    assert node.is_in
    assert node.ejections == 0


def test_half_a_reply_is_no_success(clock: FakeClock) -> None:
    """A node that answers and then cuts every reply off is as good as none."""
    node = a_node(clock)
    for _ in range(3):
        node.answered()
        fail(node)
    assert not node.is_in


def test_when_its_time_is_over_one_request_is_let_through(clock: FakeClock) -> None:
    node = a_node(clock)
    fail(node, 3)
    clock.advance(0.9)
    assert not serves(node, clock)
    clock.advance(0.1)
    assert serves(node, clock)
    node.begin()
    assert not serves(node, clock), "a second one was let through as well"
    assert not node.is_in


def test_a_reply_to_the_trial_brings_it_back(clock: FakeClock) -> None:
    node = a_node(clock)
    fail(node, 3)
    clock.advance(1.0)
    node.begin()
    node.answered()
    assert node.is_in
    node.succeeded()
    node.end()
    fail(node, 2)
    assert node.is_in


def test_a_trial_that_ends_without_a_verdict_is_followed_by_another(clock: FakeClock) -> None:
    """Its client left: that says nothing of the node, which must not be out for ever."""
    node = a_node(clock)
    fail(node, 3)
    clock.advance(1.0)
    node.begin()
    node.end()
    assert serves(node, clock)


def test_each_trial_that_fails_doubles_the_time_up_to_the_longest(clock: FakeClock) -> None:
    node = a_node(clock)
    fail(node, 3)
    times = []
    for _ in range(8):
        seconds = 0.0
        while not serves(node, clock):
            clock.advance(0.5)
            seconds += 0.5
        times.append(seconds)
        fail(node)
    assert times == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert node.ejections == 9


def test_after_a_success_the_time_is_short_again(clock: FakeClock) -> None:
    node = a_node(clock)
    fail(node, 3)
    clock.advance(1.0)
    fail(node)
    clock.advance(2.0)
    node.begin()
    node.answered()
    node.succeeded()
    node.end()
    fail(node, 3)
    clock.advance(1.0)
    assert serves(node, clock)


def test_one_that_fails_again_right_after_its_trial_is_out_for_longer(clock: FakeClock) -> None:
    node = a_node(clock)
    fail(node, 3)
    clock.advance(1.0)
    node.begin()
    node.answered()  # the head came, the body did not
    node.failed(UpstreamFailed("the reply's body ended early"))
    node.end()
    assert not node.is_in
    clock.advance(1.0)
    assert not serves(node, clock)
    clock.advance(1.0)
    assert serves(node, clock)


def test_failures_of_requests_that_were_under_way_do_not_keep_it_out_for_longer(
    clock: FakeClock,
) -> None:
    node = a_node(clock)
    fail(node, 3)
    clock.advance(0.5)
    fail(node, 50)
    clock.advance(0.5)
    assert serves(node, clock)
    assert node.ejections == 1


def test_a_node_whose_places_are_all_held_by_the_hanging_is_owed_no_trial(clock: FakeClock) -> None:
    node = a_node(clock, max_concurrent=2)
    node.begin()
    node.begin()
    for _ in range(3):
        node.failed(UpstreamFailed(REFUSED))
    clock.advance(10.0)
    assert not serves(node, clock)
    node.end()
    assert serves(node, clock)


def test_failed_checks_put_it_out_and_only_checks_bring_it_back(clock: FakeClock) -> None:
    node = a_node(clock)
    node.unhealthy("a check was answered with 503")
    clock.advance(1_000.0)
    node.answered()
    assert not node.is_in
    assert not serves(node, clock)
    node.healthy()
    assert node.is_in


def test_checks_that_pass_again_earn_it_a_trial_at_once(clock: FakeClock) -> None:
    node = a_node(clock)
    fail(node, 3)
    node.unhealthy(REFUSED)
    node.healthy()
    assert not node.is_in
    assert serves(node, clock)


# --- what is said of it ------------------------------------------------------------------------


def test_an_outage_is_two_lines_in_the_log(clock: FakeClock) -> None:
    node = a_node(clock, "10.0.0.2:8080")
    with capture_logs() as log:
        for _ in range(5):
            fail(node, 100)
            clock.advance(30.0)
        node.begin()
        node.answered()
        node.succeeded()
        node.end()
    assert log == [
        {
            "event": "upstream node out",
            "log_level": "warning",
            "service": "ucs",
            "node": "10.0.0.2:8080",
            "why": REFUSED,
        },
        {
            "event": "upstream node in",
            "log_level": "info",
            "service": "ucs",
            "node": "10.0.0.2:8080",
            "out_seconds": 150.0,
        },
    ]


def test_it_says_for_how_long_it_has_been_out_and_why(clock: FakeClock) -> None:
    node = a_node(clock)
    assert node.state() == "in"
    fail(node, 3)
    clock.advance(4.2)
    assert node.state() == f"out for 4 s ({REFUSED})"
    node.unhealthy("a check was answered with 503")
    assert node.state() == "out for 4 s (a check was answered with 503)"


def test_an_error_names_its_node_and_a_flood_of_them_is_told_once(clock: FakeClock) -> None:
    node = a_node(clock, "10.0.0.2:8080")
    first, second = node.told(UpstreamFailed(REFUSED)), node.told(UpstreamFailed(REFUSED))
    assert first.detail == f"10.0.0.2:8080: {REFUSED}"
    assert (first.is_repeat, second.is_repeat) == (False, True)


@pytest.mark.parametrize("happening", ["failed", "answered", "unhealthy", "healthy"])
def test_whoever_waits_hears_of_every_change(clock: FakeClock, happening: str) -> None:
    node = a_node(clock)
    heard: list[str] = []
    happen: dict[str, Callable[[], None]] = {
        "failed": lambda: fail(node, 3),
        "answered": lambda: (fail(node, 3), node.answered())[1],
        "unhealthy": lambda: node.unhealthy("no"),
        "healthy": node.healthy,
    }
    node.changed = lambda: heard.append(happening)
    happen[happening]()
    assert heard


STEPS = st.lists(
    st.sampled_from(["begin", "end", "fail", "answer", "succeed", "unwell", "well", "time"]),
    max_size=60,
)


@given(STEPS)
def test_whatever_happens_a_healthy_node_is_never_out_for_longer_than_the_limit(
    steps: list[str],
) -> None:
    clock = FakeClock()
    node = a_node(clock)
    under_way = 0
    for step in steps:
        match step:
            case "begin" if under_way < 2:
                node.begin()
                under_way += 1
            case "end" if under_way:
                node.end()
                under_way -= 1
            case "fail":
                node.failed(UpstreamFailed(REFUSED))
            case "answer":
                node.answered()
            case "succeed":
                node.succeeded()
            case "unwell":
                node.unhealthy("no")
            case "well":
                node.healthy()
            case "time":
                clock.advance(1.0)
    assert node.outstanding == under_way
    for _ in range(under_way):
        node.end()
    node.healthy()
    clock.advance(30.0)
    assert node.may_serve(clock.monotonic())
