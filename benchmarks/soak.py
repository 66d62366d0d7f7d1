"""Minutes of everything at once: honest and hostile clients, reloads, a node that comes and goes.

Honest clients read, write, upload and download a quarter of a megabyte, and ask for what they may
not have. Beside them hostile ones (`benchmarks.hostile`); the audit file is rotated and SIGHUP
sent every few seconds; the upstream dies and comes back. It passes when nothing has grown and
nothing is held, no honest client got anything but its own answer, and the audit has a line for
each of their requests. Works for one process as for a tree of workers.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop

from benchmarks.hostile import FILLING, Hostile
from benchmarks.process_tree import samples_of
from benchmarks.processes import GATEWAY_CORE, OTHER_CORE, allow_many_descriptors, free_port, pinned
from benchmarks.site import Site
from benchmarks.soak_verdict import Findings, verdict
from gateway.settings import Address
from gateway.tasks import Tasks
from tests.support.echo import EchoUpstream, answer_to
from tests.support.load import Ask, Load, reading, writing
from tests.support.raw import RawClient, request

__all__ = ["run"]

_HONEST_CLIENTS = 8  # of each kind
_KINDS = 4
_HOSTILE_CLIENTS = 40
_UPLOAD_BYTES = 256 * 1024
_SAMPLE_SECONDS = 2.0
_RELOAD_SECONDS = 5.0
_NODE_DIES_EVERY_SECONDS, _NODE_IS_DEAD_SECONDS = 20.0, 1.0
_QUIET_SECONDS = 20.0


def _uploading(authorization: bytes) -> Ask:
    def ask(marker: str) -> tuple[bytes, bytes]:
        body = marker.encode().ljust(_UPLOAD_BYTES, b".")
        whole = request("POST", "/profiles/import", authorization=authorization, body=body)
        return whole, answer_to(b"import", body)

    return ask


def run(minutes: float) -> None:
    """Print what was seen and each criterion; exit 1 when one is not met."""
    allow_many_descriptors(4096)
    os.sched_setaffinity(0, OTHER_CORE)
    with tempfile.TemporaryDirectory() as name:
        if not uvloop.run(_soak(Path(name), minutes * 60)):
            sys.exit(1)


async def _soak(folder: Path, seconds: float) -> bool:
    site = Site(folder)
    gateway, admin = Address("127.0.0.1", free_port()), Address("127.0.0.1", free_port())
    found = Findings(clients=_HONEST_CLIENTS * _KINDS)
    async with AsyncExitStack() as running:
        upstream = await running.enter_async_context(EchoUpstream())
        config = site.gateway(
            gateway.port, admin.port, upstream.port, limits={"body_idle_timeout_seconds": 5}
        )
        command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(config)]
        serving = pinned(command, cores=GATEWAY_CORE, port=gateway.port, log=folder / "log")
        pid = await asyncio.to_thread(running.enter_context, serving)
        loads = await _load(site, gateway, running)
        await asyncio.gather(*(load.reach(50) for load in loads.values()))
        found.before = samples_of(pid)
        await _disturb(site, gateway, pid, upstream, seconds, found)
        found.counts = {name: await load.stop() for name, load in loads.items()}
        found.held = await _until_quiet(admin)
        found.after = samples_of(pid)
        found.writes_twice = sum(
            times > 1 for body, times in upstream.bodies.items() if not body.startswith(FILLING)
        )
    found.read(folder)
    return verdict(found)


async def _load(site: Site, address: Address, running: AsyncExitStack) -> dict[str, Load]:
    may, may_not = (f"Bearer {site.token(name)}".encode() for name in ("olga", "mona"))
    kinds = {
        "GET": reading(may),
        "PUT": writing(may),
        "upload": _uploading(may),
        "denied": reading(may_not),
    }
    return {
        name: await running.enter_async_context(Load(address, clients=_HONEST_CLIENTS, ask=ask))
        for name, ask in kinds.items()
    }


async def _disturb(
    site: Site, address: Address, pid: int, upstream: EchoUpstream, seconds: float, found: Findings
) -> None:
    """Hostile clients, reloads and deaths, and a sample now and then, for so long."""

    async def samples() -> None:
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            found.take(samples_of(pid))

    async def reloads() -> None:
        while True:
            await asyncio.sleep(_RELOAD_SECONDS)
            found.reloads += 1
            (site.folder / "audit.jsonl").rename(site.folder / f"audit-{found.reloads}.jsonl")
            os.kill(pid, signal.SIGHUP)

    async def deaths() -> None:
        while True:
            await asyncio.sleep(_NODE_DIES_EVERY_SECONDS)
            upstream.die()
            found.deaths += 1
            await asyncio.sleep(_NODE_IS_DEAD_SECONDS)
            await upstream.start()

    disturbing = Tasks("soak")
    authorization = f"Bearer {site.token()}"
    for number in range(_HOSTILE_CLIENTS):
        hostile = Hostile(address, authorization, number)
        disturbing.start(hostile.rage(), name=f"hostile-{number}")
    for each in (samples(), reloads(), deaths()):
        disturbing.start(each, name=each.__name__)
    await asyncio.sleep(seconds)
    await disturbing.close()
    if not upstream.listens:
        await upstream.start()


async def _until_quiet(admin: Address) -> Counter[str]:
    """Connections held once nobody is there any more, as the metrics say."""
    deadline = asyncio.get_running_loop().time() + _QUIET_SECONDS
    while True:
        held = await _held(admin)
        if not (held["client"] or held["busy"]) or asyncio.get_running_loop().time() > deadline:
            return held
        await asyncio.sleep(0.5)


async def _held(admin: Address) -> Counter[str]:
    probe = await RawClient.connect(admin)
    await probe.send(request("GET", "/metrics"))
    text = (await probe.reply()).body.decode()
    await probe.close()
    held: Counter[str] = Counter()
    for name, state, value in re.findall(
        r'^gateway_(upstream_)?connections(?:\{.*?state="(\w+)".*\}|\{.*\})? ([0-9.]+)$',
        text,
        re.MULTILINE,
    ):
        held[state if name else "client"] += int(float(value))
    return held
