"""Between the requests and the sink: a queue whose places are given out in advance.

`reserve()` and `write()` run on the event loop for every request and cost a fraction of a
microsecond: a counter, a list. Once in `flush_seconds` the list changes hands as a whole: a
thread encodes and writes it, and tells the loop when it is done. There is one batch in the
thread's hands at a time, so lines keep their order through any failure.

A batch that the sink refuses stays with the thread; the loop has it tried again after a while
that doubles each time. Places become free again only when their lines are in the sink: that is
the back-pressure. The promise that follows from this is in the package's docstring.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

import structlog

from gateway.audit.record import Record
from gateway.audit.sinks import Sink
from gateway.audit.spool import Spool
from gateway.audit.thread import Worker
from gateway.errors import AuditUnavailable

__all__ = ["AuditWriter"]

T = TypeVar("T")

_log = structlog.get_logger("gateway.audit")

# Composing and encoding hold the interpreter: this many lines, about a millisecond, at a stretch.
_BATCH_LINES = 256


class AuditWriter(Generic[T]):
    """Every method is called on the event loop's thread.

    What requests hand over is made into records by `compose`, in the writer's thread: many at
    once cost a fraction of one at a time.
    """

    def __init__(
        self,
        sink: Sink,
        *,
        compose: Callable[[T], Record],
        queue_lines: int = 100_000,
        flush_seconds: float = 0.05,
        retry_seconds: float = 0.1,
        max_retry_seconds: float = 5.0,
    ) -> None:
        self._sink = sink
        self._compose = compose
        self._spool = Spool(sink)
        self._worker = Worker("audit")
        self._queue_lines = queue_lines
        self._flush_seconds = flush_seconds
        self._retry_seconds = self._next_retry_seconds = retry_seconds
        self._max_retry_seconds = max_retry_seconds
        self._loop: asyncio.AbstractEventLoop | None = None
        self._free = 0
        self._pending: list[T] = []
        self._in_hand = 0
        self._timer: asyncio.TimerHandle | None = None
        self._trouble = "not started"
        self._closing = False
        self._closed = False
        self._drained = asyncio.Event()
        self._shut_down = asyncio.Event()
        self.lines_written = 0
        self.lines_failed = 0

    def __repr__(self) -> str:
        trouble = f", {self._trouble}" if self._trouble else ""
        return f"AuditWriter({self._sink!r}, {self.queue_length} lines waiting{trouble})"

    @property
    def queue_length(self) -> int:
        """Lines written by requests that are not in the sink yet."""
        return len(self._pending) + self._in_hand

    def check(self) -> tuple[bool, str]:
        """Whether lines reach the sink, and what is wrong otherwise; for readiness."""
        if self._trouble:
            return False, f"{self._trouble}; {self.queue_length} lines waiting"
        if self._free <= 0:
            return False, self._why_not()
        return True, f"{self.queue_length} lines waiting"

    # For every request

    def reserve(self) -> None:
        """Make sure that one line can be written later; AuditUnavailable when it cannot.

        Every successful call is followed by one `write`, however the request ends.
        """
        if self._free <= 0:
            raise AuditUnavailable(self._why_not())
        self._free -= 1

    def write(self, story: T) -> None:
        """Take the line that was reserved; never fails, never waits."""
        pending = self._pending
        pending.append(story)
        if len(pending) == 1:
            self._arm()

    def _why_not(self) -> str:
        if self._closing:
            return "the audit is closed"
        return self._trouble or f"all {self._queue_lines} places are taken"

    # Around them

    async def start(self) -> None:
        """Open the sink; AuditUnavailable when that fails."""
        try:
            self._sink.open()
        except OSError as error:
            raise AuditUnavailable(f"{self._sink!r} cannot be opened: {error}") from error
        self._loop = asyncio.get_running_loop()
        self._free = self._queue_lines
        self._trouble = ""
        self._worker.start()

    def reopen(self) -> None:
        """Follow a rotation of the file, behind the lines that are on their way.

        Where the sink is in trouble, it is tried again at once: somebody has just seen to it.
        """
        if self._loop is None or self._closed:
            return
        self._worker.do(self._reopen)
        if self._in_hand and self._cancel_timer():
            self._try_again()

    async def close(self, *, patience_seconds: float = 10.0) -> None:
        """Write what waits, then let go of the sink. Further reservations are refused.

        A sink that is broken for longer than our patience takes its lines with it: they are
        counted in `lines_failed`, and the log says how many.
        """
        if self._loop is None or self._closing:
            return
        self._closing = True
        self._free = 0
        self._hurry()
        try:
            async with asyncio.timeout(patience_seconds):
                await self._drained.wait()
        except TimeoutError:
            self._give_up()
        finally:
            self._closed = True
            self._cancel_timer()
            self._worker.do(self._shut)
            self._worker.stop()
        if self._drained.is_set():
            await self._shut_down.wait()

    def _hurry(self) -> None:
        """Somebody waits for the end: neither gather more lines nor spare the sink."""
        waiting = self._cancel_timer()
        if self._in_hand:
            if waiting:  # to try again; otherwise the thread is at it
                self._try_again()
        elif self._pending:
            self._hand_over()
        else:
            self._drained.set()

    def _give_up(self) -> None:
        lost = self.queue_length
        self.lines_failed += lost
        self._pending, self._in_hand = [], 0
        _log.error("audit lines lost at shutdown", lines=lost, why=self._trouble or "too slow")

    # The loop's half of the queue

    def _arm(self) -> None:
        """Have the pending lines handed over in a while, unless that is under way already."""
        if self._closed:
            self.lines_failed += len(self._pending)
            self._pending = []
            _log.error("audit line lost: it came after the audit was closed")
        elif self._closing:
            self._hurry()
        elif not self._in_hand and self._timer is None:
            self._timer = self._call_later(self._flush_seconds, self._hand_over)

    def _hand_over(self) -> None:
        self._timer = None
        batch, self._pending = self._pending[:_BATCH_LINES], self._pending[_BATCH_LINES:]
        self._in_hand = len(batch)
        self._worker.do(partial(self._take, batch))

    def _try_again(self) -> None:
        self._timer = None
        self._worker.do(partial(self._take, []))

    def _settled(self) -> None:
        """The thread's batch is in the sink."""
        self.lines_written += self._in_hand
        if not self._closing:
            self._free += self._in_hand
        self._in_hand = 0
        if self._trouble and not self._closed:
            self._trouble = ""
            self._next_retry_seconds = self._retry_seconds
            _log.info("audit lines are written again", waiting=len(self._pending))
        if self._closing:
            self._hurry()
        elif len(self._pending) >= _BATCH_LINES:
            self._hand_over()
        elif self._pending:
            self._arm()

    def _stuck(self, why: str) -> None:
        """The thread keeps its batch; nothing else is handed over until it is in the sink."""
        if not self._trouble:
            _log.error("audit lines cannot be written, they are kept", why=why, sink=self._sink)
        if self._closed:  # and it came too late to be waited for
            self.lines_failed += self._in_hand
            self._in_hand = 0
            return
        self._trouble = why
        if self._closing:  # there is no time left to be considerate in
            self._next_retry_seconds = self._retry_seconds
        self._timer = self._call_later(self._next_retry_seconds, self._try_again)
        self._next_retry_seconds = min(2 * self._next_retry_seconds, self._max_retry_seconds)

    def _call_later(self, seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        assert self._loop is not None  # noqa: S101 - nothing is reserved before the start
        return self._loop.call_later(seconds, action)

    def _cancel_timer(self) -> bool:
        """Whether there was one."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return timer is not None

    # The thread's half

    def _take(self, batch: list[T]) -> None:
        try:
            if batch:
                self._spool.add([self._compose(story) for story in batch])
            self._spool.drain()
        except Exception as error:  # noqa: BLE001 - whatever it is, the lines are kept
            self._tell(partial(self._stuck, f"{type(error).__name__}: {error}"))
        else:
            self._tell(self._settled)

    def _reopen(self) -> None:
        try:
            self._spool.reopen()
        except OSError as error:
            _log.error("audit file not reopened, the old one is kept", why=str(error))
        else:
            _log.info("audit file reopened", sink=self._sink)

    def _shut(self) -> None:
        try:
            self._sink.close()
        except OSError as error:
            _log.error("audit file not closed cleanly", why=str(error))
        self._tell(self._shut_down.set)

    def _tell(self, news: Callable[[], None]) -> None:
        assert self._loop is not None  # noqa: S101 - the thread is started with the loop
        with contextlib.suppress(RuntimeError):  # the loop ended without waiting for us
            self._loop.call_soon_threadsafe(news)
