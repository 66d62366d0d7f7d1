"""Reloads under load: memory after a thousand, and p99 while a large policy is compiled.

    python -m benchmarks reloads

First 1,000 changes of the shipped policy, one after the other, each taken by two workers that
serve all the while: memory must be flat, and every audit line must fit the version that it names.
Then a policy of 10,000 operations, 10,000 roles and 100,000 users is changed twice: p99 of requests
before, and from the change of the file to the last worker that decides by it.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import uvloop

from benchmarks.decision import texts_of
from benchmarks.processes import free_port, pinned, rss_mib
from benchmarks.site import Site
from gateway.settings import Address
from tests.support.echo import EchoUpstream
from tests.support.load import Load, reading
from tests.support.raw import RawClient, request

__all__ = ["run"]

_CHANGES = 1_000
_CLIENTS = 8
_MEASURED_SECONDS = 10.0
_PAUSE_SECONDS = 0.005  # between two requests of one client: some load, and no queue of our own
_GROWTH_MIB = 24.0
_REQUESTS_PER_CONNECTION = 500  # the gateway ends one after a thousand
_TOKEN = "a-token-of-the-bench"


def run() -> None:
    """Print what was measured; exit 1 if memory grows or a request was decided by a mixture."""
    with tempfile.TemporaryDirectory() as name:
        sound = uvloop.run(_thousand(Path(name)))
    with tempfile.TemporaryDirectory() as name:
        uvloop.run(_large(Path(name)))
    if not sound:
        sys.exit(1)


def _below(pid: int) -> Iterator[int]:
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        yield from _below(int(child))


def _whole_mib(pid: int) -> float:
    return sum(map(rss_mib, (pid, *_below(pid))))


async def _reload(admin: Address) -> None:
    """Until every worker has taken what the files say."""
    call = urllib.request.Request(
        f"http://{admin}/api/policy/reload",
        method="POST",
        headers={"Authorization": f"Bearer {_TOKEN}"},
    )

    def asked() -> str:
        with urllib.request.urlopen(call, timeout=600) as reply:
            return str(json.load(reply)["outcome"])

    if (outcome := await asyncio.to_thread(asked)) != "taken":
        sys.exit(f"the change was not taken: {outcome}")


def _settings(
    site: Site, upstream: int, policy: Path, catalogue: Path | None
) -> tuple[Path, Address, Address]:
    gateway, admin = Address("127.0.0.1", free_port()), Address("127.0.0.1", free_port())
    config = site.gateway(gateway.port, admin.port, upstream)
    (site.folder / "token").write_text(_TOKEN)
    text = config.read_text()
    text = text.replace(
        f"admin: {{address: {admin}}}", f"admin: {{address: {admin}, token_file: token}}"
    )
    text = text.replace("policy: ", f"policy: {policy} #")
    if catalogue is not None:
        begin, end = text.index("    catalogue:"), text.index("    upstream:")
        text = text[:begin] + f"    catalogue: {catalogue}\n" + text[end:]
        begin, end = text.index("  - name: gms"), text.index("policy: ")
        text = text[:begin] + text[end:]
    config.write_text(text + "workers: 2\nreload: {watch: false}\n")
    return config, gateway, admin


async def _thousand(folder: Path) -> bool:
    site = Site(folder)
    policy = folder / "policy"
    policy.mkdir()
    roles = (
        "roles: {all: {permissions: [UCS.Customer.readCustomerProfile]}, none: {permissions: []}}\n"
    )

    def write(number: int) -> None:
        which = ("all", "none")[number % 2]
        (policy / "p.yaml").write_text(
            f"{roles}users: {{olga: {{roles: [{which}]}}, u{number}: {{}}}}\n"
        )

    write(0)
    samples = []
    async with EchoUpstream() as upstream:
        config, gateway, admin = _settings(site, upstream.port, policy, None)
        command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(config)]
        cores = set(os.sched_getaffinity(0))
        with pinned(command, cores=cores, port=gateway.port, log=folder / "log") as pid:
            ask = reading(f"Bearer {site.token()}".encode())
            async with Load(gateway, clients=_CLIENTS, ask=ask) as load:
                for number in range(1, _CHANGES + 1):
                    write(number)
                    await _reload(admin)
                    if number % 100 == 0:
                        samples.append(_whole_mib(pid))
                        print(f"  {number:>5,} changes: {samples[-1]:.0f} MiB", file=sys.stderr)
                counts = await load.stop()
    effects: dict[str, set[str]] = {}
    for line in (folder / "audit.jsonl").read_text().splitlines():
        record = json.loads(line)
        effects.setdefault(record["policy"], set()).add(record["effect"])
    mixed = sum(len(each) > 1 for each in effects.values())
    grown = samples[-1] - samples[1]
    print(
        f"reloads: {_CHANGES:,} changes under load, {counts.answered:,} requests by"
        f" {len(effects):,} versions, {mixed} mixed; memory of all processes"
        f" {samples[1]:.0f} MiB after 200, {samples[-1]:.0f} MiB at the end"
    )
    return not mixed and counts.wrong == 0 and grown < _GROWTH_MIB


async def _large(folder: Path) -> None:
    site = Site(folder)
    policy = folder / "policy"
    policy.mkdir()
    catalogue, roles = texts_of(10_000, 10_000, 10_000, users=100_000)
    (folder / "big.yaml").write_text(catalogue)
    (policy / "p.yaml").write_text(f"{roles}\n  olga: {{roles: [everything]}}\n")
    async with EchoUpstream() as upstream:
        config, gateway, admin = _settings(site, upstream.port, policy, folder / "big.yaml")
        command = [sys.executable, "-m", "gateway.cli", "serve", "--config", str(config)]
        cores = set(os.sched_getaffinity(0))
        with pinned(
            command, cores=cores, port=gateway.port, log=folder / "log", patience_seconds=200
        ) as pid:
            authorization = f"Bearer {site.token()}".encode()
            quiet = await _times(gateway, authorization, asyncio.sleep(_MEASURED_SECONDS))
            for number in range(3):
                with (policy / "p.yaml").open("a") as file:
                    file.write(f"  extra{number}: {{roles: [everything]}}\n")
                begun = time.perf_counter()
                during = await _times(gateway, authorization, _reload(admin))
                took = time.perf_counter() - begun
                print(
                    f"reloads: 10,000 operations and roles, 100,000 users: taken in {took:.1f} s;"
                    f" p50 {_at(quiet, 0.5):.1f} ms quiet, {_at(during, 0.5):.1f} ms during;"
                    f" p99 {_at(quiet, 0.99):.1f} ms quiet, {_at(during, 0.99):.1f} ms during;"
                    f" worst {quiet[-1]:.0f} and {during[-1]:.0f} ms; {_whole_mib(pid):.0f} MiB"
                )


async def _times(address: Address, authorization: bytes, until: object) -> list[float]:
    """Milliseconds of every request while `until` runs, sorted."""
    taken: list[float] = []
    ended = False

    async def client() -> None:
        connected: list[None] = []
        connection = await RawClient.connect(address)
        while not ended:
            if len(connected) % _REQUESTS_PER_CONNECTION == 0:
                await connection.close()
                connection = await RawClient.connect(address)
            connected.append(None)
            begun = time.perf_counter()
            await connection.send(request("GET", "/area1/things1/7", authorization=authorization))
            await connection.reply()
            taken.append(1000 * (time.perf_counter() - begun))
            await asyncio.sleep(_PAUSE_SECONDS)
        await connection.close()

    async def wait() -> None:
        nonlocal ended
        try:
            await until  # type: ignore[misc]
        finally:
            ended = True

    async with asyncio.TaskGroup() as group:
        group.create_task(wait())
        for _ in range(_CLIENTS):
            group.create_task(client())
    return sorted(taken)


def _at(times: list[float], share: float) -> float:
    return times[int(share * (len(times) - 1))]
