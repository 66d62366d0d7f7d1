"""What every form of the matrix shows, and the words that they share."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from policy import DecisionTable, Missing, Role, Service, UseRole
from policy.analysis import Cell, OpenTo, Row, State

__all__ = ["MODES", "OPEN_TO", "Sheet", "cell_words", "words_of"]

OPEN_TO = {
    OpenTo.ANYBODY: "anybody, without credentials",
    OpenTo.KNOWN: "every caller who is known",
    OpenTo.HOLDERS: "who holds what it needs",
    OpenTo.NOBODY: "nobody: it is closed",
}

MODES = {
    UseRole.ENFORCE: "enforced",
    UseRole.SHADOW: "only watched: denials are recorded, and let through",
    UseRole.OFF: "roles are not used: every caller who is known may",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The roles are the columns, the operations of the services the rows."""

    table: DecisionTable
    roles: tuple[Role, ...]
    rows: tuple[Row, ...]

    def by_service(self) -> Iterator[tuple[Service, tuple[Row, ...]]]:
        """The rows of each service, in the order of the settings."""
        for name, rows in groupby(self.rows, key=lambda row: row.route.service):
            yield self.table.services[name], tuple(rows)

    @property
    def size(self) -> int:
        """How many cells there are."""
        return len(self.roles) * len(self.rows)


def words_of(missing: Missing) -> str:
    """`a and b and (c or d)`."""
    groups = [" or ".join(group) for group in missing.any_of]
    alone = len(groups) == 1 and not missing.all_of
    return " and ".join([*missing.all_of, *(each if alone else f"({each})" for each in groups)])


def cell_words(cell: Cell) -> str:
    """A cell in full, without its row."""
    if cell.state is State.ALLOWED:
        return "allowed"
    if cell.state is State.DENIED:
        lacking = " ".join(words_of(lack.missing) for lack in cell.lacks)
        return f"denied: lacks {lacking}" if lacking else "denied"
    unless = "; or ".join(
        f"{' and '.join(lack.when)}: lacks {words_of(lack.missing)}" for lack in cell.lacks
    )
    return f"allowed unless {unless}"
