"""The matrix as one page that an auditor can open, filter, print and keep.

Nothing is fetched from anywhere, and the page forbids itself to: its policy names the digests of
its own style and script, so that no name out of a policy file could ever run or load anything. It
says the same without its script, which only filters.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path

from gateway.cli.sheets.sheet import MODES, OPEN_TO, Sheet, cell_words, words_of
from policy import Role, Service
from policy.analysis import OpenTo, Row, State

__all__ = ["MOST_CELLS", "as_page"]

MOST_CELLS = 150_000
"""Beyond this browsers take seconds to lay a table out, and nobody reads it."""

_HERE = Path(__file__).parent
_CLASSES = {State.ALLOWED: "y", State.CONDITIONAL: "c", State.DENIED: "n"}
_SYMBOLS = {State.ALLOWED: "✓", State.CONDITIONAL: "◐", State.DENIED: "·"}
_STATE_WORDS = {
    State.ALLOWED: "allowed",
    State.CONDITIONAL: "allowed, but for some requests",
    State.DENIED: "denied",
}


def as_page(sheet: Sheet) -> str:
    """The whole page."""
    return "\n".join(_page(sheet)) + "\n"


def _page(sheet: Sheet) -> Iterator[str]:
    style = (_HERE / "page.css").read_text("utf-8")
    script = (_HERE / "page.js").read_text("utf-8")
    allowed = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}';"
        " base-uri 'none'; form-action 'none'"
    )
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{allowed}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield '<meta name="referrer" content="no-referrer">'
    yield f"<title>Who may do what</title><style>{style}</style></head><body>"
    yield from _introduction(sheet)
    yield from _filter(sheet)
    yield from _matrix(sheet)
    yield from _operations(sheet)
    yield from _roles(sheet)
    yield f"<script>{script}</script></body></html>"


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _introduction(sheet: Sheet) -> Iterator[str]:
    yield "<h1>Who may do what</h1>"
    yield (
        f"<p>{len(sheet.rows):,} operations, {len(sheet.roles):,} roles; policy version"
        f" <code>{escape(sheet.table.version)}</code></p>"
    )
    yield (
        '<p class="faint">A cell is what a caller with this role, and no other, may do. Callers'
        " with several roles have the permissions of all of them together. Point at a cell to read"
        " what is missing, or see the list of operations below.</p>"
    )
    yield '<ul class="legend">'
    for state in State:
        yield (
            f'<li><span class="{_CLASSES[state]}">{_SYMBOLS[state]}</span> {_STATE_WORDS[state]}</li>'
        )
    yield "</ul>"


def _filter(sheet: Sheet) -> Iterator[str]:
    yield '<form id="filter" hidden autocomplete="off">'
    yield '<label>operation, path or permission <input type="search" name="text"></label>'
    yield '<label>role <select name="role"><option value="">all roles</option>'
    for place, role in enumerate(sheet.roles, 1):
        yield f'<option value="{place}">{escape(role.name)}</option>'
    yield '</select></label><label>cells <select name="state"><option value="">all</option>'
    for state in State:
        yield f'<option value="{_CLASSES[state]}">{_STATE_WORDS[state]}</option>'
    yield '</select></label><output name="count"></output></form>'


# --- the matrix --------------------------------------------------------------------------------


def _matrix(sheet: Sheet) -> Iterator[str]:
    yield '<div class="frame"><table id="matrix"><thead><tr><th scope="col">operation</th>'
    for role in sheet.roles:
        off, more = ("", "") if role.enabled else (' class="off"', " (off)")
        name = f"<span>{escape(role.name)}{more}</span>"
        yield f'<th scope="col"{off} title="{_about(role)}">{name}</th>'
    yield "</tr></thead>"
    for service, rows in sheet.by_service():
        yield "<tbody>"
        yield _service(service, len(sheet.roles))
        for row in rows:
            yield _row(row, sheet.roles)
        yield "</tbody>"
    yield "</table></div>"


def _about(role: Role) -> str:
    granted = role.mask.bit_count()
    lines = [
        role.name,
        role.title,
        "off: grants nothing" if not role.enabled else f"grants {granted} permissions",
        f"includes {', '.join(role.includes)}" if role.includes else "",
        str(role.where),
    ]
    return escape("\n".join(filter(None, lines)))


def _service(service: Service, columns: int) -> str:
    said = escape(f"{service.name} at {service.prefix}, {MODES[service.use_role]}")
    rest = f'<td colspan="{columns}"></td>' if columns else ""
    return f'<tr class="service"><th scope="colgroup">{said}</th>{rest}</tr>'


def _row(row: Row, roles: Sequence[Role]) -> str:
    route = row.route
    request = f"{route.method} {route.template}"
    # Each different cell is written once, however many roles have it.
    cells = []
    for cell in row.kinds:
        about = escape(f"{request}\n{cell_words(cell)}")
        cells.append((f'<td class="{_CLASSES[cell.state]}" title="', about, _SYMBOLS[cell.state]))
    names = [escape(role.name) for role in roles]
    written = "".join(
        f'{cells[kind][0]}{name}: {cells[kind][1]}">{cells[kind][2]}</td>'
        for name, kind in zip(names, row.cells, strict=True)
    )
    found = escape(f"{route.id} {request} {route.title} {words_of(row.needs)}".lower())
    return (
        f'<tr data-text="{found}"><th scope="row">{escape(route.id)} {_mark(row)}'
        f'<span class="path">{escape(request)}</span></th>{written}</tr>'
    )


def _mark(row: Row) -> str:
    marks = []
    if row.open_to is not OpenTo.HOLDERS:
        marks.append((OPEN_TO[row.open_to], ""))
    if not row.reachable:
        marks.append(("no path leads to it", ""))
    if row.guards:
        marks.append(("checks the body", "for everybody: " + "; ".join(row.guards)))
    return " ".join(
        f'<span class="mark" title="{escape(about)}">{mark}</span>' for mark, about in marks
    )


# --- what stands behind it ---------------------------------------------------------------------


def _operations(sheet: Sheet) -> Iterator[str]:
    yield '<h2>What each operation needs</h2><div class="frame"><table class="list"><thead><tr>'
    yield "<th>operation</th><th>request</th><th>needs</th><th>and where</th><th>written at</th>"
    yield "</tr></thead><tbody>"
    for row in sheet.rows:
        route = row.route
        needs = words_of(row.needs) or f"open to {OPEN_TO[row.open_to]}"
        more = [
            f"{' and '.join(each.when)}: also {words_of(each.missing)}" for each in row.conditions
        ]
        more += [f"for everybody: {guard}" for guard in row.guards]
        title = f'<br><span class="faint">{escape(route.title)}</span>' if route.title else ""
        yield (
            f"<tr><th>{escape(route.id)}{title}</th><td><code>{escape(route.method)}"
            f" {escape(route.template)}</code></td><td><code>{escape(needs)}</code></td>"
            f"<td>{_items(more)}</td><td><code>{escape(str(route.where))}</code></td></tr>"
        )
    yield "</tbody></table></div>"


def _roles(sheet: Sheet) -> Iterator[str]:
    yield '<h2>Roles</h2><div class="frame"><table class="list"><thead><tr>'
    yield "<th>role</th><th>includes</th><th>names itself</th><th>written at</th>"
    yield "</tr></thead><tbody>"
    for role in sheet.roles:
        off = "" if role.enabled else ' <span class="mark">off: grants nothing</span>'
        title = f'<br><span class="faint">{escape(role.title)}</span>' if role.title else ""
        yield (
            f"<tr><th>{escape(role.name)}{off}{title}</th><td>{_items(role.includes)}</td>"
            f"<td>{_items(sheet.table.names_of(role.own))}</td>"
            f"<td><code>{escape(str(role.where))}</code></td></tr>"
        )
    yield "</tbody></table></div>"


def _items(items: Sequence[str]) -> str:
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return f"<ul>{listed}</ul>" if listed else ""
