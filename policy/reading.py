"""YAML text, event by event, to plain values and the spot of each.

libyaml finds the events; nothing of it but its scanner and grammar is used, so that nothing
surprising is ever built. Hundreds of thousands of words pass here whenever a large policy is read:
what most of them are (a plain word without anchor and tag) is dealt with where it is met, and a
spot is one integer, or a tuple of what is within, so that the garbage collector has little to walk
through. `source.py` says what is read, and how.
"""

import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn, cast

import yaml
from yaml import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from policy.diagnostics import Code, Diagnostic, Location
from policy.spots import COLUMN_BITS, Spot, location_of

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Plain", "Reader", "Unreadable"]

# 100,000 assignments take some 6 MB. Kubernetes refuses objects of more than 1 MiB, etcd likewise.
MAX_BYTES = 32 * 1024 * 1024
# The deepest file we define has 7 levels.
MAX_DEPTH = 24

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?", re.ASCII)
_ODD_KEYS = frozenset({"", "<<"})
_WRITE_OUT = "write the value out where it is needed"


class Unreadable(Exception):
    """The finding was written down, and there is no sense in reading on."""


class _Words(dict[str, Plain]):
    """What plain words mean; each is looked at once, and kept once however often it occurs."""

    def __missing__(self, word: str) -> Plain:
        meant: Plain = word
        if number := _NUMBER.fullmatch(word):
            meant = float(word) if number[1] else int(word)
        self[word] = meant
        return meant


class Reader:
    """Reads one text; what is wrong gathers in `findings`."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Diagnostic] = []
        self._take: Callable[[], Event]
        self._words = _Words({"": None, "~": None, "null": None, "true": True, "false": False})

    def read(self, text: str | bytes) -> tuple[Plain, Spot]:
        """What the text says, and where; `Unreadable` if nothing can be made of it."""
        content = self._decoded(text)
        try:
            loader = yaml.CSafeLoader(content)
            self._take = cast("Callable[[], Event]", loader.get_event)
            try:
                return self._document()
            finally:
                loader.dispose()
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

    def _document(self) -> tuple[Plain, Spot]:
        self._take()  # the stream's start
        first = self._take()
        if not isinstance(first, DocumentStartEvent):
            self._stop(Location(self.file), Code.YAML_EMPTY, "the file holds nothing")
        if first.version or first.tags:
            advice = "leave out the lines that begin with `%`"
            self._find(first, Code.YAML_DIRECTIVE, "directives are not read", advice)
        value, root = self._value(self._take(), 1)
        self._take()  # the document's end
        if isinstance(another := self._take(), DocumentStartEvent):
            advice = "write one document into each file"
            self._find(another, Code.YAML_DOCUMENTS, "a second document begins here", advice)
        elif value is None and not self.findings:
            self._stop(Location(self.file), Code.YAML_EMPTY, "the file holds nothing")
        return value, root

    def _value(self, event: Any, depth: int) -> tuple[Plain, Spot]:
        """Any value, of which `event` is the first."""
        kind = type(event)
        if kind is AliasEvent:
            self._find(event, Code.YAML_ALIAS, f"`*{event.anchor}` is an alias", _WRITE_OUT)
            return None, _spot(event)
        if event.anchor is not None or event.tag is not None:
            self._check_properties(event)
        if kind is ScalarEvent:
            return event.value if event.style else self._words[event.value], _spot(event)
        if kind is SequenceStartEvent:
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _sequence(self, event: Any, depth: int) -> tuple[list[Plain], Spot]:
        if depth > MAX_DEPTH:
            self._stop_at_depth(event)
        items: list[Plain] = []
        spots: list[Spot] = [_spot(event)]
        take, words = self._take, self._words
        while (kind := type(event := take())) is not SequenceEndEvent:
            if kind is ScalarEvent and event.anchor is None and event.tag is None:
                items.append(event.value if event.style else words[event.value])
                mark = event.start_mark
                spots.append(mark.line << COLUMN_BITS | mark.column)
            else:
                value, spot = self._value(event, depth + 1)
                items.append(value)
                spots.append(spot)
        return items, tuple(spots)

    def _mapping(self, event: Any, depth: int) -> tuple[dict[str, Plain], Spot]:
        if depth > MAX_DEPTH:
            self._stop_at_depth(event)
        mapping: dict[str, Plain] = {}
        numbers: dict[str, int] | None = None  # of the keys, from the first that is given twice
        spots: list[Spot] = [_spot(event)]
        take, words, intern = self._take, self._words, sys.intern
        while (kind := type(event := take())) is not MappingEndEvent:
            key: Any
            if (
                kind is ScalarEvent
                and event.anchor is None
                and event.tag is None
                and (key := event.value) not in _ODD_KEYS
            ):
                key = intern(key)
            else:
                key = self._key(event, depth)
            below: Any = take()
            kind = type(below)
            value: Plain
            spot: Spot
            if kind is ScalarEvent and below.anchor is None and below.tag is None:
                value = below.value if below.style else words[below.value]
                mark = below.start_mark
                spot = mark.line << COLUMN_BITS | mark.column
            elif kind is SequenceStartEvent and below.anchor is None and below.tag is None:
                value, spot = self._sequence(below, depth + 1)
            elif kind is MappingStartEvent and below.anchor is None and below.tag is None:
                value, spot = self._mapping(below, depth + 1)
            else:
                value, spot = self._value(below, depth + 1)
            if key is None:
                continue
            if key in mapping:
                numbers = numbers or {known: number for number, known in enumerate(mapping)}
                first = location_of(spots[2 * numbers[key] + 1], self.file).line
                help_ = f"the first one is on line {first}"
                self._find(event, Code.DUPLICATE_KEY, f"`{key}` is given twice", help_)
                continue
            if numbers:
                numbers[key] = len(mapping)
            mapping[key] = value
            mark = event.start_mark
            spots.append(mark.line << COLUMN_BITS | mark.column)
            spots.append(spot)
        return mapping, tuple(spots)

    def _key(self, event: Event, depth: int) -> str | None:
        """The text of a key, or None if it is none; then the finding is written down."""
        if not isinstance(event, ScalarEvent):
            self._find(event, Code.YAML_KEY, "a key must be a single word or text")
            self._value(event, depth + 1)
            return None
        if event.anchor is not None or event.tag is not None:
            self._check_properties(event)
        key: str = event.value
        if key == "<<" and not event.style:
            self._find(event, Code.YAML_MERGE_KEY, "merge keys are not read", _WRITE_OUT)
            return None
        if not key:
            self._find(event, Code.YAML_KEY, "a key is empty")
            return None
        # The same few keys stand in every entry.
        return sys.intern(key)

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
        return location_of(_spot(event), self.file)

    def _stop_at_depth(self, event: Event) -> NoReturn:
        said = f"values are nested more than {MAX_DEPTH} deep"
        self._stop(self._at(event), Code.YAML_TOO_DEEP, said)

    def _find(self, event: Event, code: Code, message: str, advice: str | None = None) -> None:
        self.findings.append(Diagnostic(self._at(event), code, message, advice))

    def _stop(self, where: Location, code: Code, message: str) -> NoReturn:
        self.findings.append(Diagnostic(where, code, message))
        raise Unreadable


def _spot(event: Event) -> int:
    mark: Any = event.start_mark
    spot: int = mark.line << COLUMN_BITS | mark.column
    return spot


def _at_end(file: str, text: str) -> Location:
    return Location(file, text.count("\n") + 1, len(text) - text.rfind("\n"))
