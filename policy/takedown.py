"""The end of a decision table, a little at a time.

The answers that lie ready on a route know their route, so a table never goes by itself; and the
garbage collector, which would find it, looks at everything else too, for longer than a request may
wait. Who owns a table that nobody decides by any more takes it apart instead.
"""

from collections.abc import Iterator
from typing import Any

from policy.routes import Node
from policy.table import DecisionTable

__all__ = ["take_down"]

_READY = (
    "permitted", "permitted_with", "permitted_read", "permitted_read_with", "not_enforced",
    "not_authenticated", "denied", "needs_body", "to_strangers", "settled",
)  # fmt: skip


def take_down(table: DecisionTable) -> Iterator[None]:
    """Take `table` apart; each step takes some microseconds. It must not be used any more.

    Decisions that it has made, and their routes, still say what they said.
    """
    for entries in (table.users, table.groups, table.clients, table.claims, table.roles):
        assert isinstance(entries, dict)  # noqa: S101 - as the compiler makes them
        while entries:
            entries.popitem()
            yield
    for route in table.operations:
        for name in _READY:
            object.__setattr__(route, name, None)
        yield
    # HEAD and GET may have the same one.
    table.denials.clear()
    for root in dict.fromkeys(map(table.routes.root_of, table.routes.methods)):
        if root is not None:
            yield from _node(root)


def _node(node: Node[Any]) -> Iterator[None]:
    below = [*node.literals.values(), *(each for _, each in node.parameters)]
    node.literals, node.parameters, node.route = {}, (), None
    # A node without parameters refers to itself.
    del node.below
    yield
    while below:
        yield from _node(below.pop())
