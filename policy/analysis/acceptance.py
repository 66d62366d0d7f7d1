"""Warnings that somebody has looked at and means: `# accepted: CODE: reason`, in the file itself.

The comment stands at the end of the line that the warning is about, or right above it, so whoever
reviews a later change of that line reads it there; and commands that edit a policy keep comments.
An error cannot be accepted. What accepts nothing is a warning of its own: it would lie in wait for
the next one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from policy.diagnostics import Code, Diagnostic, Location, Severity, in_order
from policy.loader import Sources, Text

__all__ = ["Accepted", "accepted_of"]

_WORD = "# accepted:"
_COMMENT = re.compile(r"(?:^|[ \t])# accepted:[ \t]*(?P<said>.*?)[ \t]*$")
_SAID = re.compile(r"(?P<code>[a-z-]+):[ \t]+(?P<reason>\S.*)")
_ALONE = re.compile(r"[ \t]*#")
_LINE_END = re.compile(r"\r\n|\r|\n")
_ADVICE = "write `# accepted: CODE: reason` at the end of the line of a warning, or right above it"


class Accepted(msgspec.Struct, frozen=True):
    """A warning, and why it is meant to be so."""

    finding: Diagnostic
    reason: str


class _Note(msgspec.Struct, frozen=True):
    """One comment; `line` is the one it speaks of."""

    where: Location
    line: int
    code: str
    reason: str


def accepted_of(
    findings: Iterable[Diagnostic], sources: Sources
) -> tuple[tuple[Diagnostic, ...], tuple[Accepted, ...]]:
    """What of `findings` is left to be looked at, and what is accepted in the files they are about.

    Comments that accept nothing are among what is left.
    """
    notes = list(_notes(_texts(sources)))
    by_place = {(note.where.file, note.line, note.code): note for note in notes}
    left: list[Diagnostic] = []
    accepted: list[Accepted] = []
    idle = dict.fromkeys(notes)
    for finding in findings:
        note = by_place.get((finding.where.file, finding.where.line, finding.code.value))
        if note is None or finding.severity is Severity.ERROR:
            left.append(finding)
            continue
        accepted.append(Accepted(finding, note.reason))
        idle.pop(note, None)
    return in_order((*left, *map(_idle, idle))), tuple(accepted)


def _texts(sources: Sources) -> Iterator[Text]:
    yield from sources.policies
    # Services may share a catalogue.
    yield from dict.fromkeys(
        text
        for service in sources.services
        for text in (service.catalogue, service.overrides)
        if text is not None
    )


def _notes(texts: Iterable[Text]) -> Iterator[_Note]:
    for text in texts:
        content = text.content
        if isinstance(content, bytes):
            content = content.decode("utf-8", "replace")
        if _WORD in content:
            yield from _notes_in(text.file, _LINE_END.split(content))


def _notes_in(file: str, lines: Sequence[str]) -> Iterator[_Note]:
    for number, line in enumerate(lines, 1):
        if (comment := _COMMENT.search(line)) is None:
            continue
        meant = number
        if _ALONE.match(line):
            rest = enumerate(lines[number:], number + 1)
            meant = next((at for at, below in rest if not _ALONE.match(below)), number)
        said = _SAID.fullmatch(comment["said"])
        code, reason = ("", "") if said is None else said.group("code", "reason")
        yield _Note(Location(file, number, line.index(_WORD) + 1), meant, code, reason)


def _idle(note: _Note) -> Diagnostic:
    if not note.code:
        said = "this accepts nothing: it has no code of a warning, or no reason"
    else:
        said = f"this accepts nothing: line {note.line} has no warning `{note.code}`"
    return Diagnostic(note.where, Code.ACCEPTED_NOTHING, said, _ADVICE, Severity.WARNING)
