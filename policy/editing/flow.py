"""Lists and mappings in brackets: items put in and taken out.

A collection is cut into segments: each item with the comma behind it, and with the comment that
follows on the same line, which is about this item. Comments on lines of their own stay.
"""

import re
from collections.abc import Collection, Iterator, Sequence

import msgspec

from policy.editing.nodes import Entry, Flow, Sheet, newline_of
from policy.editing.splices import Splice, line_end, line_start

__all__ = ["WIDTH", "flow_with", "flow_without"]

WIDTH = 100
"""Lines are not made longer than this where they can be wrapped."""

# What may stand between two items, up to the comma; a comment is taken whole or not at all.
_COMMA = re.compile(r"(?:\s++|#[^\r\n]*+)*+,")
_COMMENT = re.compile(r"[ \t]*#[^\r\n]*")
_LAST_COMMENT = re.compile(r".*#[^\r\n]*", re.DOTALL)


class _Segment(msgspec.Struct):
    """An item: what stands before it, itself, and its comma and comment."""

    lead: str
    item: str
    comma: str
    comment: str

    def __str__(self) -> str:
        return self.lead + self.item + self.comma + self.comment


def flow_with(sheet: Sheet, node: Flow, items: Sequence[str]) -> list[Splice]:
    """`items`, which are written as they should be, put behind the last one."""
    text = sheet.text
    if not node.entries:
        return [_first_items(text, node, items)]
    last = node.entries[-1]
    (*_, segment) = _segments(sheet, node)
    opened, begins = line_start(text, node.start), line_start(text, last.start)
    if begins != opened and not text[begins : last.start].strip():
        return _on_lines_of_their_own(text, last, segment, items)
    return [Splice(last.end, last.end, _wrapped(text, node, last, items))]


def flow_without(sheet: Sheet, node: Flow, gone: Collection[Entry]) -> Splice:
    """The items `gone` taken out, with their comments."""
    text = sheet.text
    segments = list(_segments(sheet, node))
    inside = text[node.start + 1 : node.end - 1]
    rest = inside[sum(len(str(segment)) for segment in segments) :]
    left = [each for each, entry in zip(segments, node.entries, strict=True) if entry not in gone]
    if not left and not any("#" in each.lead for each in segments) and "#" not in rest:
        return Splice(node.start + 1, node.end - 1)
    first = segments[0]
    if left and left[0] is not first and "#" not in first.lead + left[0].lead:
        left[0].lead = first.lead
    if left and not segments[-1].comma:
        left[-1].comma = ""
    newline = newline_of(text, node.start)
    indent = " " * (node.start - line_start(text, node.start) + 1)
    written, in_comment = "", False
    for segment in segments:
        if any(segment is each for each in left):
            more, ends_in_comment = str(segment), bool(segment.comment)
        else:
            above = _LAST_COMMENT.match(segment.lead)
            more, ends_in_comment = (above[0], True) if above else ("", in_comment)
        written += _apart(more, newline + indent, in_comment=in_comment) + more
        in_comment = ends_in_comment
    written += _apart(rest or "]", newline + indent, in_comment=in_comment) + rest
    return Splice(node.start + 1, node.end - 1, written)


def _apart(more: str, line: str, *, in_comment: bool) -> str:
    """A new line, where something would otherwise become part of a comment."""
    return line if more and in_comment and more[0] not in "\r\n" else ""


def _segments(sheet: Sheet, node: Flow) -> Iterator[_Segment]:
    text, at = sheet.text, node.start + 1
    for number, entry in enumerate(node.entries):
        lead, item = text[at : entry.start], text[entry.start : entry.end]
        is_last = number == len(node.entries) - 1
        until = node.end - 1 if is_last else node.entries[number + 1].start
        found = _COMMA.match(text, entry.end, until)
        if found is None and not is_last:
            raise sheet.refuse(entry.start, "this list is written in an unusual way")
        comma = found[0] if found else ""
        at = entry.end + len(comma)
        follows = _COMMENT.match(text, at, until)
        comment = follows[0] if follows else ""
        at += len(comment)
        yield _Segment(lead, item, comma, comment)


def _first_items(text: str, node: Flow, items: Sequence[str]) -> Splice:
    inside = text[node.start + 1 : node.end - 1]
    if not inside.strip():
        return Splice(node.start + 1, node.end - 1, ", ".join(items))
    apart = "" if inside[0].isspace() else " "
    return Splice(node.start + 1, node.start + 1, ", ".join(items) + apart)


def _on_lines_of_their_own(
    text: str, last: Entry, segment: _Segment, items: Sequence[str]
) -> list[Splice]:
    """As the last item has one: the comma may have to go before a comment, the items behind it."""
    newline = newline_of(text, last.start)
    indent = text[line_start(text, last.start) : last.start]
    end = last.end + len(segment.comma) + len(segment.comment)
    lines = "".join(f",{newline}{indent}{item}" for item in items)
    if segment.comma:
        return [Splice(end, end, lines[1:] + ",")]
    if segment.comment:
        return [Splice(last.end, last.end, ","), Splice(end, end, lines[1:])]
    return [Splice(end, end, lines)]


def _wrapped(text: str, node: Flow, last: Entry, items: Sequence[str]) -> str:
    """The items behind the last one, on a new line wherever the line would become too long."""
    begins = node.entries[0].start
    indent = " " * (begins - line_start(text, begins))
    column = last.end - line_start(text, last.end)
    rest = len(text[last.end : line_end(text, last.end)].partition(" #")[0].rstrip())
    written = ""
    for number, item in enumerate(items, start=1):
        closing = rest if number == len(items) else 1
        if column + len(item) + 2 + closing > WIDTH and column > len(indent):
            written += f",{newline_of(text, last.end)}{indent}{item}"
            column = len(indent) + len(item)
        else:
            written += f", {item}"
            column += len(item) + 2
    return written
