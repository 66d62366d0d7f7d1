"""The one mutable reference to policy: one writer, readers without locks.

A request asks for its table and reads `trial` once, without waiting in between, and keeps both to
its end, so it sees one version whatever is swapped meanwhile. The table before stays in memory, so that going
back is one assignment too.
"""

from gateway.candidate import Candidate
from policy import Caller, DecisionTable

__all__ = ["LivePolicy"]


class LivePolicy:
    """The table in force, since when (seconds since the epoch), and the one before.

    `trial` is the candidate that is tried beside it, if there is one; it always knows the table
    that is in force, and begins anew with another.
    """

    __slots__ = ("previous", "since", "table", "trial")

    def __init__(self, table: DecisionTable, since: float) -> None:
        self.table = table
        self.since = since
        self.previous: DecisionTable | None = None
        self.trial: Candidate | None = None

    def __repr__(self) -> str:
        return f"<LivePolicy {self.table.version}>"

    def table_for(self, caller: Caller) -> DecisionTable:
        """The table by which requests of `caller` are decided."""
        return self.table if self.trial is None else self.trial.table_for(caller)

    def put(self, table: DecisionTable, since: float) -> DecisionTable | None:
        """Put `table` in force, and keep the one before; the one that nobody can go back to now."""
        out = self.previous
        self.previous, self.table, self.since = self.table, table, since
        self._renew_trial()
        return out

    def roll_back(self, since: float) -> bool:
        """The one before is in force again, and can be rolled back in turn; False without one."""
        if self.previous is None:
            return False
        self.previous, self.table, self.since = self.table, self.previous, since
        self._renew_trial()
        return True

    def _renew_trial(self) -> None:
        if self.trial is not None:
            self.trial = self.trial.beside(self.table)
