"""A file that several processes append to, each of which may die at any byte.

Every write is one write(2) of whole lines with O_APPEND, made under a lock and after a look at the
file's last byte: where that is no newline, somebody was killed or met a full disk in mid-line, and
a newline goes first. So a reader may meet a *fragment*, the beginning of a line that stands whole
further down, but never two lines in one, and no line is missing.

The lock is flock(2), which ends with its process. A file system without locks is written to all
the same; then a fragment and the line behind it can run together if two processes write at once.
"""

import contextlib
import fcntl
import os
import select
import stat
from pathlib import Path

from gateway.audit.journal import Place

__all__ = ["MOST_BYTES", "FileSink", "at_once"]

MOST_BYTES = 1 << 20


def at_once(status: os.stat_result) -> int:
    """How many bytes leave for such a file in one piece, whoever else writes to it.

    A pipe mixes the bytes of two writers beyond PIPE_BUF, see pipe(7).
    """
    mixes = stat.S_ISFIFO(status.st_mode) or stat.S_ISSOCK(status.st_mode)
    return select.PIPE_BUF if mixes else MOST_BYTES


class FileSink:
    """A file that is only ever appended to, readable by its owner alone. A named pipe will do."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._torn = False
        self.most_bytes = MOST_BYTES

    def __repr__(self) -> str:
        return f"FileSink({str(self._path)!r})"

    def open(self) -> None:
        access = os.O_RDWR  # to look at the last byte
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISFIFO(self._path.stat().st_mode):
                access = os.O_WRONLY  # who reads a pipe is not told that its other readers left
        flags = access | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        self.most_bytes = at_once(os.fstat(self._descriptor))
        self._torn = False

    def begin(self) -> Place | None:
        descriptor = self._descriptor
        with contextlib.suppress(OSError):  # see above
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        status = os.fstat(descriptor)
        size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            if self._torn:
                os.write(descriptor, b"\n")
                self._torn = False
            return None
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            size += os.write(descriptor, b"\n")
        return Place(status.st_dev, status.st_ino, size)

    def write(self, data: bytes) -> int:
        taken = os.write(self._descriptor, data)
        self._torn = taken > 0 and not data.endswith(b"\n", 0, taken)
        return taken

    def end(self) -> None:
        with contextlib.suppress(OSError):
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def landed(self, place: Place, lines: bytes) -> int:
        """What stands there is compared byte by byte: an outdated place holds other lines."""
        status = os.fstat(self._descriptor)
        if (status.st_dev, status.st_ino) != (place.device, place.inode):
            return 0
        there = os.pread(self._descriptor, len(lines), place.offset)
        count = 0
        while end := lines.find(b"\n", count) + 1:
            # What lacks nothing but its newline gets it before anything else is written.
            if there[count:end] != lines[count:end] and there[count:] != lines[count : end - 1]:
                break
            count = end
        return count

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
