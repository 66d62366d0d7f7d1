"""So many requests at a node and no more; the others in line, in order, and not for long."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import UpstreamBusy, UpstreamFailed
from gateway.tasks import Tasks
from gateway.upstream.balance import STRATEGIES
from gateway.upstream.nodes import Node
from gateway.upstream.places import Places
from tests.support.clock import FakeClock
from tests.support.nodes import a_node

SOON = 0.01
LATE = 60.0


def places_at(
    *nodes: Node,
    clock: FakeClock,
    choose: str = "failover",
    max_waiting: int = 100,
    wait_timeout_seconds: float = LATE,
) -> Places:
    return Places(
        nodes,
        STRATEGIES[choose],
        clock=clock,
        max_waiting=max_waiting,
        wait_timeout_seconds=wait_timeout_seconds,
    )


class Crowd:
    """Requests that wait, and in which order they were served."""

    def __init__(self, places: Places) -> None:
        self.served: list[tuple[str, Node]] = []
        self._places = places
        self._tasks = Tasks("crowd")

    async def join(self, name: str, tried: Sequence[Node] = ()) -> "asyncio.Task[None]":
        """One more in line; it stands there when this returns."""
        task = self._tasks.start(self._wait(name, tried), name=name)
        await asyncio.sleep(0)
        return task

    async def _wait(self, name: str, tried: Sequence[Node]) -> None:
        self.served.append((name, await self._places.wait(tried)))

    async def names(self) -> list[str]:
        await _turns()
        return [name for name, _ in self.served]


def fill(places: Places) -> list[Node]:
    taken = []
    while (node := places.take()) is not None:
        taken.append(node)
    return taken


def eject(node: Node) -> None:
    for _ in range(3):
        node.failed(UpstreamFailed("connection refused"))


def test_a_node_has_so_many_places_and_no_more(clock: FakeClock) -> None:
    node = a_node(clock, max_concurrent=3)
    places = places_at(node, clock=clock)
    assert fill(places) == [node] * 3
    places.release(node)
    assert fill(places) == [node]
    assert node.outstanding == 3


def test_failover_does_not_overflow_to_the_backup(clock: FakeClock) -> None:
    """A backup is there for an outage; what the primary cannot do waits for the primary."""
    primary, backup = a_node(clock, "a:80"), a_node(clock, "b:80")
    assert fill(places_at(primary, backup, clock=clock)) == [primary] * 2


def test_least_outstanding_fills_all_nodes_evenly(clock: FakeClock) -> None:
    one, two = a_node(clock, "a:80"), a_node(clock, "b:80")
    places = places_at(one, two, clock=clock, choose="least-outstanding")
    first_two = [places.take(), places.take()]
    assert set(first_two) == {one, two}
    assert len(fill(places)) == 2


def test_while_the_primary_is_out_the_backup_is_asked(clock: FakeClock) -> None:
    primary, backup = a_node(clock, "a:80"), a_node(clock, "b:80")
    places = places_at(primary, backup, clock=clock)
    eject(primary)
    assert places.take() is backup
    clock.advance(1.0)
    assert places.take() is primary, "it is owed a trial"
    assert places.take() is backup, "one trial is enough"


def test_with_every_node_out_they_are_asked_as_if_none_were(clock: FakeClock) -> None:
    primary, backup = a_node(clock, "a:80"), a_node(clock, "b:80")
    places = places_at(primary, backup, clock=clock)
    eject(primary)
    backup.unhealthy("a check was answered with 503")
    assert places.take() is primary
    assert places.take(tried=[primary]) is backup


# --- in line -----------------------------------------------------------------------------------


async def test_places_go_to_those_in_line_in_their_order(clock: FakeClock) -> None:
    node = a_node(clock)
    places = places_at(node, clock=clock)
    fill(places)
    crowd = Crowd(places)
    for name in ("first", "second", "third"):
        await crowd.join(name)
    assert places.waiting == 3
    places.release(node)
    assert await crowd.names() == ["first"]
    assert node.outstanding == 2
    places.release(node)
    places.release(node)
    assert await crowd.names() == ["first", "second", "third"]
    assert places.waiting == 0


async def test_nobody_overtakes_those_in_line(clock: FakeClock) -> None:
    node = a_node(clock)
    places = places_at(node, clock=clock)
    fill(places)
    crowd = Crowd(places)
    await crowd.join("first")
    places.release(node)  # handed over at once, though `first` has not run yet
    assert places.take() is None
    assert await crowd.names() == ["first"]


async def test_whoever_waits_for_one_node_keeps_nobody_from_another(clock: FakeClock) -> None:
    """He was at the other node already; it is free, and his own is not."""
    one, other = a_node(clock, max_concurrent=1), a_node(clock, max_concurrent=1)
    places = places_at(one, other, clock=clock)
    assert places.take((one,)) is other
    crowd = Crowd(places)
    await crowd.join("again", (one,))
    await crowd.join("new")
    assert await crowd.names() == ["new"]
    await crowd.join("newer")
    places.release(one)
    assert await crowd.names() == ["new", "newer"]
    places.release(other)
    assert crowd.served[2:] == []
    assert await crowd.names() == ["new", "newer", "again"]


async def test_whoever_waits_too_long_is_told_to_come_back(clock: FakeClock) -> None:
    node = a_node(clock)
    places = places_at(node, clock=clock, wait_timeout_seconds=SOON)
    fill(places)
    with pytest.raises(UpstreamBusy) as busy:
        await places.wait()
    assert busy.value.detail == "a:80: no place became free within wait_timeout_seconds"
    assert busy.value.retry_after_seconds == 1
    assert places.waiting == 0
    places.release(node)
    assert places.take() is node


async def test_a_line_that_is_full_takes_nobody_else(clock: FakeClock) -> None:
    node = a_node(clock)
    places = places_at(node, clock=clock, max_waiting=1)
    fill(places)
    crowd = Crowd(places)
    waiting = await crowd.join("first")
    with pytest.raises(UpstreamBusy) as busy:
        await places.wait()
    assert busy.value.detail.endswith("max_waiting requests wait already")
    waiting.cancel()


async def test_a_client_that_leaves_gives_its_place_in_line_away(clock: FakeClock) -> None:
    node = a_node(clock)
    places = places_at(node, clock=clock)
    fill(places)
    crowd = Crowd(places)
    leaving = await crowd.join("leaving")
    await crowd.join("staying")
    leaving.cancel()
    places.release(node)  # in the same turn: the line does not know of it yet
    assert await crowd.names() == ["staying"]
    assert node.outstanding == 2
    assert places.waiting == 0


async def test_a_client_that_leaves_just_when_it_is_served_gives_the_place_on(
    clock: FakeClock,
) -> None:
    node = a_node(clock)
    places = places_at(node, clock=clock)
    fill(places)
    crowd = Crowd(places)
    leaving = await crowd.join("leaving")
    await crowd.join("staying")
    places.release(node)
    leaving.cancel()
    assert await crowd.names() == ["staying"]
    assert node.outstanding == 2


async def test_those_in_line_for_a_node_that_goes_out_are_sent_to_another(
    clock: FakeClock,
) -> None:
    """A server that hangs holds its places: nothing is released, and nobody need wait for it."""
    primary, backup = a_node(clock, "a:80"), a_node(clock, "b:80")
    places = places_at(primary, backup, clock=clock)
    fill(places)
    crowd = Crowd(places)
    for name in ("first", "second", "third"):
        await crowd.join(name)
    primary.unhealthy("a check got no answer in time")
    assert await crowd.names() == ["first", "second"]
    assert [node for _, node in crowd.served] == [backup, backup]
    primary.healthy()
    places.release(primary)
    assert await crowd.names() == ["first", "second", "third"]


async def test_a_newcomer_sees_to_it_that_those_in_line_get_what_is_free(
    clock: FakeClock,
) -> None:
    """Time alone frees a place where a node is owed a trial; nobody tells of that."""
    primary, backup = a_node(clock, "a:80"), a_node(clock, "b:80", max_concurrent=1)
    places = places_at(primary, backup, clock=clock)
    eject(primary)
    assert places.take() is backup
    crowd = Crowd(places)
    await crowd.join("first")
    clock.advance(1.0)
    assert places.take() is None
    assert crowd.served == [] or crowd.served[0][1] is primary
    assert await crowd.names() == ["first"]
    assert crowd.served[0][1] is primary


async def test_a_flood_of_busy_answers_is_told_once(clock: FakeClock) -> None:
    node = a_node(clock)
    places = places_at(node, clock=clock, max_waiting=0)
    fill(places)
    told = []
    for _ in range(5):
        with pytest.raises(UpstreamBusy) as busy:
            await places.wait()
        told.append(not busy.value.is_repeat)
    assert told == [True, False, False, False, False]


# --- whatever happens --------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.just(("ask", 0)),
        st.tuples(st.sampled_from(["release", "leave", "turn"]), st.integers(0, 20)),
        st.tuples(st.sampled_from(["out", "in"]), st.integers(0, 1)),
    ),
    max_size=40,
)


@given(STEPS, st.sampled_from(sorted(STRATEGIES)))
def test_no_place_is_ever_lost_or_given_twice(steps: list[tuple[str, int]], choose: str) -> None:
    """Every request ends with a place, or has left; each place is held by one of them."""
    asyncio.run(_follow(steps, choose))


async def _follow(steps: list[tuple[str, int]], choose: str) -> None:
    clock = FakeClock()
    nodes = [a_node(clock, "a:80", max_concurrent=2), a_node(clock, "b:80", max_concurrent=1)]
    places = places_at(*nodes, clock=clock, choose=choose)
    tasks = Tasks("requests")
    waiting: list[asyncio.Task[None]] = []
    held: list[Node] = []

    async def ask() -> None:
        held.append(places.take() or await places.wait())

    for step, number in steps:
        match step:
            case "ask":
                waiting.append(tasks.start(ask(), name="one"))
            case "release" if held:
                places.release(held.pop(number % len(held)))
            case "leave" if waiting:
                waiting.pop(number % len(waiting)).cancel()
            case "out":
                nodes[number].unhealthy("no")
            case "in":
                nodes[number].healthy()
            case _:
                await asyncio.sleep(0)
        assert all(node.outstanding <= node.max_concurrent for node in nodes)
    await _turns()
    for node in nodes:
        assert node.outstanding == held.count(node)
    while held:
        places.release(held.pop())
        await _turns()
    assert places.waiting == 0
    assert [node.outstanding for node in nodes] == [0, 0]
    await tasks.close()


async def _turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)
