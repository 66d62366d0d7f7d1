"""Finding one line in an audit file that may be larger than memory.

Read from its end, since people ask about what has just happened. No more than a block and one line
is held; what is longer than any line of ours is passed over, whatever it is.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from gateway.audit.record import MOST_LINE_BYTES, Record

__all__ = ["LineBroken", "LineMissing", "record_with"]

_BLOCK_BYTES = 1 << 20
_VERSION = 1

_decoder = msgspec.json.Decoder(Record)


class LineMissing(LookupError):
    """No line has this id."""


class LineBroken(ValueError):
    """The line of this id cannot be read, and why."""


def record_with(id_: str, path: Path, *, block_bytes: int = _BLOCK_BYTES) -> Record:
    """The last line of the file that has this id.

    The beginning of a line whose writer was killed is no line, if the whole one stands elsewhere.
    Raises LineMissing, LineBroken, or OSError.
    """
    wanted = json.dumps(id_, ensure_ascii=False).encode("utf-8", "surrogateescape")
    broken: LineBroken | None = None
    with path.open("rb") as file:
        for line in _lines_with(wanted, file, block_bytes):
            try:
                record = _decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                # Another request's line may hold the same text in another place.
                if line.find(b'"id"') < line.find(wanted):
                    broken = broken or LineBroken(str(error))
                continue
            if record.id == id_:
                if record.v != _VERSION:
                    raise LineBroken(f"it is of version {record.v}, and this reads {_VERSION}")
                return record
    raise broken or LineMissing(id_)


def _lines_with(wanted: bytes, file: BinaryIO, block_bytes: int) -> Iterator[bytes]:
    """The lines that hold these bytes, the last one first."""
    for lines in _from_end(file, block_bytes):
        if wanted in lines:
            yield from (line for line in reversed(lines.split(b"\n")) if wanted in line)


def _from_end(file: BinaryIO, block_bytes: int) -> Iterator[bytes]:
    """Whole lines, many at once, from the end of the file to its beginning."""
    place = file.seek(0, os.SEEK_END)
    rest = b""  # the beginning of what was read already: the end of a line
    while place > 0:
        size = min(block_bytes, place)
        place -= size
        file.seek(place)
        block = file.read(size)
        cut = block.find(b"\n")
        if cut < 0 and place > 0:
            rest = block + rest
            # A line of ours is never so long: its end is of no use without the rest.
            rest = rest[: block_bytes + MOST_LINE_BYTES]
            continue
        if place == 0:
            cut = -1
        yield block[cut + 1 :] + rest
        rest = block[:cut] if cut >= 0 else b""
