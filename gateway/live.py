"""The one mutable reference to policy: one writer, readers without locks.

A request reads `table` once and keeps that table to its end, so it sees one version whatever is
swapped meanwhile. The table before stays in memory, so that going back is one assignment too.

What else is to be decided by beside the policy in force, such as a candidate for some of the
callers, belongs here: whoever needs both has to read them in one step.
"""

from policy import DecisionTable

__all__ = ["LivePolicy"]


class LivePolicy:
    """The table in force, since when (seconds since the epoch), and the one before."""

    __slots__ = ("previous", "since", "table")

    def __init__(self, table: DecisionTable, since: float) -> None:
        self.table = table
        self.since = since
        self.previous: DecisionTable | None = None

    def __repr__(self) -> str:
        return f"<LivePolicy {self.table.version}>"

    def put(self, table: DecisionTable, since: float) -> DecisionTable | None:
        """Put `table` in force, and keep the one before; the one that nobody can go back to now."""
        out = self.previous
        self.previous, self.table, self.since = self.table, table, since
        return out

    def roll_back(self, since: float) -> bool:
        """The one before is in force again, and can be rolled back in turn; False without one."""
        if self.previous is None:
            return False
        self.previous, self.table, self.since = self.table, self.previous, since
        return True
