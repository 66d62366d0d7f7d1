"""Load with a patience: replies later than the deadline are of no use to whoever asked.

Closed loop: each of `--connections` clients asks again as soon as it is answered or out of patience. Open loop (`--rate`): requests arrive evenly whatever becomes of earlier ones, each on
a free connection; what arrives while all connections wait is counted as not sent. A client
without patience left hangs up and connects anew, as they do; one that gets a 503 leaves its
connection alone for `--after-refusal-ms`. The first `--warm-up` seconds are not counted. Prints one line of JSON. Raw protocol on uvloop, so that one core can make several
times the load that a gateway on another core can carry.
Usage: python -m benchmarks.generator PORT --authorization "Bearer …" --connections N [--rate R]
"""

import argparse
import asyncio
import json
import os
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any, cast

import uvloop

__all__ = ["Report", "command"]

_TICK_SECONDS = 0.001
_SWEEP_SECONDS = 0.05
_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length: "


@dataclass
class Report:
    """What became of the requests of the counted seconds; rates are per second."""

    useful: float = 0.0
    """200 within the deadline."""
    refused: float = 0.0
    """503, at any time."""
    other: float = 0.0
    late: float = 0.0
    """No reply within the deadline."""
    broken: float = 0.0
    """The connection ended first."""
    not_sent: float = 0.0
    p50_ms: float = 0.0
    """Of the useful ones."""
    p99_ms: float = 0.0
    lag_ms: float = 0.0
    """By how much the generator itself was late, one time in twenty: its clients' latency is no
    better than that."""

    @property
    def sent(self) -> float:
        return self.useful + self.refused + self.other + self.late + self.broken


def command(port: int, authorization: str, **options: float) -> list[str]:
    """The words after the interpreter; `after_refusal_ms=5` becomes `--after-refusal-ms 5`."""
    words = ["-m", "benchmarks.generator", str(port), "--authorization", authorization]
    for name, value in options.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    return words


