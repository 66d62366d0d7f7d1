"""Lines on their way into a sink: encoded once, written until the sink has them all.

A sink that takes only a part, or fails in mid-line, is offered the rest later, from the very
byte where it stopped. Only when the sink has moved to another file in between does the torn
line start over there. Used by one thread; knows no clock and no loop.
"""

from gateway.audit.record import Record, encode
from gateway.audit.sinks import Sink

__all__ = ["Spool"]


class Spool:
    """The bytes that one sink has not taken yet."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lines = b""
        self._taken = 0

    def __repr__(self) -> str:
        return f"Spool({self._sink!r}, {len(self._lines) - self._taken} bytes left)"

    def add(self, records: list[Record]) -> None:
        """Encode, behind what is still there."""
        self._lines = self._lines[self._taken :] + encode(records)
        self._taken = 0

    def drain(self) -> None:
        """Write everything, in one write(2) if the sink takes it; OSError leaves the rest."""
        with memoryview(self._lines) as lines:
            while self._taken < len(lines):
                with lines[self._taken :] as rest:
                    taken = self._sink.write(rest)
                if taken <= 0:
                    raise OSError("the sink took nothing")
                self._taken += taken
        self._lines, self._taken = b"", 0

    def reopen(self) -> None:
        """Follow a rotation, with whole lines only on the other side."""
        if self._sink.reopen():
            self._taken = self._lines.rfind(b"\n", 0, self._taken) + 1
