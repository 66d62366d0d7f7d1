"""What is left of the useful throughput at five times the load that the gateway can carry.

Useful is a 200 within a second. The load that can be carried is the best of closed loops with
more and more connections. Then come five times those connections, and requests that arrive at
five times that rate whatever becomes of them, each with clients that ask again at once and with
clients that heed the `Retry-After` of a 503. Two upstreams: one that answers at once, where the
gateway's own core is what is short, and one that takes 20 ms for each of at most 20 requests at
once, where asking more of it helps nobody and `limits.max_in_flight` says how much is enough.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.generator import Report, command
from benchmarks.processes import (
    GATEWAY_CORE,
    OTHER_CORE,
    allow_many_descriptors,
    free_port,
    pinned,
    result_of,
)
from benchmarks.site import Site

__all__ = ["AIM", "run"]

AIM = 0.85


class Case(NamedTuple):
    """An upstream's arguments, the gateway's limits, the connections tried to find the peak."""

    upstream: list[str]
    limits: dict[str, float]
    tried: tuple[int, ...]


_FACTOR = 5
_ROUNDS = 3
_SECONDS = 4
_RETRY_AFTER_MS = 1000

_UPSTREAMS = {
    "an upstream that answers at once": Case([], {}, (16, 64, 128)),
    "an upstream of 20 at once, 20 ms each; max_in_flight 128": Case(
        ["--latency-ms", "20", "--capacity", "20"], {"max_in_flight": 128}, (20, 40, 80)
    ),
}

# What an open loop may have waiting: far more than is good for anybody, and still descriptors enough.
_OPEN_CONNECTIONS = 2000


def run() -> None:
    """Print the peak, and for each kind of overload what is left of it."""
    allow_many_descriptors(4 * _OPEN_CONNECTIONS)
    print(f"overload: {_FACTOR} times the load that can be carried; useful is a 200 within 1 s")
    for title, case in _UPSTREAMS.items():
        with _running(case) as (port, authorization):
            _measure(title, port, authorization, case.tried)


@contextmanager
def _running(case: Case) -> Iterator[tuple[int, str]]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        site = Site(Path(name))
        upstream, gateway, admin = (free_port() for _ in range(3))
        log = Path(name) / "log"
        config = site.gateway(gateway, admin, upstream, limits=case.limits)
        for words, cores, port in (
            (["benchmarks.upstream", str(upstream), *case.upstream], OTHER_CORE, upstream),
            (["gateway.cli", "serve", "--config", str(config)], GATEWAY_CORE, gateway),
        ):
            running.enter_context(
                pinned([sys.executable, "-m", *words], cores=cores, port=port, log=log)
            )
        yield gateway, f"Bearer {site.token()}"


def _measure(title: str, port: int, authorization: str, tried: tuple[int, ...]) -> None:
    def load(**options: float) -> Report:
        words = command(port, authorization, seconds=_SECONDS, **options)
        return Report(**result_of(words, cores=OTHER_CORE))

    closed = {connections: load(connections=connections).useful for connections in tried}
    best = max(closed, key=lambda connections: closed[connections])
    many, rate = _FACTOR * best, _FACTOR * closed[best]
    at_peak = f"{best} connections, the peak"
    shapes: dict[str, dict[str, float]] = {
        at_peak: {"connections": best},
        f"{many} connections": {"connections": many},
        f"{many} connections that heed a 503": {
            "connections": many, "after_refusal_ms": _RETRY_AFTER_MS,
        },
        f"{rate:,.0f} arrivals a second": {"connections": _OPEN_CONNECTIONS, "rate": rate},
        f"{rate:,.0f} arrivals a second that heed a 503": {
            "connections": _OPEN_CONNECTIONS,
            "rate": rate,
            "after_refusal_ms": _RETRY_AFTER_MS,
        },
    }  # fmt: skip
    rounds = [{name: load(**shape) for name, shape in shapes.items()} for _ in range(_ROUNDS)]
    print(f"  {title}; medians of {_ROUNDS} x {_SECONDS} s")
    for name in shapes:
        reports = [each[name] for each in rounds]
        # Of one round each: a machine that is busy with something else is so for both.
        shares = sorted(each[name].useful / each[at_peak].useful for each in rounds)
        print(f"    {name}: {_words(reports)}")
        if name != at_peak:
            share = statistics.median(shares)
            verdict = "" if share >= AIM else f", below the aim of {AIM:.0%}"
            print(f"      {share:.0%} of the peak ({shares[0]:.0%}-{shares[-1]:.0%}){verdict}")


def _words(reports: list[Report]) -> str:
    def median(name: str) -> float:
        return statistics.median(getattr(report, name) for report in reports)

    rest = "".join(
        f", {name.replace('_', ' ')} {value:,.0f}"
        for name in ("refused", "late", "broken", "other", "not_sent")
        if (value := median(name))
    )
    lag = median("lag_ms")
    late = (
        f"; NOT A MEASUREMENT: the generator itself was late by {lag:.0f} ms" if lag > 100 else ""
    )
    return (
        f"{median('useful'):,.0f} useful replies a second"
        f" (p50 {median('p50_ms'):.0f} ms, p99 {median('p99_ms'):.0f} ms){rest}{late}"
    )
