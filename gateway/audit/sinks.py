"""Where audit lines end up: a file, standard output, nowhere.

A sink is offered whole lines and may take fewer bytes than offered, like write(2). What it left
torn it never continues: the next lines begin on a line of their own, and the torn one is offered
again. It is used by one thread.
"""

import os
from pathlib import Path
from typing import Protocol

from gateway.audit.file_sink import MOST_BYTES, FileSink, at_once
from gateway.audit.journal import Place

__all__ = ["NullSink", "Sink", "StdoutSink", "sink_for"]


class Sink(Protocol):
    """Every method may raise OSError, and may be called again after it."""

    @property
    def most_bytes(self) -> int:
        """How much to offer at once, so that it is not mixed with what other processes write."""
        ...

    def open(self) -> None: ...

    def begin(self) -> Place | None:
        """Before each write: see that it begins on a line of its own.

        Where the write will begin, if that can be told; then nobody else writes before `end`.
        """
        ...

    def write(self, data: bytes) -> int:
        """Take some of the bytes, at least one, and say how many."""
        ...

    def end(self) -> None:
        """After each write, also one that failed, and after a failed `begin`. Never fails."""
        ...

    def landed(self, place: Place, lines: bytes) -> int:
        """How many bytes of `lines`, whole ones, somebody has written at `place`."""
        ...

    def reopen(self) -> bool:
        """Follow a rotation; whether what comes next goes to another place than before.

        Where it fails, the old place is kept.
        """
        ...

    def close(self) -> None: ...


class StdoutSink:
    """Standard output, for whoever collects it. Rotation is their business.

    Nobody can look there for what a killed worker has written: its last write may come twice.
    """

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor
        self._torn = False
        self.most_bytes = MOST_BYTES

    def __repr__(self) -> str:
        return "StdoutSink()"

    def open(self) -> None:
        # Closed by whoever started us: say so now.
        self.most_bytes = at_once(os.fstat(self._descriptor))

    def begin(self) -> Place | None:
        if self._torn:
            os.write(self._descriptor, b"\n")
            self._torn = False
        return None

    def write(self, data: bytes) -> int:
        taken = os.write(self._descriptor, data)
        self._torn = taken > 0 and not data.endswith(b"\n", 0, taken)
        return taken

    def end(self) -> None: ...

    def landed(self, place: Place, lines: bytes) -> int:  # noqa: ARG002 - nobody can tell
        return 0

    def reopen(self) -> bool:
        return False

    def close(self) -> None:
        """Others may still write to it."""


class NullSink:
    """For those who want no audit."""

    most_bytes = MOST_BYTES

    def __repr__(self) -> str:
        return "NullSink()"

    def open(self) -> None: ...

    def begin(self) -> Place | None:
        return None

    def write(self, data: bytes) -> int:
        return len(data)

    def end(self) -> None: ...

    def landed(self, place: Place, lines: bytes) -> int:  # noqa: ARG002 - all is lost here
        return len(lines)

    def reopen(self) -> bool:
        return False

    def close(self) -> None: ...


def sink_for(file: Path | None) -> Sink:
    """The sink that a setting names: a path, `-` for standard output, None for nowhere."""
    if file is None:
        return NullSink()
    return StdoutSink() if file == Path("-") else FileSink(file)
