"""Where everything of a YAML text stands: its parser's events as a tree of places.

`policy.source` tells what a text means; here is where each value begins and ends, to the letter,
so that one of them can be changed and all others left alone. Places count characters of the text.
"""

import re
from collections.abc import Iterator
from typing import cast

import msgspec
import yaml
from yaml import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    Mark,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from policy.editing.errors import EditRefused
from policy.source import Path, scan

__all__ = [
    "Alias",
    "Block",
    "Entry",
    "Flow",
    "Node",
    "Scalar",
    "Sheet",
    "called",
    "newline_of",
    "sheet_of",
]


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """A word or text; `style` is its quote, or `|` or `>`, or nothing."""

    start: int
    end: int
    text: str
    style: str = ""
    special: str = ""


class Alias(msgspec.Struct, frozen=True, gc=False):
    """A place that repeats another one."""

    start: int
    end: int
    special: str


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An item of a collection; in a mapping it has a key."""

    value: "Node"
    key: Scalar | None = None

    @property
    def start(self) -> int:
        return self.value.start if self.key is None else self.key.start

    @property
    def end(self) -> int:
        return self.value.end if self.key is None else max(self.key.end, self.value.end)


class _Collection(msgspec.Struct, frozen=True, gc=False):
    start: int
    end: int
    is_mapping: bool
    entries: tuple[Entry, ...]
    special: str = ""

    def entry(self, name: str) -> Entry | None:
        """The entry under that key."""
        found = (each for each in self.entries if each.key is not None and each.key.text == name)
        return next(found, None)

    def entries_of(self, *texts: str) -> Iterator[Entry]:
        """The items that are called one of `texts`."""
        for entry in self.entries:
            if (name := called(entry.value)) is not None and name.text in texts:
                yield entry


class Flow(_Collection, frozen=True, gc=False):
    """`[a, b]` or `{a: b}`; it ends behind its bracket."""


class Block(_Collection, frozen=True, gc=False):
    """A line or more for each entry, all of which begin at `column`."""

    column: int = 0


Node = Scalar | Alias | Flow | Block


def called(item: Node) -> Scalar | None:
    """What an item of a list is called: a word is its own name, a grant has that of its `role`."""
    if isinstance(item, Flow | Block) and item.is_mapping:
        role = item.entry("role")
        item = item if role is None else role.value
    return item if isinstance(item, Scalar) else None


class Sheet(msgspec.Struct, frozen=True):
    """A text and its places. `root` is None where the text holds nothing but comments.

    `floor` is the end of what may follow the root: the text's, or where `...` ends the document.
    """

    file: str
    text: str
    root: Node | None
    floor: int

    def at(self, path: Path) -> Node | None:
        """The value at `path`, through keys only; None if there is none."""
        node = self.root
        for step in path:
            if not isinstance(node, Flow | Block) or (entry := node.entry(str(step))) is None:
                return None
            node = entry.value
        return node

    def line_of(self, place: int) -> int:
        """Which line that is, from 1."""
        return self.text.count("\n", 0, place) + 1

    def refuse(self, place: int, why: str, advice: str | None = None) -> EditRefused:
        """That this cannot be edited, with the line where it stands."""
        return EditRefused(f"{self.file}:{self.line_of(place)}: {why}", advice)


def sheet_of(text: str, file: str) -> Sheet:
    """The places of `text`, which has no byte order mark; raises EditRefused if it is not YAML.

    What the policy's reader would complain of is kept as `special`: an anchor, alias or tag.
    """
    _, findings = scan(text, file)
    try:
        return _Reader(file, text).sheet()
    except (yaml.YAMLError, StopIteration, RecursionError):
        said = "\n".join(map(str, findings)) or f"{file}: this cannot be read as YAML"
        raise EditRefused(said, "correct the file by hand first") from None


def newline_of(text: str, near: int) -> str:
    """How lines end around that place: as the line before it does, or the first one."""
    end = text.rfind("\n", 0, near)
    end = text.find("\n") if end < 0 else end
    return "\r\n" if end > 0 and text[end - 1] == "\r" else "\n"


_ENDS = (SequenceEndEvent, MappingEndEvent)
_TRAILING = re.compile(r"\s+\Z")


class _Reader:
    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._events: Iterator[Event] = iter(yaml.parse(text, Loader=yaml.CSafeLoader))

    def sheet(self) -> Sheet:
        next(self._events)
        if not isinstance(next(self._events), DocumentStartEvent):
            return Sheet(self._file, self._text, None, len(self._text))
        root: Node | None = self._node(next(self._events))
        if isinstance(root, Scalar) and not (root.text or root.style or root.special):
            root = None
        end = next(self._events)
        floor = len(self._text)
        if isinstance(end, DocumentEndEvent) and end.explicit:
            floor = _begin(end).index
        if isinstance(another := next(self._events), DocumentStartEvent):
            said = f"{self._file}:{_begin(another).line + 1}: a second document begins here"
            raise EditRefused(said, "write one document into each file")
        return Sheet(self._file, self._text, root, floor)

    def _node(self, event: Event) -> Node:
        start = _begin(event).index
        if isinstance(event, AliasEvent):
            return Alias(start, _end(event).index, f"`*{event.anchor}` is an alias")
        special = _special(event)
        if isinstance(event, ScalarEvent):
            end = _end(event).index
            if event.style in {"|", ">"}:
                # The parser counts the empty lines below as well.
                end = start + len(_TRAILING.sub("", self._text[start:end]))
            return Scalar(start, end, event.value, event.style or "", special)
        if not isinstance(event, MappingStartEvent | SequenceStartEvent):
            raise yaml.YAMLError(event)
        is_mapping = isinstance(event, MappingStartEvent)
        entries: list[Entry] = []
        while not isinstance(inner := next(self._events), _ENDS):
            first = self._node(inner)
            if not is_mapping:
                entries.append(Entry(first))
                continue
            value = self._node(next(self._events))
            key = first
            if not isinstance(key, Scalar):
                key = Scalar(first.start, first.end, "", "", "this key is no single word")
            entries.append(Entry(value, key))
        if event.flow_style:
            return Flow(start, _end(inner).index, is_mapping, tuple(entries), special)
        # The parser ends a block where the next token begins, below comments and empty lines.
        end = entries[-1].end
        column = entries[0].start - _line_start(self._text, entries[0].start)
        if not is_mapping:
            column = _begin(event).column
        return Block(start, end, is_mapping, tuple(entries), special, column)


def _line_start(text: str, place: int) -> int:
    return text.rfind("\n", 0, place) + 1


def _begin(event: Event) -> Mark:
    return cast("Mark", event.start_mark)


def _end(event: Event) -> Mark:
    return cast("Mark", event.end_mark)


def _special(event: Event) -> str:
    if (anchor := getattr(event, "anchor", None)) is not None:
        return f"`&{anchor}` is an anchor"
    if (tag := getattr(event, "tag", None)) is not None:
        return f"`{tag}` is a tag"
    return ""
