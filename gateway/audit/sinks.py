"""Where audit lines end up: a file, standard output, nowhere.

A sink takes bytes and may take fewer than offered, like write(2). It is used by one thread. It
knows nothing of lines, except that a file whose last line was torn by a crash is given a newline
first, so that the next line is whole.
"""

import os
import stat
from pathlib import Path
from typing import Protocol

__all__ = ["FileSink", "NullSink", "Sink", "StdoutSink", "sink_for"]


class Sink(Protocol):
    """Every method may raise OSError, and may be called again after it."""

    def open(self) -> None: ...

    def write(self, data: memoryview) -> int:
        """Take some of the bytes, at least one, and say how many."""
        ...

    def reopen(self) -> bool:
        """Follow a rotation; whether what comes next goes to another place than before.

        Where it fails, the old place is kept.
        """
        ...

    def close(self) -> None: ...


class FileSink:
    """A file that is only ever appended to, readable by its owner alone."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __repr__(self) -> str:
        return f"FileSink({str(self._path)!r})"

    def open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._path, flags, 0o600)
        try:
            if _ends_in_mid_line(descriptor, self._path):
                os.write(descriptor, b"\n")
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def write(self, data: memoryview) -> int:
        return os.write(self._descriptor, data)

    def reopen(self) -> bool:
        old = self._descriptor
        try:
            here, there = os.fstat(old), self._path.stat()
        except FileNotFoundError:
            pass  # moved away, and nothing in its place yet
        else:
            if os.path.samestat(here, there):
                return False
        self.open()
        os.close(old)
        return True

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)


def _ends_in_mid_line(descriptor: int, path: Path) -> bool:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"


class StdoutSink:
    """Standard output, for whoever collects it. Rotation is their business."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor

    def __repr__(self) -> str:
        return "StdoutSink()"

    def open(self) -> None:
        os.fstat(self._descriptor)  # closed by whoever started us: say so now

    def write(self, data: memoryview) -> int:
        return os.write(self._descriptor, data)

    def reopen(self) -> bool:
        return False

    def close(self) -> None:
        """Others may still write to it."""


class NullSink:
    """For those who want no audit."""

    def __repr__(self) -> str:
        return "NullSink()"

    def open(self) -> None: ...

    def write(self, data: memoryview) -> int:
        return len(data)

    def reopen(self) -> bool:
        return False

    def close(self) -> None: ...


def sink_for(file: Path | None) -> Sink:
    """The sink that a setting names: a path, `-` for standard output, None for nowhere."""
    if file is None:
        return NullSink()
    return StdoutSink() if file == Path("-") else FileSink(file)
