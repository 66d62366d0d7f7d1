"""YAML text to plain values, and where each of them stood.

The text is read event by event, so that nothing surprising is ever built: no tags, no anchors, no
merge keys, no second document, no key twice, bounded size and depth. A plain word is what it looks
like to somebody who never heard of YAML 1.1: `null`, `~` and nothing at all are nothing; `true`
and `false` are booleans; `12`, `-3` and `0.5` are numbers; everything else is text, also `on`,
`yes`, `012`, `0x1`, `1e3`, `1_000` and `2024-01-01`. Keys are always text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn, cast

import msgspec
import yaml
from yaml import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    Mark,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from policy.diagnostics import Code, Diagnostic, Location
from policy.errors import PolicyInvalid

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Path", "Place", "Plain", "Source", "parse", "scan"]

# 100,000 assignments take some 6 MB. Kubernetes refuses objects of more than 1 MiB, etcd likewise.
MAX_BYTES = 32 * 1024 * 1024
# The deepest file we define has 7 levels.
MAX_DEPTH = 24

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]
Path = tuple[str | int, ...]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?", re.ASCII)
_WORDS: dict[str, Plain] = {"": None, "~": None, "null": None, "true": True, "false": False}


class _Place(msgspec.Struct, frozen=True, gc=False):
    """Where a value stands, and what stands inside it: key places and value places."""

    line: int
    column: int
    keys: dict[str, "_Place"] = {}
    values: dict[str, "_Place"] | list["_Place"] = []


@dataclass(frozen=True, slots=True)
class Source:
    """What a file says, as plain values, with the place of each."""

    file: str
    value: Plain
    _root: _Place = field(repr=False)

    def where(self, path: Path = (), *, key: bool = False) -> Location:
        """The place of the value at `path`, or of its key; as near as possible if there is none."""
        place = self._root
        last = len(path) - 1
        for depth, step in enumerate(path):
            below = place.values
            if isinstance(step, str) and isinstance(below, dict) and step in below:
                place = place.keys[step] if key and depth == last else below[step]
            elif isinstance(step, int) and isinstance(below, list) and 0 <= step < len(below):
                place = below[step]
            else:
                break
        return Location(self.file, place.line, place.column)


class Place(msgspec.Struct, frozen=True):
    """A value of a source, by its path."""

    source: Source
    path: Path = ()

    def below(self, *steps: str | int) -> "Place":
        return Place(self.source, self.path + steps)

    def where(self, *steps: str | int, key: bool = False) -> Location:
        return self.source.where(self.path + steps, key=key)


def parse(text: str | bytes, file: str) -> Source:
    """Read `text`; every finding at once as `PolicyInvalid`. `file` is what messages call it."""
    source, findings = scan(text, file)
    if source is None or findings:
        raise PolicyInvalid(findings)
    return source


def scan(text: str | bytes, file: str) -> tuple[Source | None, list[Diagnostic]]:
    """Read as much of `text` as can be understood, with every finding on the way."""
    reader = _Reader(file)
    try:
        return reader.read(text), reader.findings
    except _Unreadable:
        return None, reader.findings


class _Unreadable(Exception):
    """The finding was written down, and there is no sense in reading on."""


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Diagnostic] = []

    def read(self, text: str | bytes) -> Source:
        content = self._decoded(text)
        try:
            return self._document(yaml.parse(content, Loader=yaml.CSafeLoader))
        except yaml.reader.ReaderError as error:
            before = content.encode()[: error.position].decode(errors="ignore")
            self._stop(_at_end(self.file, before), Code.YAML_SYNTAX, error.reason.lower())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            where = (
                Location(self.file, mark.line + 1, mark.column + 1) if mark else Location(self.file)
            )
            said = ", ".join(filter(None, (error.context, error.problem)))
            self._stop(where, Code.YAML_SYNTAX, f"this is not YAML: {said}")

    def _document(self, events: Iterator[Event]) -> Source:
        next(events)  # the stream's start
        first = next(events)
        if not isinstance(first, DocumentStartEvent):
            self._stop(Location(self.file), Code.YAML_EMPTY, "the file holds nothing")
        if first.version or first.tags:
            advice = "leave out the lines that begin with `%`"
            self._find(first, Code.YAML_DIRECTIVE, "directives are not read", advice)
        value, root = self._value(next(events), events, 1)
        next(events)  # the document's end
        if isinstance(another := next(events), DocumentStartEvent):
            advice = "write one document into each file"
            self._find(another, Code.YAML_DOCUMENTS, "a second document begins here", advice)
        elif value is None and not self.findings:
            self._stop(Location(self.file), Code.YAML_EMPTY, "the file holds nothing")
        return Source(self.file, value, root)

    def _value(self, event: Event, events: Iterator[Event], depth: int) -> tuple[Plain, _Place]:
        line, column = _position(event)
        if isinstance(event, AliasEvent):
            self._find(event, Code.YAML_ALIAS, f"`*{event.anchor}` is an alias", _WRITE_OUT)
            return None, _Place(line, column)
        self._check_properties(event)
        if isinstance(event, ScalarEvent):
            value = _resolved(event.value) if not event.style else event.value
            return value, _Place(line, column)
        if depth > MAX_DEPTH:
            said = f"values are nested more than {MAX_DEPTH} deep"
            self._stop(self._at(event), Code.YAML_TOO_DEEP, said)
        if isinstance(event, SequenceStartEvent):
            items, places = self._sequence(events, depth)
            return items, _Place(line, column, values=places)
        mapping, keys, values = self._mapping(events, depth)
        return mapping, _Place(line, column, keys, values)

    def _sequence(self, events: Iterator[Event], depth: int) -> tuple[list[Plain], list[_Place]]:
        items: list[Plain] = []
        places: list[_Place] = []
        while not isinstance(event := next(events), SequenceEndEvent):
            value, place = self._value(event, events, depth + 1)
            items.append(value)
            places.append(place)
        return items, places

    def _mapping(
        self, events: Iterator[Event], depth: int
    ) -> tuple[dict[str, Plain], dict[str, _Place], dict[str, _Place]]:
        mapping: dict[str, Plain] = {}
        keys: dict[str, _Place] = {}
        values: dict[str, _Place] = {}
        while not isinstance(event := next(events), MappingEndEvent):
            key = self._key(event, events, depth)
            value, place = self._value(next(events), events, depth + 1)
            if key is None:
                continue
            if key in mapping:
                first = f"the first one is on line {keys[key].line}"
                self._find(event, Code.DUPLICATE_KEY, f"`{key}` is given twice", first)
                continue
            mapping[key], values[key] = value, place
            keys[key] = _Place(*_position(event))
        return mapping, keys, values

    def _key(self, event: Event, events: Iterator[Event], depth: int) -> str | None:
        """The text of a key, or None if it is no text; then the finding is written down."""
        if not isinstance(event, ScalarEvent):
            self._find(event, Code.YAML_KEY, "a key must be a single word or text")
            self._value(event, events, depth + 1)
            return None
        self._check_properties(event)
        if not event.style and event.value == "<<":
            self._find(event, Code.YAML_MERGE_KEY, "merge keys are not read", _WRITE_OUT)
            return None
        if not event.value:
            self._find(event, Code.YAML_KEY, "a key is empty")
            return None
        return str(event.value)

    def _check_properties(self, event: Event) -> None:
        if (anchor := getattr(event, "anchor", None)) is not None:
            self._find(event, Code.YAML_ALIAS, f"`&{anchor}` is an anchor", _WRITE_OUT)
        if (tag := getattr(event, "tag", None)) is not None:
            advice = "leave the tag out; quote what must stay text"
            self._find(event, Code.YAML_TAG, f"`{tag}` is a tag", advice)

    def _decoded(self, text: str | bytes) -> str:
        if len(text) > MAX_BYTES:
            said = f"the file is larger than {MAX_BYTES // 1024 // 1024} MiB"
            self._stop(Location(self.file), Code.YAML_TOO_LARGE, said)
        try:
            if isinstance(text, bytes):
                return text.decode().removeprefix("\ufeff")
            text.encode()
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode()
            self._stop(_at_end(self.file, before), Code.YAML_ENCODING, "this is not UTF-8")
        except UnicodeEncodeError as error:
            before = error.object[: error.start]
            self._stop(_at_end(self.file, before), Code.YAML_ENCODING, "this is half a character")
        return text

    def _at(self, event: Event) -> Location:
        return Location(self.file, *_position(event))

    def _find(self, event: Event, code: Code, message: str, advice: str | None = None) -> None:
        self.findings.append(Diagnostic(self._at(event), code, message, advice))

    def _stop(self, where: Location, code: Code, message: str) -> NoReturn:
        self.findings.append(Diagnostic(where, code, message))
        raise _Unreadable


_WRITE_OUT = "write the value out where it is needed"


def _position(event: Event) -> tuple[int, int]:
    mark = cast("Mark", event.start_mark)
    return mark.line + 1, mark.column + 1


def _resolved(word: str) -> Plain:
    """What a plain word means."""
    if word in _WORDS:
        return _WORDS[word]
    if not (number := _NUMBER.fullmatch(word)):
        return word
    return float(word) if number[1] else int(word)


def _at_end(file: str, text: str) -> Location:
    return Location(file, text.count("\n") + 1, len(text) - text.rfind("\n"))