class Run:
    """The connections and what they counted."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.request = (
            f"GET /profiles/0004Va58A92T0017 HTTP/1.1\r\nHost: bench\r\n"
            f"Authorization: {given.authorization}\r\n\r\n"
        ).encode()
        self.deadline_seconds: float = given.deadline_ms / 1000
        self._given = given
        self._after_refusal_seconds: float = given.after_refusal_ms / 1000
        self._is_open = given.rate > 0
        self._free: deque[_Client] = deque()
        self._clients: set[_Client] = set()
        self._reconnecting: set[asyncio.Task[None]] = set()
        self._counts: Counter[str] = Counter()
        self._latencies: list[float] = []
        self._lags: list[float] = []
        self._over = False

    async def go(self) -> Report:
        given = self._given
        for _ in range(0, given.connections, 50):
            await asyncio.gather(*(self._connect() for _ in range(min(50, given.connections))))
        arrivals = asyncio.get_running_loop().create_task(self._arrive())
        sweeps = asyncio.get_running_loop().create_task(self._sweep())
        await asyncio.sleep(given.warm_up)
        self._counts.clear()
        self._latencies.clear()
        self._lags.clear()
        begun = perf_counter()
        await asyncio.sleep(given.seconds)
        seconds = perf_counter() - begun
        self._over = True
        arrivals.cancel()
        sweeps.cancel()
        return self._report(seconds)

    def _report(self, seconds: float) -> Report:
        ordered, lags = sorted(self._latencies) or [0.0], sorted(self._lags) or [0.0]
        rates = {name: round(number / seconds, 1) for name, number in self._counts.items()}
        return Report(
            **rates,
            p50_ms=round(ordered[len(ordered) // 2] * 1000, 2),
            p99_ms=round(ordered[int(len(ordered) * 0.99)] * 1000, 2),
            lag_ms=round(lags[int(len(lags) * 0.95)] * 1000, 2),
        )

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._over:
            try:
                await loop.create_connection(lambda: _Client(self), "127.0.0.1", self._given.port)
            except OSError:
                await asyncio.sleep(_SWEEP_SECONDS)
            else:
                break

    async def _arrive(self) -> None:
        """Open loop: so many a second, on whatever connections are free."""
        rate = self._given.rate
        begun, arrived = perf_counter(), 0
        while self._is_open:
            await asyncio.sleep(_TICK_SECONDS)
            due = int((perf_counter() - begun) * rate) - arrived
            arrived += due
            now = perf_counter()
            free = self._free
            for _ in range(min(due, len(free))):
                free.popleft().ask(now)
                due -= 1
            self._counts["not_sent"] += due

    async def _sweep(self) -> None:
        """Who has waited too long hangs up."""
        while True:
            slept_at = perf_counter()
            await asyncio.sleep(_SWEEP_SECONDS)
            now = perf_counter()
            self._lags.append(now - slept_at - _SWEEP_SECONDS)
            latest = now - self.deadline_seconds
            for client in [c for c in self._clients if c.asked_at and c.asked_at < latest]:
                self._counts["late"] += 1
                client.give_up()

    # --- what the clients tell ---------------------------------------------------------------

    def connected(self, client: "_Client") -> None:
        self._clients.add(client)
        self._ready(client)

    def answered(self, client: "_Client", status: bytes, seconds: float) -> None:
        if status == b"200":
            if seconds <= self.deadline_seconds:
                self._counts["useful"] += 1
                self._latencies.append(seconds)
            else:
                self._counts["late"] += 1
        elif status == b"503":
            self._counts["refused"] += 1
            if self._after_refusal_seconds:
                loop = asyncio.get_running_loop()
                loop.call_later(self._after_refusal_seconds, self._ready, client)
                return
        else:
            self._counts["other"] += 1
        self._ready(client)

    def lost(self, client: "_Client", *, waiting: bool) -> None:
        self._clients.discard(client)
        if client in self._free:
            self._free.remove(client)
        self._counts["broken"] += waiting
        if not self._over:
            task = asyncio.get_running_loop().create_task(self._connect())
            self._reconnecting.add(task)
            task.add_done_callback(self._reconnecting.discard)

    def _ready(self, client: "_Client") -> None:
        if self._over or client not in self._clients:
            return
        if self._is_open:
            self._free.append(client)
        else:
            client.ask(perf_counter())


class _Client(asyncio.Protocol):
    def __init__(self, run: Run) -> None:
        self.asked_at = 0.0
        self._run = run
        self._transport = cast("asyncio.Transport", None)
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._run.connected(self)

    def connection_lost(self, _: Exception | None) -> None:
        waiting = self.asked_at > 0
        self.asked_at = 0.0
        self._run.lost(self, waiting=waiting)

    def ask(self, now: float) -> None:
        self.asked_at = now
        self._transport.write(self._run.request)

    def give_up(self) -> None:
        self.asked_at = 0.0
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer = buffer = self._buffer + data if self._buffer else data
        end = buffer.find(_END)
        if end < 0:
            return
        at = buffer.find(_LENGTH) + len(_LENGTH)
        length = int(buffer[at : buffer.index(b"\r\n", at)])
        if len(buffer) < end + len(_END) + length:
            return
        self._buffer = b""
        if self.asked_at:
            seconds = perf_counter() - self.asked_at
            self.asked_at = 0.0
            self._run.answered(self, buffer[9:12], seconds)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add: Callable[..., Any] = parser.add_argument
    add("port", type=int)
    add("--authorization", required=True)
    add("--connections", type=int, default=64)
    add("--rate", type=float, default=0)
    add("--seconds", type=float, default=4)
    add("--warm-up", type=float, default=1)
    add("--deadline-ms", type=float, default=1000)
    add("--after-refusal-ms", type=float, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    os.nice(5)  # the upstream shares the core; starved of it, it would be what limits
    print(json.dumps(asdict(uvloop.run(Run(_parse()).go()))))
