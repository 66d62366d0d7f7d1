"""Tables of operations: a line each, with tabs between its cells.

    method  path  operation_id  mode  permissions  scopes  auth  status

`mode` is ANY, ALL or NONE; permissions and scopes are separated by commas. `auth` is `oauth` or
`unknown` (the same token, and no scopes known), `none`, or another kind of token. In `status`,
`removed` says that the operation is gone, and `noscope` that its scopes were not published.
"""

from policy.importing.described import Description, Gathering, NotDescribed, Token

__all__ = ["UNPUBLISHED", "read_table"]

UNPUBLISHED = "unpublished"
"""The scope of operations whose scopes are not known: not knowing them opens nothing."""

_NEEDED = ("method", "path", "mode", "permissions")
_TOKENS = {"": Token.OAUTH, "oauth": Token.OAUTH, "unknown": Token.OAUTH, "none": Token.NONE}


def read_table(text: str, source: str, *, with_removed: bool = False) -> Description:
    """The operations of a table; raises NotDescribed if it is none."""
    first, *lines = text.split("\n")
    columns = first.rstrip("\r").split("\t")
    if missing := [name for name in _NEEDED if name not in columns]:
        raise NotDescribed(f"this is no table of operations: it has no column `{missing[0]}`")
    gathering = Gathering()
    removed = 0
    for number, line in enumerate(lines, start=2):
        cells = line.rstrip("\r").split("\t")
        if cells == [""]:
            continue
        if len(cells) != len(columns):
            gathering.note(
                f"line {number} has {len(cells)} cells instead of {len(columns)}; left out"
            )
            continue
        row = dict(zip(columns, cells, strict=True))
        status = row.get("status", "").replace(",", " ").split()
        if "removed" in status and not with_removed:
            removed += 1
            continue
        scopes = _listed(row.get("scopes", ""))
        if "noscope" in status and not scopes:
            scopes = [UNPUBLISHED]
        gathering.add(
            row["method"],
            row["path"],
            name=row.get("operation_id", ""),
            title=row.get("title", ""),
            mode=row["mode"],
            permissions=_listed(row["permissions"]),
            scopes=scopes,
            token=_TOKENS.get(row.get("auth", ""), Token.OTHER),
        )
    if removed:
        gathering.note(f"{removed} operations are marked as removed; left out")
    return gathering.described("", source)


def _listed(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(",") if part.strip()]
