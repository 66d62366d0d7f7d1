"""Audit files as lines, one after the other and never all at once, whatever is in them.

Files may be rotated, packed with gzip, cut off by a full disk, from an older gateway, or no audit
at all. What cannot be used is counted by its oddity, with the first places, and passed over.
"""

import gzip
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO

import msgspec

from gateway.audit.record import MOST_LINE_BYTES, rfc3339
from gateway.audit.redact import CUT
from policy import Caller, Kind, Means, Missing, Reason

__all__ = ["AuditLog", "Line", "Oddity", "caller_of"]

_MOST_PLACES = 3
_TIME_LENGTH = len(rfc3339(0))
_GZIP = b"\x1f\x8b"
_REASONS = {reason.label: reason for reason in Reason}
_ADDED = ("claims", "conditions", "unread")


class Line(msgspec.Struct, frozen=True, gc=False):
    """What is read of an audit line; see `gateway.audit.record`."""

    v: int
    id: str
    time: str
    service: str | None
    subject: str
    kind: Kind
    claims: tuple[str, ...]
    method: str
    route: str | None
    effect: str
    reason: str
    missing: Missing | None
    because: tuple[str, ...]
    conditions: tuple[str, ...]
    unread: tuple[str, ...]
    enforced: bool
    policy: str
    means: Means = Means.NONE
    divisions: tuple[str, ...] = ()

    @property
    def decision(self) -> Reason | None:
        """The reason of its decision; None where an error came before."""
        return _REASONS.get(self.reason)


class Oddity(StrEnum):
    """What is wrong with a line."""

    BROKEN = "no whole JSON object"
    FOREIGN = "no line of an audit"
    OLDER = "from an older gateway, which did not record enough"
    NEWER = "of a newer format than this program knows"
    UNREADABLE = "the file cannot be read further"


def caller_of(line: Line) -> Caller:
    """Who sent the request, as far as the line tells."""
    return Caller(
        subject=line.subject,
        kind=line.kind,
        means=line.means,
        claims=frozenset(line.claims) - {CUT},
    )


class AuditLog:
    """The lines of `files` (`-` is standard input) from `since` on and before `until`.

    Both are times as the audit writes them. While one iterates, `read` counts the lines of any
    kind, `outside` those of another time, `odd` what was wrong with others, `places` where.
    """

    def __init__(self, files: Sequence[str], since: str = "", until: str = "") -> None:
        self._files = files
        self._since, self._until = since, until or "~"
        self.read = self.outside = 0
        self.odd: Counter[Oddity] = Counter()
        self.places: dict[Oddity, list[str]] = {}

    def __repr__(self) -> str:
        return f"<AuditLog of {', '.join(self._files)}: {self.read} lines read>"

    def __iter__(self) -> Iterator[Line]:
        for name in self._files:
            number = 0
            try:
                with _opened(name) as file:
                    for number, text in enumerate(_texts(file), 1):
                        line = self._line(name, number, text)
                        if line is not None:
                            yield line
            except (OSError, EOFError, zlib.error) as error:
                self._note(Oddity.UNREADABLE, name, number + 1, _why(error))

    def _line(self, name: str, number: int, text: bytes) -> Line | None:
        self.read += 1
        try:
            line = _decode(text)
        except (ValueError, RecursionError):
            self._note(_oddity(text), name, number)
            return None
        if line.v != 1:
            self._note(Oddity.NEWER, name, number)
        elif len(line.time) != _TIME_LENGTH or _contradicts_itself(line):
            self._note(Oddity.FOREIGN, name, number)
        elif self._since <= line.time < self._until:
            return line
        else:
            self.outside += 1
        return None

    def _note(self, oddity: Oddity, name: str, number: int, detail: str = "") -> None:
        self.odd[oddity] += 1
        places = self.places.setdefault(oddity, [])
        if len(places) < _MOST_PLACES:
            file = "standard input" if name == "-" else name
            places.append(f"{file}:{number}" + (f" ({detail})" if detail else ""))


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).lower()


_decode = msgspec.json.Decoder(Line).decode
_decode_any = msgspec.json.Decoder().decode


def _contradicts_itself(line: Line) -> bool:
    reason = line.decision
    return reason is not None and reason.effect != line.effect


def _oddity(text: bytes) -> Oddity:
    try:
        found = _decode_any(text)
    except (ValueError, RecursionError):
        return Oddity.BROKEN
    if not isinstance(found, dict) or not {"v", "id", "time", "reason", "policy"} <= found.keys():
        return Oddity.FOREIGN
    version = found["v"]
    if isinstance(version, int) and version > 1:
        return Oddity.NEWER
    return Oddity.OLDER if any(name not in found for name in _ADDED) else Oddity.FOREIGN


@contextmanager
def _opened(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield _unpacked(sys.stdin.buffer)
        return
    with Path(name).open("rb") as file:
        yield _unpacked(file)


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    """The content, whether it is packed or not; what a file is called does not matter."""
    peek = getattr(file, "peek", None)
    if peek is not None and peek(2)[:2] == _GZIP:
        return gzip.GzipFile(fileobj=file)  # type: ignore[return-value]
    return file


def _texts(file: IO[bytes]) -> Iterator[bytes]:
    """The lines, of which none takes more room than the longest that an audit can have."""
    readline = file.readline
    while text := readline(MOST_LINE_BYTES + 1):
        yield text
        while not text.endswith(b"\n") and len(text) > MOST_LINE_BYTES:
            text = readline(MOST_LINE_BYTES + 1)
