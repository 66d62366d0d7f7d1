"""What is left of the useful throughput at five times the load that the gateway can carry.

Useful is a 200 within a second. The load that can be carried is the best of closed loops with
more and more connections; then come five times those connections, asking again at once or when a
503 tells them to go, and requests that arrive at five times that rate whatever becomes of them.
Two upstreams: one that answers at once, where the gateway's own core is what is short, and one
that takes 20 ms for each of at most 20 requests at once, where asking more of it helps nobody.
"""

import statistics
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

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
_FACTOR = 5
_ROUNDS = 3
_SECONDS = 4
_RETRY_AFTER_MS = 1000

# Each upstream with the connections that are tried to find the peak.
_UPSTREAMS: dict[str, tuple[list[str], tuple[int, ...]]] = {
    "an upstream that answers at once": ([], (16, 64, 128)),
    "an upstream of 20 at once, 20 ms each": (
        ["--latency-ms", "20", "--capacity", "20"],
        (20, 40, 80),
    ),
}

# What opens the many connections of an open loop: more than can be answered within a second is
# no use, fewer would make it a closed loop.
_OPEN_CONNECTIONS = 2000


def run(limits: Mapping[str, float] | None = None, nodes: Mapping[str, Any] | None = None) -> None:
    """Print the peak and what is left of it; `limits` and `nodes` are settings to try."""
    allow_many_descriptors(4 * _OPEN_CONNECTIONS)
    print(f"overload: {_FACTOR} times the load that can be carried; useful is a 200 within 1 s")
    for title, (arguments, tried) in _UPSTREAMS.items():
        with _running(arguments, limits or {}, nodes or {}) as (port, authorization):
            _measure(title, port, authorization, tried)


@contextmanager
def _running(
    arguments: list[str], limits: Mapping[str, float], nodes: Mapping[str, Any]
) -> Iterator[tuple[int, str]]:
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        site = Site(Path(name))
        upstream, gateway, admin = (free_port() for _ in range(3))
        log = Path(name) / "log"
        config = site.gateway(gateway, admin, upstream, limits=limits, upstream=nodes)
        for words, cores, port in (
            (["benchmarks.upstream", str(upstream), *arguments], OTHER_CORE, upstream),
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
    return (
        f"{median('useful'):,.0f} useful replies a second"
        f" (p50 {median('p50_ms'):.0f} ms, p99 {median('p99_ms'):.0f} ms){rest}"
    )
