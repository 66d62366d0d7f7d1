"""A socket, an event loop and a task that do nothing by themselves.

The wire layer waits in one place only, on a future made by its loop. Here that future is a flag
and whatever awaits it is driven by hand: `pull(connection.next_head())` runs it until it waits,
and asking for its result runs it on. So no test waits, time is a number, and a property can try a
thousand conversations in a second.

The fakes keep the rules of the real things: bytes do not arrive while reading is paused, nothing
is written after the end was, and a connection that was closed says no more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from typing import Any, Generic, TypeVar

from gateway.exchange import RequestHead
from gateway.http.forwarded import Proxies
from gateway.http.head import ReplyHead
from gateway.http.headers import FORWARDED
from gateway.http.host import Hosts
from gateway.wire.client import ClientConnection, ClientLimits
from gateway.wire.connection import Connection
from gateway.wire.outbox import Outbox
from gateway.wire.reading import Reading
from gateway.wire.upstream import UpstreamConnection, UpstreamLimits
from gateway.wire.watch import Watch

__all__ = [
    "FIVE",
    "GET",
    "INTERIM",
    "OK",
    "Client",
    "FakeLoop",
    "FakeTransport",
    "Pull",
    "Side",
    "Signal",
    "Upstream",
    "a_client",
    "a_reading",
    "an_upstream",
    "chunked",
    "head_of",
    "post",
    "pull",
    "read_reply",
    "the_reply",
]

T = TypeVar("T")
C = TypeVar("C", bound=Connection)


class Signal:
    """What a future is to the wire layer."""

    def __init__(self) -> None:
        self._set = False

    def done(self) -> bool:
        return self._set

    def set_result(self, _: object) -> None:
        assert not self._set, "a waiter was woken twice, or after it was cancelled"
        self._set = True

    def cancel(self) -> None:
        """Whoever awaits it was cancelled; asyncio cancels the future with its task."""
        self._set = True

    def __await__(self) -> Generator["Signal", None, None]:
        yield self


class Timer:
    """One `call_later`."""

    def __init__(self, at: float, callback: Callable[[], None]) -> None:
        self.at = at
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeLoop:
    """A clock that stands still, and timers that run when it is moved."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._timers: list[Timer] = []

    def time(self) -> float:
        return self._now

    def create_future(self) -> Signal:
        return Signal()

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Every call is a turn of its own, so what is to run at a turn's end runs now."""
        callback()

    def call_later(self, delay: float, callback: Callable[[], None]) -> Timer:
        timer = Timer(self._now + delay, callback)
        self._timers.append(timer)
        return timer

    @property
    def timers(self) -> int:
        """How many are still to run."""
        return sum(not timer.cancelled for timer in self._timers)

    def advance(self, seconds: float) -> None:
        """Let time pass, running what falls due on the way."""
        until = self._now + seconds
        while due := [timer for timer in self._timers if timer.at <= until]:
            timer = min(due, key=lambda timer: timer.at)
            self._timers.remove(timer)
            self._now = max(self._now, timer.at)
            if not timer.cancelled:
                timer.callback()
        self._now = until


class FakeTransport:
    """Records what is asked of it. `unsent` is what the peer has not taken yet."""

    def __init__(self, peer: tuple[object, ...] | str | None = ("10.0.0.7", 50_000)) -> None:
        self.written = b""
        self.unsent = 0
        self.reading = True
        self.half_closes = True
        self.ended = False
        self.fate = "open"  # then "closed" or "aborted"
        self.calls: list[str] = []
        self._peer = peer

    def get_extra_info(self, name: str) -> tuple[object, ...] | str | None:
        return self._peer if name == "peername" else None

    def write(self, data: bytes) -> None:
        assert data, "an empty write"
        assert not self.ended, "a write after the end"
        assert self.fate == "open", f"a write when {self.fate}"
        self.written += data

    def take_written(self) -> bytes:
        """What was written since the last time."""
        written, self.written = self.written, b""
        return written

    def is_closing(self) -> bool:
        return self.fate != "open"

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        assert self.reading, "paused twice"
        self.reading = False
        self.calls.append("pause")

    def resume_reading(self) -> None:
        assert not self.reading, "resumed twice"
        self.reading = True
        self.calls.append("resume")

    def can_write_eof(self) -> bool:
        return self.half_closes

    def write_eof(self) -> None:
        self.ended = True
        self.calls.append("eof")

    def close(self) -> None:
        self.fate = "closed"
        self.calls.append("close")

    def abort(self) -> None:
        self.fate = "aborted"
        self.calls.append("abort")


class Pull(Generic[T]):
    """Something awaited by hand; to a connection, the task that talks to its client."""

    def __init__(self, awaitable: Awaitable[T], name: str = "") -> None:
        self.name = name
        self._steps = awaitable.__await__()
        self._signal: Signal | None = None
        self._outcome: Callable[[], T] | None = None
        self._cancel = False
        self._requests = 0
        self.cancelled = False
        self._run()

    def _run(self) -> None:
        while self._outcome is None and (
            self._cancel or self._signal is None or self._signal.done()
        ):
            try:
                if self._cancel:
                    self._cancel = False
                    self._signal = self._steps.throw(asyncio.CancelledError())
                else:
                    self._signal = self._steps.send(None)
            except StopIteration as end:
                self._outcome = lambda value=end.value: value
            except BaseException as error:  # noqa: BLE001 - handed to whoever asks
                self._outcome = lambda error=error: _raise(error)

    @property
    def waits(self) -> bool:
        self._run()
        return self._outcome is None

    def result(self) -> T:
        """What it came to, or raised."""
        self._run()
        assert self._outcome is not None, "it still waits"
        return self._outcome()

    def cancel(self) -> None:
        self._cancel = self.cancelled = True
        self._requests += 1
        if self._signal is not None:
            self._signal.cancel()

    def cancelling(self) -> int:
        return self._requests

    def uncancel(self) -> int:
        self._requests -= 1
        return self._requests


