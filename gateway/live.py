"""The one mutable reference to policy: one writer, readers without locks.

A request reads `table` once and keeps that table to its end, so it sees one version whatever is
swapped meanwhile.
"""

from policy import DecisionTable

__all__ = ["LivePolicy"]


class LivePolicy:
    """The table in force, and since when (seconds since the epoch)."""

    __slots__ = ("since", "table")

    def __init__(self, table: DecisionTable, since: float) -> None:
        self.table = table
        self.since = since

    def __repr__(self) -> str:
        return f"<LivePolicy {self.table.version}>"
