"""A journal whose worker can be killed after any store, and in the middle of any copy.

`Recording` stands in for a journal's memory and keeps every store in its order, together with
what happened to the file in between. `Moment` is the world as a successor finds it: memory after
some of the stores, and the file as it was then.
"""

from collections.abc import Iterator
from typing import Any

from gateway.audit.journal import Journal
from tests.support.audit import FakeSink

__all__ = ["Moment", "Recording", "moments"]


class Moment:
    """What is left of a worker: a journal and a file."""

    def __init__(self, capacity_bytes: int, stores: list[tuple[int, bytes]], file: bytes) -> None:
        self.stores = stores
        self.file = file
        self.journal = Journal.create(capacity_bytes)
        for at, data in stores:
            self.journal._memory[at : at + len(data)] = data

    def sink(self, *script: Any) -> FakeSink:
        sink = FakeSink(*script)
        sink.taken += self.file
        return sink


class Recording:
    """Every store of one journal; `file` is looked at before each."""

    def __init__(self, journal: Journal, file: bytearray) -> None:
        self.stores: list[tuple[int, bytes, bytes]] = []
        self._file = file
        self._real = journal._memory
        journal._memory = _Memory(self, journal._memory, 1)
        journal._words = _Memory(self, journal._words, 8)

    def add(self, at: int, data: bytes) -> None:
        self.stores.append((at, data, bytes(self._file)))


class _Memory:
    """A memoryview that tells of every store."""

    def __init__(self, recording: Recording, real: memoryview, unit: int) -> None:
        self._recording = recording
        self._real = real
        self._unit = unit

    def __getitem__(self, key: Any) -> Any:
        return self._real[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            self._recording.add(key.start, bytes(value))
        else:
            self._recording.add(key * self._unit, value.to_bytes(8, "little"))
        self._real[key] = value

    def release(self) -> None:
        self._real.release()


def moments(
    capacity_bytes: int,
    recording: Recording,
    file: bytearray,
    *,
    before: list[tuple[int, bytes]] | None = None,
) -> Iterator[tuple[int, Moment]]:
    """The world after each store, after the write that followed it, and in the middle of both.

    With the number of the stores that were done. A copy that is cut leaves any part of it; a
    store of one word leaves all or nothing. `before` is what the memory held at the beginning.
    """
    done = list(before or ())
    was = recording.stores[0][2] if recording.stores else bytes(file)
    for number, (at, data, is_) in enumerate([*recording.stores, (0, b"", bytes(file))]):
        for now in _growing(was, is_):
            yield number, Moment(capacity_bytes, list(done), now)
        was = is_
        if len(data) > 8:
            yield number, Moment(capacity_bytes, [*done, (at, data[: len(data) // 2])], is_)
        done.append((at, data))


def _growing(was: bytes, is_: bytes) -> list[bytes]:
    if was == is_:
        return [is_]
    middle = (len(was) + len(is_)) // 2
    return [was, is_[:middle], is_[:-1], is_]
