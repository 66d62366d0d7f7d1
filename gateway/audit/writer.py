"""Between the requests and the journal: a line is promised first, and kept in shared memory last.

For each request `reserve`, `note` where it is forwarded, and `write`, all on the event loop. What
`write` took is made into lines at the end of the loop's turn, all of it at once, by
`commit`, which whoever sends replies calls before they leave: so whoever has an answer has a line
that outlives this process. From there a `Carrier` brings it into the sink.

Room is counted in bytes. A reservation takes LINE_BYTES, its line gives back what it does not
need, and the rest comes back when the line is in the sink: that is the back-pressure. The promise
that follows from this is in the package's docstring.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

import structlog

from gateway.audit.carrier import Carrier
from gateway.audit.journal import LINE_BYTES, Journal
from gateway.audit.sinks import Sink
from gateway.errors import AuditUnavailable
from gateway.wire.outbox import Outbox

__all__ = ["AuditWriter", "Stories"]

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)

_log = structlog.get_logger("gateway.audit")


class Stories(Protocol[T_contra]):
    """What requests hand over, in the bytes that are kept of it."""

    def note(self, story: T_contra, /) -> bytes:
        """Before the request is forwarded; at most MOST_NOTE_BYTES."""
        ...

    def line(self, story: T_contra, /) -> bytes:
        """At its end, with a newline; at most MOST_LINE_BYTES, and mostly less than LINE_BYTES."""
        ...


class AuditWriter(Generic[T]):
    """Every method is called on the event loop's thread.

    What requests hand over becomes bytes by way of `stories`. Nothing is bound to a process or a loop before `start`. A `journal` that is
    passed in is somebody else's to close, and to recover from what a `close` could not write;
    without one the writer makes its own, and lines are lost with the process.
    """

    _loop: asyncio.AbstractEventLoop
    _outbox: Outbox | None
    _journal: Journal
    _carrier: Carrier

    def __init__(
        self,
        sink: Sink,
        stories: Stories[T],
        *,
        journal: Journal | None = None,
        queue_bytes: int = 64 << 20,
        flush_seconds: float = 0.05,
        retry_seconds: float = 0.1,
        max_retry_seconds: float = 5.0,
    ) -> None:
        self._sink = sink
        self._note_of, self._line_of = stories.note, stories.line
        self._given = journal
        self._queue_bytes = queue_bytes
        self._flush_seconds = flush_seconds
        self._retry_seconds = retry_seconds
        self._max_retry_seconds = max_retry_seconds
        self._started = False
        self._free = self._low = self._read = 0
        self._pending: list[T] = []
        self._noted: dict[int, int] = {}
        self._idle_slots: list[int] = []
        self._slots_used = 0
        self._late: deque[tuple[bytes, list[int]]] = deque()
        self._late_bytes = 0
        self._closing = self._gone = False
        self.lines_failed = 0

    def __repr__(self) -> str:
        trouble = f", {self._trouble}" if self._trouble else ""
        return f"AuditWriter({self._sink!r}, {self.queue_length} lines waiting{trouble})"

    @property
    def queue_length(self) -> int:
        """Lines written by requests that are not in the sink yet."""
        carried = self._carrier.lines if self._started else 0
        return len(self._pending) + len(self._late) + carried

    @property
    def lines_written(self) -> int:
        """Lines that are in the sink."""
        return self._carrier.lines_written if self._started else 0

    @property
    def _trouble(self) -> str:
        return self._carrier.trouble if self._started else "not started"

    def check(self) -> tuple[bool, str]:
        """Whether lines reach the sink, and what is wrong otherwise; for readiness."""
        if trouble := self._trouble:
            return False, f"{trouble}; {self.queue_length} lines waiting"
        if self._closing or self._free < LINE_BYTES:
            return False, self._why_not()
        return True, f"{self.queue_length} lines waiting"

    # For every request

    def reserve(self) -> None:
        """Make sure that one line can be written later; AuditUnavailable when it cannot.

        Every successful call is followed by one `write`, however the request ends.
        """
        if self._free < LINE_BYTES or self._closing:
            raise AuditUnavailable(self._why_not())
        self._free -= LINE_BYTES

    def note(self, story: T) -> None:
        """Keep in shared memory that this is about to be done, until its line is there.

        Once at most, between `reserve` and `write`; never fails, never waits.
        """
        try:
            note = self._note_of(story)
            if self._idle_slots:  # the youngest one, so that few pages are ever touched
                slot = self._idle_slots.pop()
            else:
                slot = self._journal.slot(self._slots_used)
                self._slots_used += 1
            self._journal.note(slot, note)
        except Exception:  # noqa: BLE001 - a defect of ours
            _log.exception("a request could not be noted before it was forwarded")
        else:
            self._noted[id(story)] = slot

    def write(self, story: T) -> None:
        """Take the line that was reserved; never fails, never waits."""
        pending = self._pending
        pending.append(story)
        if len(pending) == 1 and (self._outbox is None or not self._outbox.waiting):
            self._loop.call_soon(self.commit)  # nobody will: the client left without a reply

    def commit(self) -> None:
        """Bring what was written in this turn into the journal; never fails."""
        stories = self._pending
        if not stories:
            return
        self._pending = []
        if self._gone:
            self.lines_failed += len(stories)
            _log.error("audit line lost: it came after the audit was closed")
            return
        try:
            lines = b"".join([self._line_of(story) for story in stories])
        except Exception:  # noqa: BLE001 - met again and told there
            self._commit_one_by_one(stories)
            return
        free = self._free + LINE_BYTES * len(stories) - len(lines)
        if free < 0:
            self._commit_one_by_one(stories)
            return
        self._free = free
        self._put(lines, self._slots_of(stories), len(stories))

    def _why_not(self) -> str:
        if self._closing:
            return "the audit is closed"
        return self._trouble or f"the queue of {self._queue_bytes} bytes is full"

    def _slots_of(self, stories: Iterable[T]) -> list[int]:
        noted = self._noted
        return [noted.pop(id(story)) for story in stories if id(story) in noted]

    def _put(self, lines: bytes, slots: list[int], count: int) -> None:
        self._journal.commit(lines, slots)
        self._idle_slots += slots
        self._carrier.fetch(count, now=self._free < self._low)

    # Lines that are not like the others

    def _commit_one_by_one(self, stories: Iterable[T]) -> None:
        """For want of room, or because one of them is at fault: none of the others suffers.

        A line that is longer than its reservation, when there is no room to spare, waits outside
        of the journal, where a kill leaves only its note, and where lines of the usual length
        overtake it. It goes before all new reservations.
        """
        for story in stories:
            slots = self._slots_of((story,))
            try:
                line = self._line_of(story)
            except Exception:  # noqa: BLE001 - a defect of ours
                _log.exception("audit line lost: it could not be composed")
                self.lines_failed += 1
                line = b""
            self._free += LINE_BYTES - len(line)
            if len(line) <= LINE_BYTES:
                self._put(line, slots, bool(line))
            else:
                self._late.append((line, slots))
                self._late_bytes += len(line)
        self._put_late()

    def _put_late(self) -> None:
        late = self._late
        while late and len(late[0][0]) <= self._free + self._late_bytes:
            line, slots = late.popleft()
            self._late_bytes -= len(line)
            self._put(line, slots, 1)

    # Around them

    async def start(self, outbox: Outbox | None = None) -> None:
        """Open the sink; AuditUnavailable when that fails, or the journal holds what others left.

        The `outbox` is the one that calls `commit` before its replies leave.
        """
        journal = self._given or Journal.create(self._queue_bytes)
        if journal.unread_bytes or journal.open_slots():
            raise AuditUnavailable("the journal is not empty: recover what is in it first")
        try:
            self._sink.open()
        except OSError as error:
            if journal is not self._given:
                journal.close()
            raise AuditUnavailable(f"{self._sink!r} cannot be opened: {error}") from error
        self._loop = asyncio.get_running_loop()
        self._outbox = outbox
        self._journal = journal
        self._read = journal.read
        self._free = journal.places * LINE_BYTES
        self._low = self._free // 2
        self._carrier = Carrier(
            journal,
            self._sink,
            on_news=self._hear,
            flush_seconds=self._flush_seconds,
            retry_seconds=self._retry_seconds,
            max_retry_seconds=self._max_retry_seconds,
        )
        self._carrier.start()
        self._started = True

    def _hear(self, read: int) -> None:
        """The sink has everything before this position."""
        self._free += read - self._read
        self._read = read
        if self._late:
            self._put_late()

    def reopen(self) -> None:
        """Follow a rotation of the file, behind the lines that are on their way."""
        if self._started and not self._carrier.closed:
            self._carrier.reopen()

    async def close(self, *, patience_seconds: float = 10.0) -> None:
        """Write what waits, then let go of the sink. Further reservations are refused.

        When the sink is broken for longer than our patience, what it has not taken stays in the
        journal that was given to us. One of our own takes its lines with it: they are counted in
        `lines_failed`, and the log says how many.
        """
        if not self._started or self._closing:
            return
        self._closing = True
        self.commit()
        left = await self._carrier.close(patience_seconds)
        late, own = len(self._late), self._given is None
        self._late.clear()
        self._gone = own
        if own and self._carrier.ended:
            self._journal.close()
        if left and not own:
            _log.warning("audit lines are left in the journal", lines=left, why=self._trouble)
        if lost := late + left * own:
            self.lines_failed += lost
            _log.error("audit lines lost at shutdown", lines=lost, why=self._trouble or "too slow")
