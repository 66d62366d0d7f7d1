"""From the journal into the sink, some time later: the event loop gives the beat, a thread writes.

Once in `flush_seconds` the thread is told up to which position to write, and tells when it is
there. It has one job of that kind at a time, so lines keep their order through any failure. What
the sink refuses stays in the journal, and is tried again after a while that doubles each time.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

import structlog

from gateway.audit.journal import Journal
from gateway.audit.sinks import Sink
from gateway.audit.spool import Spool
from gateway.audit.thread import Worker

__all__ = ["Carrier"]

_log = structlog.get_logger("gateway.audit")


class Carrier:
    """Every method is called on the event loop's thread.

    `on_news` gets the journal's read position, each time that the thread has come to an end.
    """

    def __init__(
        self,
        journal: Journal,
        sink: Sink,
        *,
        on_news: Callable[[int], None],
        flush_seconds: float,
        retry_seconds: float,
        max_retry_seconds: float,
    ) -> None:
        self._journal = journal
        self._sink = sink
        self._spool = Spool(journal, sink)
        self._worker = Worker("audit")
        self._on_news = on_news
        self._flush_seconds = flush_seconds
        self._retry_seconds = self.next_retry_seconds = retry_seconds
        self._max_retry_seconds = max_retry_seconds
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._in_hand = 0
        self._stop = 0
        self._waiting = 0
        self._hurrying = False
        self._drained = asyncio.Event()
        self._shut_down = asyncio.Event()
        self.closed = False
        self.trouble = ""
        self.lines_written = 0

    def __repr__(self) -> str:
        return f"Carrier({self._spool!r}, {self.lines} lines waiting)"

    @property
    def lines(self) -> int:
        """Lines in the journal that are not in the sink."""
        return self._in_hand + self._waiting

    @property
    def ended(self) -> bool:
        """Whether the thread has done its last job."""
        return self._shut_down.is_set()

    def start(self) -> None:
        self._worker.start()

    def fetch(self, lines: int, *, now: bool) -> None:
        """So many lines were committed to the journal: have them carried, soon or `now`."""
        self._waiting += lines
        if self._in_hand or self.closed:
            return
        if now or self._hurrying:
            self._cancel_timer()
            self._hand_over()
        elif self._timer is None:
            self._timer = self._loop.call_later(self._flush_seconds, self._hand_over)

    def reopen(self) -> None:
        """Follow a rotation, behind the lines that are on their way.

        Where the sink is in trouble, it is tried again at once: somebody has just seen to it.
        """
        self._worker.do(self._reopen)
        if self._in_hand and self._cancel_timer():
            self._try_again()

    async def close(self, patience_seconds: float) -> int:
        """Carry what waits, neither gathering more lines nor sparing the sink, and let go of it.

        How many lines were left behind when the patience was at its end.
        """
        self._hurrying = True
        self._hurry()
        try:
            async with asyncio.timeout(patience_seconds):
                await self._drained.wait()
        except TimeoutError:
            pass
        finally:
            self.closed = True
            self._cancel_timer()
            self._worker.do(self._shut)
            self._worker.stop()
        if self._drained.is_set():
            await self._shut_down.wait()
        left, self._in_hand, self._waiting = self.lines, 0, 0
        return left

    # The loop's half

    def _hurry(self) -> None:
        waiting = self._cancel_timer()
        if self._in_hand:
            if waiting:  # to try again; otherwise the thread is at it
                self._try_again()
        elif self._waiting:
            self._hand_over()
        else:
            self._drained.set()

    def _hand_over(self) -> None:
        self._in_hand, self._waiting = self._waiting, 0
        self._stop = self._journal.written
        self._try_again()

    def _try_again(self) -> None:
        self._timer = None
        self._worker.do(partial(self._take, self._stop))

    def _settled(self, read: int) -> None:
        """Everything up to the position that the thread was told is in the sink."""
        lines, self._in_hand = self._in_hand, 0
        self.lines_written += lines
        if self.closed:
            return
        if self.trouble:
            self.trouble = ""
            self.next_retry_seconds = self._retry_seconds
            _log.info("audit lines are written again", waiting=self._waiting)
        self._on_news(read)
        if self._hurrying:
            self._hurry()
        elif self._waiting:
            self.fetch(0, now=False)

    def _stuck(self, why: str, read: int) -> None:
        """Nothing else is handed over until what was is in the sink."""
        if self.closed:
            return
        if not self.trouble:
            _log.error("audit lines cannot be written, they are kept", why=why, sink=self._sink)
        self.trouble = why
        self._on_news(read)
        if self._hurrying:  # there is no time left to be considerate in
            self.next_retry_seconds = self._retry_seconds
        self._timer = self._loop.call_later(self.next_retry_seconds, self._try_again)
        self.next_retry_seconds = min(2 * self.next_retry_seconds, self._max_retry_seconds)

    def _cancel_timer(self) -> bool:
        """Whether there was one."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        return timer is not None

    # The thread's half

    def _take(self, stop: int) -> None:
        try:
            self._spool.drain(stop)
        except Exception as error:  # noqa: BLE001 - whatever it is, the lines are kept
            self._tell(partial(self._stuck, f"{type(error).__name__}: {error}", self._journal.read))
        else:
            self._tell(partial(self._settled, self._journal.read))

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
        with contextlib.suppress(RuntimeError):  # the loop ended without waiting for us
            self._loop.call_soon_threadsafe(news)
