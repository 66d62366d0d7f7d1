"""Nodes without a server behind them, for what depends on their state and not on their bytes."""

from typing import cast

from gateway.upstream.nodes import Ejection, Node
from gateway.upstream.pool import Pool
from tests.support.clock import FakeClock

__all__ = ["a_node"]


class _NoPool:
    """A name and nothing behind it."""

    def __init__(self, name: str) -> None:
        self.name = name


def a_node(clock: FakeClock, name: str = "a:80", *, max_concurrent: int = 2) -> Node:
    """A node of the service `ucs` that is out after three failures, for 1 to 30 seconds."""
    return Node(
        cast("Pool", _NoPool(name)),
        service="ucs",
        clock=clock,
        ejection=Ejection(after=3, seconds=1.0, max_seconds=30.0),
        max_concurrent=max_concurrent,
    )
