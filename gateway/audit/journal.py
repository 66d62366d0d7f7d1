"""Memory that outlives the process that writes into it: finished lines, and notes of begun requests.

The pages belong to a file descriptor, not to a process. A worker that is killed takes nothing
with it: whoever holds the descriptor reads on from the byte where the worker's thread stopped.

    header | a slot for each place: state, size, note | a ring of lines

**One store decides.** Lines are copied into the ring first; the slots of their requests are
stamped with the position where these lines will end; then one store moves the write position
there. A slot is *told* when its stamp is not beyond the write position, and *open* otherwise (a
note's own stamp is beyond any position). So the line of a request appears and its slot closes in
the same instant, however many lines are committed together, and a kill between any two stores
leaves each request told exactly once: by its line or by its slot. Nothing ever has to be erased.

Positions only grow, their remainder is the place in the ring. They are aligned words, written by
one machine store each, so nobody sees half a number. One process writes at a time, and reads with
one thread; when it has died, one other takes over both.
"""

import contextlib
import mmap
import os
import tempfile
from collections.abc import Callable, Iterable
from typing import NamedTuple, Self

__all__ = ["LINE_BYTES", "MOST_NOTE_BYTES", "Journal", "Place", "shared_memory", "unlinked_file"]

# What a reservation takes of the ring. Lines have some 450 bytes; one that needs more than this,
# a denial that lists dozens of permissions, takes it from what nobody has reserved.
LINE_BYTES = 2048

_WORD_BYTES = 8
_SLOT_BYTES = 1024
_SLOT_WORDS = _SLOT_BYTES // _WORD_BYTES
_SLOT_HEAD_BYTES = 2 * _WORD_BYTES
MOST_NOTE_BYTES = _SLOT_BYTES - _SLOT_HEAD_BYTES

_HEADER_BYTES = mmap.PAGESIZE
_MAGIC = int.from_bytes(b"ucsgwaj1", "little")
_FORMAT, _PLACES, _USED, _WRITTEN, _READ, _DEVICE, _INODE, _OFFSET = range(8)

_OPEN = 1 << 63
"""The state of a slot whose request is under way: beyond any position."""

# Pages that were read go back to the system this many bytes at a time, else a busy worker would
# in the end hold the whole ring in memory. Costs 0.5 µs a line, most of it for fresh pages.
_RETURN_BYTES = 256 * 1024


class Place(NamedTuple):
    """Where in which file a write begins."""

    device: int
    inode: int
    offset: int


def shared_memory(size: int) -> int:
    """A descriptor of that many zero bytes, which take memory only where they are written to."""
    if not hasattr(os, "memfd_create"):
        return unlinked_file(size)
    descriptor = os.memfd_create("ucs-gateway-audit")
    os.ftruncate(descriptor, size)
    return descriptor


def unlinked_file(size: int) -> int:
    """The same where the system has no memory without a name.

    The disk's blocks are taken at once: a full disk is told here, by an OSError, and not later,
    by a signal, when a page is written to.
    """
    with tempfile.TemporaryFile() as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
        return os.dup(file.fileno())


