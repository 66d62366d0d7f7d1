"""The matrix as CSV: one row an operation, one column a role.

A spreadsheet takes a cell that begins like a formula for one, whoever wrote it; such a cell gets an
apostrophe, which spreadsheets read as "this is text" (OWASP, "CSV Injection").
"""

import csv
from collections.abc import Iterator
from io import StringIO

from gateway.cli.sheets.sheet import Sheet, cell_words, words_of
from policy.analysis import Cell, State

__all__ = ["as_rows"]

# The last four are the wide forms, which some spreadsheets read as the others.
_BEGIN_FORMULAS = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")

_HEAD = (
    "service", "operation", "method", "path", "title", "open to", "needs", "conditions", "guards",
)  # fmt: skip


def as_rows(sheet: Sheet) -> Iterator[str]:
    """The lines of the file, each with its end as RFC 4180 has it."""
    off = ["" if role.enabled else " (off)" for role in sheet.roles]
    yield _line([*_HEAD, *(role.name + more for role, more in zip(sheet.roles, off, strict=True))])
    for row in sheet.rows:
        route = row.route
        conditions = (
            f"{' and '.join(each.when)}: {words_of(each.missing)}" for each in row.conditions
        )
        words = [_safe(_words(cell)) for cell in row.kinds]
        fixed = [
            route.service, route.id, route.method, route.template, route.title,
            row.open_to if row.reachable else "no path leads to it",
            words_of(row.needs), "; ".join(conditions), "; ".join(row.guards),
        ]  # fmt: skip
        yield _line(fixed, [words[kind] for kind in row.cells])


def _words(cell: Cell) -> str:
    """What a denied cell lacks stands in the row already, and a file of millions has to be read."""
    return "denied" if cell.state is State.DENIED else cell_words(cell)


def _line(cells: list[str], safe: list[str] | None = None) -> str:
    written = StringIO()
    csv.writer(written).writerow([*map(_safe, cells), *(safe or ())])
    return written.getvalue()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_BEGIN_FORMULAS) else text
