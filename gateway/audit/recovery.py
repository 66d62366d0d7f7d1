"""What a worker that was killed left behind, brought into the sink by the process that watches it.

The worker's own mechanism does it, so it can be cut short and begun again anywhere: first the
lines that wait, then a line for every request that was under way, committed like any other.
"""

from typing import NamedTuple

import structlog
from msgspec import MsgspecError

from gateway.audit.intent import lost
from gateway.audit.journal import Journal
from gateway.audit.record import encode
from gateway.audit.sinks import Sink
from gateway.audit.spool import Spool
from gateway.clock import Clock

__all__ = ["Recovered", "recover_into"]

_log = structlog.get_logger("gateway.audit")


class Recovered(NamedTuple):
    """How many lines the worker had finished, and how many requests it took with it."""

    lines: int
    intents: int


def recover_into(journal: Journal, sink: Sink, clock: Clock) -> Recovered:
    """Write what is left in the journal of a process that has ended; the sink is opened and closed.

    After an OSError it can be called again, and goes on where it was; what it did before is then
    not counted again. Afterwards the journal is empty and good for another worker. After an
    orderly end there is nothing to do, and nothing is done.
    """
    sink.open()
    try:
        spool = Spool(journal, sink)
        spool.resume()
        lines = spool.drain(journal.written)
        intents = 0
        for slot, note in journal.open_slots():
            line = _line_of(note, clock)
            if journal.unread_bytes + len(line) > journal.ring_bytes:
                spool.drain(journal.written)
            journal.commit(line, (slot,))
            intents += bool(line)
        spool.drain(journal.written)
    finally:
        sink.close()
    return Recovered(lines, intents)


def _line_of(note: bytes, clock: Clock) -> bytes:
    try:
        return encode([lost(note, clock)])
    except MsgspecError:  # a defect of ours, and no reason to keep the other requests back
        _log.exception("the note of a lost request cannot be read")
        return b""