class Journal:
    """Made by `create` before a worker is forked, or by `attach` from its descriptor."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._map = mmap.mmap(fd, 0)
        self._memory = memoryview(self._map)
        self._words = self._memory.cast("Q")
        self.places = self._words[_PLACES]
        self._ring_at, size = _layout(self.places)
        self.ring_bytes = size - self._ring_at
        self._returned = self.read - self.read % mmap.PAGESIZE

    def __repr__(self) -> str:
        return f"Journal({self.unread_bytes} bytes unread)"

    @classmethod
    def create(cls, capacity_bytes: int, *, memory: Callable[[int], int] = shared_memory) -> Self:
        """Of about that size, for as many requests under way as fit; at least one."""
        places = max(1, capacity_bytes // (LINE_BYTES + _SLOT_BYTES))
        _, size = _layout(places)
        descriptor = memory(size)
        with mmap.mmap(descriptor, 0) as whole, memoryview(whole).cast("Q") as words:
            words[_PLACES] = places
            words[_FORMAT] = _MAGIC
        return cls(descriptor)

    @classmethod
    def attach(cls, fd: int) -> Self:
        """The journal behind a descriptor of another process. ValueError if there is none."""
        size = os.fstat(fd).st_size
        if size > _HEADER_BYTES:
            with mmap.mmap(fd, _HEADER_BYTES) as header, memoryview(header).cast("Q") as words:
                sound = words[_FORMAT] == _MAGIC and _layout(words[_PLACES])[1] == size
            if sound:
                return cls(fd)
        raise ValueError(f"descriptor {fd} is not an audit journal of this version")

    def close(self) -> None:
        """Unmap, and close the descriptor; what others have mapped stays."""
        self._words.release()
        self._memory.release()
        self._map.close()
        os.close(self.fd)

    # Writing

    @property
    def written(self) -> int:
        """The position behind the last line."""
        return self._words[_WRITTEN]

    def slot(self, number: int) -> int:
        """The slot of that number, below `places`, as the other methods want it."""
        if number >= self._words[_USED]:
            self._words[_USED] = number + 1
        return (_HEADER_BYTES + number * _SLOT_BYTES) // _WORD_BYTES

    def note(self, slot: int, note: bytes) -> None:
        """Open a slot that is told, with at most MOST_NOTE_BYTES in it."""
        words = self._words
        at = slot * _WORD_BYTES + _SLOT_HEAD_BYTES
        self._memory[at : at + len(note)] = note
        words[slot + 1] = len(note)
        words[slot] = _OPEN

    def commit(self, lines: bytes, slots: Iterable[int]) -> None:
        """Add whole lines, for which there must be room, and tell the slots of their requests."""
        words = self._words
        begin = words[_WRITTEN]
        end = begin + len(lines)
        at = begin % self.ring_bytes
        fits = self.ring_bytes - at
        at += self._ring_at
        if len(lines) <= fits:
            self._memory[at : at + len(lines)] = lines
        else:
            self._memory[at : at + fits] = lines[:fits]
            self._memory[self._ring_at : self._ring_at + len(lines) - fits] = lines[fits:]
        for slot in slots:
            words[slot] = end
        words[_WRITTEN] = end

    # Reading

    @property
    def read(self) -> int:
        """The position behind the last line that is in the sink."""
        return self._words[_READ]

    @property
    def unread_bytes(self) -> int:
        return self.written - self.read

    def unread(self, most_bytes: int, stop: int) -> bytes:
        """Whole lines from the read position on and before `stop`: as many as fit, at least one."""
        begin = self.read
        if stop - begin <= most_bytes:
            return self._copy(begin, stop - begin)
        piece = self._copy(begin, most_bytes)
        end = piece.rfind(b"\n") + 1
        return piece[:end] if end else self.unread(2 * most_bytes, stop)

    def _copy(self, begin: int, count: int) -> bytes:
        at = begin % self.ring_bytes
        fits = self.ring_bytes - at
        at += self._ring_at
        if count <= fits:
            return bytes(self._memory[at : at + count])
        rest = self._memory[self._ring_at : self._ring_at + count - fits]
        return bytes(self._memory[at : at + fits]) + bytes(rest)

    def advance(self, count: int) -> None:
        """So many bytes, whole lines, are in the sink."""
        self._words[_READ] = read = self._words[_READ] + count
        if read - self._returned >= _RETURN_BYTES:
            self._return_pages(read - read % mmap.PAGESIZE)

    def _return_pages(self, until: int) -> None:
        begin, self._returned = self._returned, until
        while begin < until:
            at = begin % self.ring_bytes
            count = min(until - begin, self.ring_bytes - at)
            with contextlib.suppress(OSError, AttributeError):  # it is only thrift
                self._map.madvise(mmap.MADV_REMOVE, self._ring_at + at, count)
            begin += count

    def open_slots(self) -> list[tuple[int, bytes]]:
        """The slots of requests that were under way, and what is noted there; for a successor.

        The stamp of a commit that was cut short must not come true when others commit. Slots that
        were never used are not looked at: a look takes memory, 20 MiB of it for all.
        """
        words, written = self._words, self.written
        found = []
        for number in range(words[_USED]):
            slot = self.slot(number)
            if words[slot] > written:
                words[slot] = _OPEN
                at = slot * _WORD_BYTES + _SLOT_HEAD_BYTES
                found.append((slot, bytes(self._memory[at : at + words[slot + 1]])))
        return found

    # What a successor has to know about a write that its predecessor did not live to see the end of

    @property
    def place(self) -> Place:
        words = self._words
        return Place(words[_DEVICE], words[_INODE], words[_OFFSET])

    @place.setter
    def place(self, place: Place) -> None:
        words = self._words
        words[_DEVICE], words[_INODE], words[_OFFSET] = place


def _layout(places: int) -> tuple[int, int]:
    """Where the ring begins and ends; both at the beginning of a page."""
    ring_at = _HEADER_BYTES + _pages(places * _SLOT_BYTES)
    return ring_at, ring_at + _pages(places * LINE_BYTES)


def _pages(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
