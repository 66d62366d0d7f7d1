"""Which node is asked next: pure functions of what is known of the nodes.

Two questions, in this order. Who may be asked at all (`candidates`): the nodes that are in, and
those whose time out is over and who are owed a trial. *Where that is nobody, all of them are*: that
they are out is our own bookkeeping, and a request that is sure to be refused is no better off than
one that is tried. Then which one of them (`STRATEGIES`).
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

__all__ = ["STRATEGIES", "Candidate", "Strategy", "candidates", "failover", "least_outstanding"]


class Candidate(Protocol):
    """What a choice depends on."""

    @property
    def outstanding(self) -> int:
        """How many of our requests it has under way."""

    def may_serve(self, now: float) -> bool:
        """Whether it is in, or owed a trial at `now` and has a place for it."""


C = TypeVar("C", bound=Candidate)


class Strategy(Protocol):
    """A way to choose."""

    def __call__(self, among: Sequence[C], turn: int, /) -> C:
        """One of `among`; `turn` is another number each time, so that ties can take turns."""


def candidates(nodes: Sequence[C], now: float, tried: Sequence[C] = ()) -> Sequence[C]:
    """The nodes that may be asked, in the order of the settings, without those `tried` already.

    Empty only where every one was tried.
    """
    left = [node for node in nodes if node not in tried] if tried else nodes
    return [node for node in left if node.may_serve(now)] or left


def failover(among: Sequence[C], _: int) -> C:
    """The first one. That it is busy is no reason to ask another: a backup is no overflow."""
    return among[0]


def least_outstanding(among: Sequence[C], turn: int) -> C:
    """The one with the fewest requests under way; among equals, each in its turn."""
    start = turn % len(among)
    return min([*among[start:], *among[:start]], key=_outstanding)


def _outstanding(node: Candidate) -> int:
    return node.outstanding


STRATEGIES: Mapping[str, Strategy] = {
    "failover": failover,
    "least-outstanding": least_outstanding,
}
"""By the name that the settings give it."""
