"""What a night brings, under load and counted: a node dies, a worker is killed, a takeover, SIGTERM.

Readers and writers ask without a pause; each request carries a marker that its reply has to repeat,
and the nodes count how often each write arrived. The audit is held against what the clients saw.
"""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from tests.cli.process import Running, running, serving, workers_of
from tests.support.echo import EchoUpstream
from tests.support.load import Counts, Load, reading, writing
from tests.support.site import ucs, write_settings
from tests.support.tokens import bearer

__all__ = ["run"]

_Story = Callable[[Path], Coroutine[None, None, list[str]]]

_CLIENTS = 32  # of each kind
_PHASE_ANSWERS = 10_000
_AUTHORIZATION = bearer(
    roles=("UCS.Customer.readCustomerProfile", "UCS.Customer.updateCustomerProfile")
)


def run() -> None:
    """Print what was counted in each run; exit 1 where a promise was broken."""
    broken = [name for name, story in _STORIES.items() if not _told(name, story)]
    if broken:
        sys.exit(f"failures: a promise was broken in: {', '.join(broken)}")


def _told(name: str, story: _Story) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        faults = uvloop.run(story(Path(folder)))
    print(f"{name}: {'; '.join(faults) if faults else 'every promise kept'}", flush=True)
    return not faults


class _Run:
    """A gateway with two workers, two nodes, readers and writers."""

    def __init__(self, folder: Path, nodes: tuple[EchoUpstream, EchoUpstream]) -> None:
        self.folder = folder
        self.nodes = nodes
        self.reads = Counts()
        self.writes = Counts()

    def settings(self, **listen: str) -> Path:
        upstream = {
            "nodes": [node.url for node in self.nodes],
            "health": {"path": "/", "interval_seconds": 0.2, "fail_after": 1, "pass_after": 1},
        }
        path = write_settings(self.folder, [ucs("", upstream=upstream)])
        settings = json.loads(path.read_text())
        settings["workers"] = 2
        settings["limits"]["shutdown_seconds"] = 10
        settings["listen"] |= {"takeover_socket": str(self.folder / "takeover.sock"), **listen}
        path.write_text(json.dumps(settings))
        return path

    @asynccontextmanager
    async def load(self, gateway: Running) -> AsyncIterator[tuple[Load, Load]]:
        address, _ = await serving(gateway)
        async with (
            Load(address, clients=_CLIENTS, ask=reading(_AUTHORIZATION)) as reads,
            Load(address, clients=_CLIENTS, ask=writing(_AUTHORIZATION)) as writes,
        ):
            self.reads, self.writes = reads.counts, writes.counts
            await _advance(reads, writes)
            yield reads, writes

    async def faults(self, *, lost: int = 0) -> list[str]:
        """What must not have happened, whatever else did; `lost` requests may be unanswered."""
        both = (self.reads, self.writes)
        answered = sum(each.answered for each in both)
        unanswered = sum(each.unanswered + each.broken for each in both)
        lines = [
            json.loads(line) for line in (self.folder / "audit.jsonl").read_text().splitlines()
        ]
        told = sum(line["status"] is not None for line in lines)
        arrived = Counter[bytes]()
        for node in self.nodes:
            arrived += node.bodies
        twice = sum(count > 1 for body, count in arrived.items() if body)
        print(
            f"  reads {_words(self.reads)}; writes {_words(self.writes)}; "
            f"{len(lines):,} audit lines, {told:,} of them with a status"
        )
        checks = {
            "wrong answers": sum(each.wrong + each.stuck for each in both),
            "writes that arrived twice": twice,
            "audit lines told twice": len(lines) - len({line["id"] for line in lines}),
            "answers without a line": max(answered - told, 0),
            "unanswered requests": max(unanswered - lost, 0),
            "reads that failed": self.reads.answered - self.reads.by_status[200],
        }
        return [f"{count} {what}" for what, count in checks.items() if count]


def _words(counts: Counts) -> str:
    statuses = ", ".join(f"{n:,} x {status}" for status, n in sorted(counts.by_status.items()))
    lost = counts.unanswered + counts.broken
    return (
        f"{counts.sent:,} sent, {statuses}, {lost} unanswered, {counts.not_connected} not connected"
    )


async def _advance(*loads: Load) -> None:
    await asyncio.gather(*(load.advance(_PHASE_ANSWERS) for load in loads))


@asynccontextmanager
async def _a_run(folder: Path) -> AsyncIterator[_Run]:
    async with EchoUpstream() as first, EchoUpstream() as second:
        yield _Run(folder, (first, second))


async def _a_node_dies_and_returns(folder: Path) -> list[str]:
    async with _a_run(folder) as night, running("serve", "--config", night.settings()) as gateway:
        first, second = night.nodes
        async with night.load(gateway) as (reads, writes):
            first.die()
            await _advance(reads, writes)
            before = second.requests
            failed = night.writes.answered - night.writes.by_status[200]
            await first.start()
            returned = first.requests
            while first.requests == returned:  # a check finds it, then it is asked again
                await reads.advance(1)
            await _advance(reads, writes)
            await reads.stop()
            await writes.stop()
        gateway.send_signal(signal.SIGTERM)
        await gateway.ended()
        print(
            f"  the other node carried out {before:,}; writes in flight on the dead one: {failed}"
        )
        faults = await night.faults()
        if failed > _CLIENTS:
            faults.append(f"{failed} writes failed, with {_CLIENTS} in flight at most")
        return faults


async def _a_worker_is_killed(folder: Path) -> list[str]:
    async with _a_run(folder) as night, running("serve", "--config", night.settings()) as gateway:
        async with night.load(gateway) as (reads, writes):
            for victim in workers_of(gateway):
                os.kill(victim, signal.SIGKILL)
                await gateway.logged("worker died")
                await _advance(reads, writes)
            await reads.stop()
            await writes.stop()
        gateway.send_signal(signal.SIGTERM)
        await gateway.ended()
        return await night.faults(lost=2 * 2 * _CLIENTS)


async def _a_successor_takes_over(folder: Path) -> list[str]:
    async with _a_run(folder) as night, running("serve", "--config", night.settings()) as old:
        async with night.load(old) as (reads, writes):
            address = f"{reads.address.host}:{reads.address.port}"
            async with running("serve", "--config", night.settings(address=address)) as new:
                await serving(new)
                await old.ended()
                await _advance(reads, writes)
                await reads.stop()
                await writes.stop()
                new.send_signal(signal.SIGTERM)
                await new.ended()
        faults = await night.faults()
        refused = night.reads.not_connected + night.writes.not_connected
        return [*faults, f"{refused} refused connections"] if refused else faults


async def _sigterm(folder: Path) -> list[str]:
    async with _a_run(folder) as night, running("serve", "--config", night.settings()) as gateway:
        async with night.load(gateway) as (reads, writes):
            loop = asyncio.get_running_loop()
            begun = loop.time()
            gateway.send_signal(signal.SIGTERM)
            status = await gateway.ended()
            print(f"  ended with status {status} after {loop.time() - begun:.1f} s")
            await reads.stop()
            await writes.stop()
        return await night.faults()


_STORIES: dict[str, _Story] = {
    "a node dies and returns": _a_node_dies_and_returns,
    "each worker is killed": _a_worker_is_killed,
    "a successor takes over": _a_successor_takes_over,
    "SIGTERM": _sigterm,
}
