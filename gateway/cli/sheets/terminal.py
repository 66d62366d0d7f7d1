"""The matrix for a terminal: roles are numbered columns, in blocks that fit the width."""

from collections.abc import Iterator, Sequence

from gateway.audit.redact import safe_text
from gateway.cli.sentences import counted
from gateway.cli.sheets.sheet import MODES, Sheet, words_of
from policy import Role
from policy.analysis import OpenTo, Row, State

__all__ = ["as_text"]

_SYMBOLS = {State.ALLOWED: "+", State.CONDITIONAL: "~", State.DENIED: "·"}
_MARKS = {OpenTo.ANYBODY: "*", OpenTo.KNOWN: "°", OpenTo.HOLDERS: " ", OpenTo.NOBODY: " "}
_LEAST_PATH = 12
_USUAL_COLUMNS = 13


def as_text(sheet: Sheet, width: int) -> Iterator[str]:
    """The lines, none of them much wider than `width`: notes are not broken."""
    digits = len(str(len(sheet.roles)))
    size = f"{counted(len(sheet.rows), 'operation')}, {counted(len(sheet.roles), 'role')}"
    yield f"policy {sheet.table.version}, {size}"
    yield "+ allowed   ~ allowed, unless a condition below is met   · denied"
    if marks := [_MARK_WORDS[mark] for mark in _MARK_WORDS if _has(sheet, mark)]:
        yield "   ".join(marks)
    yield ""
    longest = min(max((len(role.name) for role in sheet.roles), default=0), 40)
    for number, role in enumerate(sheet.roles, 1):
        off = " (off: grants nothing)" if not role.enabled else ""
        title = f"  {safe_text(role.title)}" if role.title else ""
        yield f"{number:>{digits}}  {role.name:<{longest}}{title}{off}".rstrip()
    layout = _Layout(sheet, width, digits + 1)
    for service, rows in sheet.by_service():
        yield ""
        yield f"{service.name} at {service.prefix}, {MODES[service.use_role]}"
        for first in range(0, max(len(sheet.roles), 1), layout.columns):
            if first:
                yield ""
            yield from layout.block(rows, first)
        yield from _notes(rows)


_MARK_WORDS = {
    OpenTo.ANYBODY: "* anybody may, without credentials",
    OpenTo.KNOWN: "° every caller who is known may",
}


def _has(sheet: Sheet, mark: OpenTo) -> bool:
    return any(row.open_to is mark for row in sheet.rows)


class _Layout:
    """How wide the parts of a row are; the same for all services."""

    def __init__(self, sheet: Sheet, width: int, cell: int) -> None:
        self._roles: Sequence[Role] = sheet.roles
        self._cell = cell
        self._name = max((len(row.route.id) for row in sheet.rows), default=0)
        room = width - self._name - 2
        path = max((len(_request(row)) + 2 for row in sheet.rows), default=0)
        usual = min(len(sheet.roles), _USUAL_COLUMNS) * cell
        self._path = min(path, max(room - usual, 0))
        if self._path < _LEAST_PATH:
            self._path = 0
        self.columns = max((room - self._path) // cell, 1)

    def block(self, rows: Sequence[Row], first: int) -> Iterator[str]:
        """One line for each row, with the columns that begin at `first`."""
        last = min(first + self.columns, len(self._roles))
        numbers = "".join(f"{number:>{self._cell}}" for number in range(first + 1, last + 1))
        yield " " * (self._name + 2 + self._path) + numbers
        for row in rows:
            symbols = [_SYMBOLS[cell.state].rjust(self._cell) for cell in row.kinds]
            cells = "".join(symbols[kind] for kind in row.cells[first:last])
            path = _cut(_request(row), self._path - 2)
            mark = _MARKS[row.open_to]
            yield f"{row.route.id:<{self._name}} {mark}{path:<{self._path}}{cells}".rstrip()


def _request(row: Row) -> str:
    return f"{row.route.method} {row.route.template}"


def _cut(text: str, width: int) -> str:
    if width <= 0:
        return ""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _notes(rows: Sequence[Row]) -> Iterator[str]:
    """The conditions of rows in which they make a difference, and every guard."""
    for row in rows:
        if any(cell.state is State.CONDITIONAL for cell in row.kinds):
            for each in row.conditions:
                needs = words_of(each.missing)
                yield f"  ~ {row.route.id}: {' and '.join(each.when)}: needs {needs} too"
        for guard in row.guards:
            yield f"  ! {row.route.id}: for everybody, {guard}"
        if not row.reachable:
            yield f"  ! {row.route.id}: no path leads to it"
