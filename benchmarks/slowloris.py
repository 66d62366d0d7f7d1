"""Whether 5,000 clients that send a byte every few seconds slow honest ones down.

Most drip the bytes of a header section, some the bytes of a body: of one that is read before the
decision, and of one that is streamed to the upstream. Whoever is refused for its slowness or cut
off comes back at once. Honest clients ask at a fixed rate far below what the gateway can carry.

On two cores the slow clients share one with the honest ones and the upstream, and are in their way
there whomever they connect to. So they first go to an nginx with the same time limits, on the
gateway's core, and then to the gateway: the difference is the gateway's doing. Bound for p99:
twice as long.
"""

import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.generator import Report, command
from benchmarks.process_tree import worker_of
from benchmarks.processes import (
    GATEWAY_CORE,
    OTHER_CORE,
    allow_many_descriptors,
    free_port,
    pinned,
    result_of,
    rss_mib,
)
from benchmarks.site import Site

__all__ = ["AIM_FACTOR", "run"]

AIM_FACTOR = 2.0
_HOSTILE = 5_000
_ROUNDS = 3
_SECONDS = 8
_RATE = 500
_CONNECTIONS = 50
_QUIET, _ELSEWHERE, _HERE = "without them", "with them at nginx", "with them at the gateway"
_SETTLE_SECONDS = 12  # beyond header_timeout_seconds, so that the coming and going has begun


def run() -> None:
    """Print p50 and p99 of honest clients with and without the slow ones, and the factor."""
    allow_many_descriptors(3 * _HOSTILE)
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        site = Site(Path(name))
        upstream, gateway, admin = (free_port() for _ in range(3))
        log = Path(name) / "log"
        running.enter_context(
            pinned([sys.executable, "-m", "benchmarks.upstream", str(upstream)],
                   cores=OTHER_CORE, port=upstream, log=log)
        )  # fmt: skip
        pid = running.enter_context(
            pinned([sys.executable, "-m", "gateway.cli", "serve", "--config",
                    str(site.gateway(gateway, admin, upstream))],
                   cores=GATEWAY_CORE, port=gateway, log=log)
        )  # fmt: skip
        authorization = f"Bearer {site.token()}"
        honest = command(
            gateway, authorization, connections=_CONNECTIONS, rate=_RATE, seconds=_SECONDS
        )
        elsewhere = free_port()
        running.enter_context(
            pinned(site.nginx(elsewhere, upstream), cores=GATEWAY_CORE, port=elsewhere, log=log)
        )
        rounds: dict[str, list[Report]] = {_QUIET: [], _ELSEWHERE: [], _HERE: []}
        memory = 0.0
        for _ in range(_ROUNDS):
            rounds[_QUIET].append(Report(**result_of(honest, cores=OTHER_CORE)))
            for where, port in ((_ELSEWHERE, elsewhere), (_HERE, gateway)):
                signal = free_port()
                slow = [sys.executable, "-m", "benchmarks.slow_clients", str(port), str(signal),
                        "--authorization", authorization, "--clients", str(_HOSTILE)]  # fmt: skip
                with pinned(slow, cores=OTHER_CORE, port=signal, log=log):
                    time.sleep(_SETTLE_SECONDS)
                    rounds[where].append(Report(**result_of(honest, cores=OTHER_CORE)))
                    memory = rss_mib(worker_of(pid))
        _print(rounds, memory)


def _print(rounds: dict[str, list[Report]], memory_mib: float) -> None:
    print(
        f"slowloris: {_HOSTILE:,} slow clients; honest ones at {_RATE} requests a second, "
        f"medians of {_ROUNDS} x {_SECONDS} s"
    )
    p99 = {}
    for name, reports in rounds.items():
        p50, p99[name] = (
            statistics.median(getattr(report, part) for report in reports)
            for part in ("p50_ms", "p99_ms")
        )
        spread = ", ".join(f"{report.p99_ms:.2f}" for report in reports)
        lag = max(report.lag_ms for report in reports)
        lost = sum(report.sent - report.useful + report.not_sent for report in reports)
        print(
            f"  {name}: p50 {p50:.2f} ms, "
            f"p99 {p99[name]:.2f} ms ({spread}), not answered in time: {lost:.0f}"
            f"; the generator itself was late by up to {lag:.1f} ms"
        )
    print(f"  p99 with them at the gateway / without them: {p99[_HERE] / p99[_QUIET]:.2f}")
    factor = p99[_HERE] / p99[_ELSEWHERE]
    print(f"  p99 with them at the gateway / at nginx: {factor:.2f} (aim: {AIM_FACTOR:g} or less)")
    print(f"  worker with them: {memory_mib:.1f} MiB")
