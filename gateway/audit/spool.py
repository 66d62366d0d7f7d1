"""From a journal into a sink: whole lines, until the sink has them all.

The read position follows what the sink has taken, line by line. A sink that fails, or takes only
a part, is offered the rest later; a line of which it took a part is offered from its beginning,
because by then somebody else may have written behind that part. Used by one thread; knows no
clock and no loop.
"""

from gateway.audit.journal import Journal
from gateway.audit.sinks import Sink

__all__ = ["Spool"]


class Spool:
    """One journal, one sink."""

    def __init__(self, journal: Journal, sink: Sink) -> None:
        self._journal = journal
        self._sink = sink

    def __repr__(self) -> str:
        return f"Spool({self._journal!r}, {self._sink!r})"

    def drain(self, stop: int) -> int:
        """Write everything before the position `stop`; OSError leaves the rest. How many lines."""
        journal = self._journal
        count = 0
        while journal.read < stop:
            lines = journal.unread(self._sink.most_bytes, stop)
            taken = self._write(lines)
            # A line that lacks nothing but its newline gets it before the next one.
            whole = lines.rfind(b"\n", 0, taken + 1) + 1
            journal.advance(whole)
            if not whole:
                raise OSError("the sink took less than a line")
            count += lines.count(b"\n", 0, whole)
        return count

    def resume(self) -> int:
        """Leave out what the process that was killed has managed to write. How many lines."""
        journal, sink = self._journal, self._sink
        lines = journal.unread(sink.most_bytes, journal.written)
        landed = sink.landed(journal.place, lines)
        journal.advance(landed)
        return lines.count(b"\n", 0, landed)

    def reopen(self) -> None:
        """Follow a rotation."""
        self._sink.reopen()

    def _write(self, lines: bytes) -> int:
        """One write(2), told to the journal before: a successor will look there."""
        sink = self._sink
        try:
            if (place := sink.begin()) is not None:
                self._journal.place = place
            return sink.write(lines)
        finally:
            sink.end()
