"""Lists and mappings with a line or more for each entry: entries put in and taken out.

A comment on an entry's line is about it, and so are the comment lines right above a mapping's
entry, unless the next entry follows right below: then they may be the heading of both, and stay.
Comment lines within lists stay.
"""

import re
from collections.abc import Collection, Sequence

from policy.editing.layout import Value, as_lines, is_compact, step_of
from policy.editing.nodes import Block, Entry, Scalar, Sheet, newline_of
from policy.editing.splices import (
    Splice,
    below,
    blank_between,
    line_start,
    next_line,
)

__all__ = ["at_the_end", "behind_key", "block_with", "block_without", "items_below"]

_BLANK = re.compile(r"[^\S\r\n]*(?:\r?\n|\Z)")


def items_below(sheet: Sheet, node: Block, items: Sequence[str]) -> Splice:
    """A line for each of `items` behind the last one of a list."""
    lines = [f"{' ' * node.column}- {item}" for item in items]
    return below(sheet.text, node.end, lines, newline_of(sheet.text, node.end))


def block_with(
    sheet: Sheet, node: Block, key: str, value: Value, order: Sequence[str] = ()
) -> Splice:
    """A new entry, behind those that stand before it in `order`, or else behind the last one."""
    text = sheet.text
    siblings = [each.value for each in node.entries]
    lines = as_lines(
        key, value, node.column, step_of(sheet.root), compact=is_compact(siblings)
    )  # fmt: skip
    earlier = order[: order.index(key)] if key in order else None
    if earlier is None:
        last = node.entries[-1]
        if _is_airy(sheet, node):
            lines = ["", *lines]
    else:
        found = [each for each in node.entries if each.key and each.key.text in earlier]
        if not found:
            return _above(sheet, node, lines)
        last = found[-1]
    return below(text, last.end, lines, newline_of(text, last.end))


def _above(sheet: Sheet, node: Block, lines: list[str]) -> Splice:
    """Above the first entry and whatever is said of it, which is right below the mapping's key."""
    text = sheet.text
    at = line_start(text, node.start)
    while at and (above := text[line_start(text, at - 1) : at]).lstrip().startswith("#"):
        if len(above) - len(above.lstrip()) < node.column:
            break
        at = line_start(text, at - 1)
    newline = newline_of(text, node.start)
    return Splice(at, at, "".join(line + newline for line in lines))


def _is_airy(sheet: Sheet, node: Block) -> bool:
    """Whether empty lines part the entries here."""
    if len(node.entries) == 1:
        (only,) = node.entries
        return isinstance(only.value, Block)
    return blank_between(sheet.text, node.entries[-2].end, node.entries[-1].start)


def block_without(
    sheet: Sheet, node: Block, gone: Collection[Entry], key: Scalar | None
) -> list[Splice]:
    """The entries `gone` taken out; `key` is what `node` stands under."""
    removed = [
        _removed(sheet, node, number) for number, each in enumerate(node.entries) if each in gone
    ]
    if len(removed) < len(node.entries):
        return removed
    if key is None:
        raise sheet.refuse(node.start, "nothing would be left of this file")
    return [behind_key(sheet, key, "{}" if node.is_mapping else "[]"), *removed]


def behind_key(sheet: Sheet, key: Scalar, written: str) -> Splice:
    """A value for a key that has none on its line."""
    found = re.compile(r"[ \t]*:").match(sheet.text, key.end)
    if found is None:
        raise sheet.refuse(key.start, f"`{key.text}` is written in an unusual way")
    return Splice(found.end(), found.end(), f" {written}")


def _removed(sheet: Sheet, node: Block, number: int) -> Splice:
    text, entry = sheet.text, node.entries[number]
    after = node.entries[number - 1].end if number else 0
    if node.is_mapping:
        start = line_start(text, entry.start)
        if text[start : entry.start].strip():
            raise sheet.refuse(entry.start, "this entry is written in an unusual way")
    else:
        dash = re.compile(rf"^ {{{node.column}}}-", re.MULTILINE).search(
            text, max(after, line_start(text, node.start))
        )
        if dash is None or dash.start() > entry.start:
            raise sheet.refuse(entry.start, "this list is written in an unusual way")
        start = dash.start()
    end = next_line(text, entry.end)
    if not node.is_mapping:
        return Splice(start, end)
    rest = node.entries[number + 1 :]
    is_followed = bool(rest) and line_start(text, rest[0].start) == end
    if not is_followed:
        start = _with_comments(text, start, after, node.column)
    return _without_gap(text, start, end)


def _with_comments(text: str, start: int, after: int, column: int) -> int:
    """Where the comment lines begin that stand right above, as far to the right as the entry."""
    while start > after:
        above = line_start(text, start - 1)
        line = text[above:start]
        is_comment = line.lstrip(" ").startswith("#")
        if above < after or not is_comment or len(line) - len(line.lstrip(" ")) != column:
            break
        start = above
    return start


def _without_gap(text: str, start: int, end: int) -> Splice:
    """With the empty lines on one side, where there are some on both, or nothing follows."""
    above = start
    while above and _BLANK.fullmatch(text, line_start(text, above - 1), above):
        above = line_start(text, above - 1)
    if above == start:
        return Splice(start, end)
    below_it = end
    while below_it < len(text) and (found := _BLANK.match(text, below_it)) and found[0]:
        below_it = found.end()
    if below_it == len(text):
        return Splice(above, end)
    return Splice(start, below_it)


def at_the_end(sheet: Sheet, key: str, value: Value) -> Splice:
    """A new section of a file, at its end."""
    text, root = sheet.text, sheet.root
    column = root.column if isinstance(root, Block) else 0
    lines = as_lines(key, value, column, step_of(root), compact=False)
    newline, at = newline_of(text, len(text)), sheet.floor
    above = text[:at]
    if above.strip() not in {"", "---"} and above.splitlines()[-1].strip():
        lines = ["", *lines]
    if above and not above.endswith("\n"):
        return Splice(at, at, newline + newline.join(lines))
    return Splice(at, at, newline.join(lines) + newline)
