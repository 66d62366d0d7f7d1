"""Small allowed GETs with a JWT, through everything, beside a plain aiohttp proxy and nginx.

Each contestant has one core; the load (wrk, 64 connections) and the upstream (nginx) share the
other. The contestants take turns, and the ratios are of medians over the rounds.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.processes import GATEWAY_CORE, OTHER_CORE, free_port, missing_tools, pinned
from benchmarks.site import Site

__all__ = ["run"]

_ROUNDS = 3
_SECONDS = 4

# Every request with another trace id: no header section repeats another.
_VARIED = """
local n = 0
request = function()
  n = n + 1
  wrk.headers["traceparent"] = string.format("00-%032x-%016x-01", n, n)
  return wrk.format(nil)
end
"""


def _load(port: int, token: str, script: Path | None) -> float:
    command = [
        "taskset", "-c", str(next(iter(OTHER_CORE))),
        "wrk", "-t1", "-c64", f"-d{_SECONDS}s", "-H", f"Authorization: Bearer {token}",
        *(["-s", str(script)] if script else []),
        f"http://127.0.0.1:{port}/profiles/0004Va58A92T0017",
    ]  # fmt: skip
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"the load met errors:\n{output}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    assert found, output
    return float(found.group(1))


def run() -> None:
    """Print requests per second of each contestant, and the ratios."""
    if missing := missing_tools("nginx", "wrk", "taskset"):
        print(f"throughput: skipped, not installed: {', '.join(missing)}")
        return
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        site = Site(Path(name))
        upstream, gateway, admin, plain, nginx = (free_port() for _ in range(5))
        varied = Path(name) / "varied.lua"
        varied.write_text(_VARIED)
        token = site.token()
        log = Path(name) / "log"
        start = [
            (site.nginx(upstream), OTHER_CORE, upstream),
            ([sys.executable, "-m", "gateway.cli", "serve", "--config",
              str(site.gateway(gateway, admin, upstream))], GATEWAY_CORE, gateway),
            ([sys.executable, "-m", "benchmarks.plain_proxy", str(plain),
              f"http://127.0.0.1:{upstream}"], GATEWAY_CORE, plain),
            (site.nginx(nginx, upstream), GATEWAY_CORE, nginx),
        ]  # fmt: skip
        for command, cores, port in start:
            running.enter_context(pinned(command, cores=cores, port=port, log=log))
        contestants = {
            "nginx, plain reverse proxy": (nginx, None),
            "aiohttp, plain proxy": (plain, None),
            "ucs-gateway": (gateway, None),
            "ucs-gateway, no two heads alike": (gateway, varied),
            "aiohttp, no two heads alike": (plain, varied),
        }
        results: dict[str, list[float]] = {title: [] for title in contestants}
        for _ in range(_ROUNDS):
            for title, (port, script) in contestants.items():
                results[title].append(_load(port, token, script))
    medians = {title: statistics.median(values) for title, values in results.items()}
    base = medians["aiohttp, plain proxy"]
    print(f"throughput: GET with a JWT, 64 connections, median of {_ROUNDS} x {_SECONDS} s")
    for title, value in medians.items():
        spread = f"{min(results[title]):,.0f}-{max(results[title]):,.0f}"
        print(f"  {title:34} {value:9,.0f} req/s  ({spread})  {value / base:5.2f} x aiohttp")