def _raise(error: BaseException) -> Any:
    raise error


pull = Pull


class FakeTasks:
    """Starts conversations as pulls."""

    def __init__(self) -> None:
        self.started: list[Pull[None]] = []

    def start(self, coroutine: Coroutine[Any, Any, None], *, name: str) -> Pull[None]:
        self.started.append(Pull(coroutine, name))
        return self.started[-1]


class Side(Generic[C]):
    """A connection together with the peer, the clock and the transport around it."""

    def __init__(
        self, make: Callable[[Any, Watch, Outbox], C], peer: tuple[object, ...] | str | None
    ) -> None:
        self.loop = FakeLoop()
        self.watch = Watch(self.loop)
        self.transport = FakeTransport(peer)
        self.connection = make(self.loop, self.watch, Outbox(self.loop))
        self.connection.connection_made(self.transport)

    def feed(self, *pieces: bytes) -> None:
        """Bytes arrive from the peer."""
        for piece in pieces:
            assert self.transport.reading, "the peer is not read from"
            self.connection.data_received(piece)

    def end(self) -> None:
        """The peer sends no more, and still listens."""
        assert self.connection.eof_received()

    def lose(self, error: Exception | None = None) -> None:
        self.connection.connection_lost(error)

    def advance(self, seconds: float) -> None:
        """Time passes; the watch looks at the deadlines as it does so."""
        self.loop.advance(seconds)


Client = Side[ClientConnection]
Upstream = Side[UpstreamConnection]


async def _silent(_: ClientConnection) -> None:
    """A conversation without a word."""


def a_reading(
    *, max_headers: int = 100, hosts: Iterable[str] = (), trusted_proxies: Iterable[str] = ()
) -> Reading:
    """The rules of a port; anybody by any name unless said otherwise."""
    return Reading(
        max_headers=max_headers,
        passable=FORWARDED,
        hosts=Hosts(hosts),
        proxies=Proxies(trusted_proxies),
    )


def a_client(
    converse: Callable[[ClientConnection], Coroutine[Any, Any, None]] = _silent,
    *,
    pieces: Iterable[bytes] = (),
    peer: tuple[object, ...] | str | None = ("10.0.0.7", 50_000),
    reading: Reading | None = None,
    **limits: float,
) -> Client:
    """A client that just connected and sent `pieces`."""
    settings = {
        "max_head_bytes": 16_384,
        "max_requests_per_connection": 1_000_000,
        "header_timeout_seconds": 10.0,
        "body_idle_timeout_seconds": 30.0,
        "keep_alive_timeout_seconds": 75.0,
        "total_timeout_seconds": 300.0,
        "drain_body_bytes": 65_536,
    } | limits
    side = Side(
        lambda loop, watch, outbox: ClientConnection(
            loop,
            watch,
            outbox,
            limits=ClientLimits(**settings),
            reading=reading or a_reading(),
            tasks=FakeTasks(),
            converse=converse,
        ),
        peer,
    )
    side.feed(*pieces)
    return side


def an_upstream(*, pieces: Iterable[bytes] = (), **limits: float) -> Upstream:
    """A connection to an upstream, whose reply so far is `pieces`."""
    settings = {"first_byte_timeout_seconds": 20.0, "idle_timeout_seconds": 40.0} | limits
    side = Side(
        lambda loop, watch, outbox: UpstreamConnection(
            loop, watch, outbox, "node:1", UpstreamLimits(**settings)
        ),
        None,
    )
    side.feed(*pieces)
    return side


# --- requests as bytes ------------------------------------------------------------------------

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"


def post(length: int, *, more: bytes = b"") -> bytes:
    """The head of a POST with a length and `more` lines."""
    return b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%b\r\n" % (length, more)


def chunked(*, more: bytes = b"") -> bytes:
    """The head of a POST in chunks, with `more` lines."""
    return b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n%b\r\n" % more


def head_of(client: Client) -> RequestHead:
    """The next head, which is here already."""
    head = pull(client.connection.next_head()).result()
    assert head is not None, "there is no head"
    return head


# --- replies as bytes -------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\n"
FIVE = OK + b"Content-Length: 5\r\n\r\nhello"
INTERIM = b"HTTP/1.1 102 Processing\r\n\r\n"


async def the_reply(connection: UpstreamConnection, method: str = "GET") -> ReplyHead:
    """The head of the reply, waited for as long as it is not here."""
    while (head := connection.take_reply(method)) is None:
        await connection.wait()
    return head


async def read_reply(upstream: Upstream, method: str) -> tuple[int, bytes]:
    """A whole reply: its status and its body."""
    head = await the_reply(upstream.connection, method)
    body = b""
    while piece := await upstream.connection.body_piece():
        body += piece
    return head.status, body
