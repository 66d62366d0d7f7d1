"""A bounded number of requests at each node, and a bounded, fair queue for the others.

A node that is asked for more than it can do answers none of it in time. So each has so many
places; whoever finds none waits in line, briefly, and is then told to come back later, while
nothing has been sent. Places are handed over, not announced: whoever leaves gives his place to the
first in line, so nobody overtakes and only one is woken.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence

from gateway.clock import Clock
from gateway.errors import UpstreamBusy
from gateway.upstream.balance import Strategy, candidates
from gateway.upstream.nodes import Node
from gateway.upstream.seldom import Seldom

__all__ = ["Places"]

_Place = asyncio.Future[Node | None]


class Places:
    """Who may send to which node of one service.

    What `take` or `wait` gave has to be given back with `release`, however the request ends.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        choose: Strategy,
        *,
        clock: Clock,
        max_waiting: int,
        wait_timeout_seconds: float,
    ) -> None:
        self._nodes = tuple(nodes)
        self._only = self._nodes[0] if len(self._nodes) == 1 else None
        self._choose = choose
        self._now = clock.monotonic
        self._max_waiting = max_waiting
        self._wait_timeout_seconds = wait_timeout_seconds
        self._line: OrderedDict[_Place, Sequence[Node]] = OrderedDict()
        self._seldom = Seldom(clock)
        self._turn = 0
        self._all_are_in = True
        for node in self._nodes:
            node.changed = self._look_again

    def __repr__(self) -> str:
        return f"<Places at {len(self._nodes)} nodes, {self.waiting} waiting>"

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._line)

    def are_left(self, tried: Sequence[Node]) -> bool:
        """Whether there is a node besides those `tried`."""
        return len(tried) < len(self._nodes)

    def take(self, tried: Sequence[Node] = ()) -> Node | None:
        """A place at a node that is not among `tried`, which are not all; None when to wait."""
        if self._line:
            # A node may have come back in since the last one left; those in line are first.
            self._hand_out()
            if self._line:
                return None
        node = self._only or self._chosen(tried)
        if node.outstanding >= node.max_concurrent:
            return None
        node.begin()
        return node

    async def wait(self, tried: Sequence[Node] = ()) -> Node:
        """A place as soon as it is our turn. Raises UpstreamBusy."""
        if len(self._line) >= self._max_waiting:
            raise self._busy("every place is taken and max_waiting requests wait already")
        loop = asyncio.get_running_loop()
        place: _Place = loop.create_future()
        self._line[place] = tried
        self._hand_out()
        timer = loop.call_later(self._wait_timeout_seconds, _give_up, place)
        try:
            node = await place
        except asyncio.CancelledError:
            # The client left; a place that was handed over in the same turn is not ours to keep.
            if place.done() and not place.cancelled() and (given := place.result()) is not None:
                self.release(given)
            raise
        finally:
            timer.cancel()
            self._line.pop(place, None)
        if node is None:
            raise self._busy("no place became free within wait_timeout_seconds")
        return node

    def release(self, node: Node) -> None:
        """Give a place back; it goes to the first in line."""
        node.end()
        if self._line:
            self._hand_out()

    def _chosen(self, tried: Sequence[Node]) -> Node:
        self._turn += 1
        among: Sequence[Node] = self._nodes
        if tried or not self._all_are_in:
            among = candidates(among, self._now(), tried)
        return self._choose(among, self._turn)

    def _look_again(self) -> None:
        """A node is in or out by now."""
        self._all_are_in = all(node.is_in for node in self._nodes)
        self._hand_out()

    def _hand_out(self) -> None:
        """Give free places to whoever is first in line, as long as there are both.

        Whoever may not go to every node does not keep those behind him from the others.
        """
        gone = []
        for place, tried in self._line.items():
            if place.done() or self._serve(place, tried):
                gone.append(place)
            elif not tried:
                break
        for place in gone:
            del self._line[place]

    def _serve(self, place: _Place, tried: Sequence[Node]) -> bool:
        """Give one who waits a place, if there is one for him."""
        node = self._chosen(tried)
        if node.outstanding >= node.max_concurrent:
            return False
        node.begin()
        place.set_result(node)
        return True

    def _busy(self, detail: str) -> UpstreamBusy:
        error = UpstreamBusy(f"{', '.join(node.name for node in self._nodes)}: {detail}")
        self._seldom.mark(error)
        return error


def _give_up(place: _Place) -> None:
    if not place.done():
        place.set_result(None)
