"""`serve` with several workers, as an operator's worst night: kills, drains, takeovers, reloads.

Every test counts under load: what was sent, what was answered, and one audit line for each.
"""

import asyncio
import json
import os
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import Exit
from gateway.settings import Address
from tests.cli.process import children_of, running, serving, workers_of
from tests.support.echo import EchoUpstream
from tests.support.load import Counts, Load, reading, writing
from tests.support.raw import RawClient, request
from tests.support.site import ucs, write_settings
from tests.support.tokens import bearer

READ = "UCS.Customer.readCustomerProfile"
WRITE = "UCS.Customer.updateCustomerProfile"
AUTHORIZATION = bearer(roles=(READ, WRITE))
CLIENTS = 16


@pytest.fixture
async def upstream() -> AsyncIterator[EchoUpstream]:
    async with EchoUpstream() as echo:
        yield echo


def settings_in(folder: Path, upstream: str, /, **changes: Any) -> Path:
    path = write_settings(folder, [ucs(upstream)], limits={"shutdown_seconds": 10})
    settings = json.loads(path.read_text()) | {"workers": 2}
    for section, value in changes.items():
        settings[section] = settings.get(section, {}) | value if isinstance(value, dict) else value
    path.write_text(json.dumps(settings))
    return path


def audit_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]


def check_nothing_lost(counts: Counts, folder: Path) -> None:
    """Whoever sent a request was answered, and every answer has its line."""
    assert (counts.wrong, counts.unanswered_at_once, counts.broken, counts.stuck) == (0, 0, 0, 0)
    lines = audit_of(folder)
    assert len({line["id"] for line in lines}) == len(lines)
    answered = Counter(line["status"] for line in lines if line["status"] is not None)
    assert sum(answered.values()) == counts.answered


async def admin_json(address: Address, path: str) -> tuple[int, Any]:
    client = await RawClient.connect(address)
    await client.send(request("GET", path))
    reply = await client.reply()
    await client.close()
    return reply.status, json.loads(reply.body)


async def scraped(address: Address) -> str:
    client = await RawClient.connect(address)
    await client.send(request("GET", "/metrics"))
    reply = await client.reply()
    await client.close()
    return reply.body.decode()


async def test_all_workers_serve_one_port_and_one_scrape_sums_them_up(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, admin = await serving(gateway)
        async with Load(address, clients=CLIENTS, ask=reading(AUTHORIZATION)) as load:
            await load.reach(200)
            counts = await load.stop()
        text = await scraped(admin)
        status, ready = await admin_json(admin, "/readyz")
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES

    (line,) = [
        each
        for each in text.splitlines()
        if each.startswith("gateway_decisions_total{") and 'reason="permitted"' in each
    ]
    assert float(line.rsplit(" ", 1)[1]) == counts.answered
    assert 'gateway_workers{state="serving"} 2.0' in text
    assert (status, ready["checks"]["workers"]["detail"]) == (200, "2 of 2 serving")
    check_nothing_lost(counts, tmp_path)


async def test_on_sigterm_under_load_every_request_is_answered_and_recorded(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        async with Load(address, clients=CLIENTS, ask=reading(AUTHORIZATION)) as load:
            await load.reach(300)
            gateway.send_signal(signal.SIGTERM)
            assert await gateway.ended() == Exit.YES
            counts = await load.stop()

    check_nothing_lost(counts, tmp_path)
    assert counts.unanswered == 0
    assert set(counts.by_status) == {200}


async def test_a_killed_worker_is_replaced_and_the_others_go_on(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, admin = await serving(gateway)
        async with Load(address, clients=CLIENTS, ask=reading(AUTHORIZATION)) as load:
            await load.reach(200)
            victim = workers_of(gateway)[0]
            os.kill(victim, signal.SIGKILL)
            entry = await gateway.logged("worker died")
            await load.advance(200)
            counts = await load.stop()
        text = await scraped(admin)
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES

    assert entry["pid"] == victim
    assert entry["how"] == "killed by SIGKILL"
    assert "gateway_worker_deaths_total 1.0" in text
    assert counts.wrong == 0
    assert set(counts.by_status) == {200}
    lost = counts.unanswered + counts.broken
    assert lost <= CLIENTS  # what was in flight on the victim
    lines = audit_of(tmp_path)
    assert len({line["id"] for line in lines}) == len(lines)
    assert sum(line["status"] == 200 for line in lines) >= counts.answered
    assert len(lines) <= counts.sent


async def test_a_second_gateway_takes_over_without_a_refused_connection(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    listen = {"takeover_socket": str(tmp_path / "takeover.sock")}
    config = settings_in(tmp_path, upstream.url, listen=listen)
    async with running("serve", "--config", config) as old:
        address, admin = await serving(old)
        fixed = settings_in(
            tmp_path,
            upstream.url,
            listen=listen | {"address": str(address)},
            admin={"address": str(admin)},
        )
        async with Load(address, clients=CLIENTS, ask=writing(AUTHORIZATION)) as load:
            await load.reach(200)
            async with running("serve", "--config", fixed) as new:
                assert (await serving(new))[0] == address
                assert await old.ended() == Exit.YES
                await load.advance(200)
                counts = await load.stop()
                status, _ = await admin_json(admin, "/readyz")
                new.send_signal(signal.SIGTERM)
                assert await new.ended() == Exit.YES

    assert status == 200
    assert counts.not_connected == 0
    assert counts.unanswered == 0
    assert max(upstream.bodies.values()) == 1  # no write arrived twice
    check_nothing_lost(counts, tmp_path)


async def test_without_a_takeover_socket_a_second_gateway_does_not_start(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        config = settings_in(tmp_path, upstream.url, listen={"address": str(address)})
        async with running("serve", "--config", config) as second:
            assert await second.ended() == Exit.COULD_NOT


async def test_sighup_takes_over_a_changed_policy_and_keeps_the_last_good_one(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    policy = tmp_path / "policy" / "policy.yaml"
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, admin = await serving(gateway)
        good = policy.read_text()

        async def asked() -> set[int]:
            async with Load(address, clients=4, ask=reading(AUTHORIZATION)) as load:
                await load.reach(40)
                return set((await load.stop()).by_status)

        assert await asked() == {200}
        policy.write_text(json.dumps({"roles": {"nobody": {"permissions": [READ]}}}))
        gateway.send_signal(signal.SIGHUP)
        await gateway.logged("reloaded")
        assert await asked() == {403}

        policy.write_text("roles: {broken")
        gateway.send_signal(signal.SIGHUP)
        entry = await gateway.logged("policy change refused, everything stays as it was")
        assert "policy.yaml" in entry["why"]
        assert await asked() == {403}
        status, ready = await admin_json(admin, "/readyz")
        assert status == 200
        assert "the last reload was refused" in ready["checks"]["policy"]["detail"]

        os.kill(workers_of(gateway)[0], signal.SIGKILL)  # its successor knows the good policy
        await gateway.logged("worker died")
        assert await asked() == {403}

        policy.write_text(good)
        gateway.send_signal(signal.SIGHUP)
        await gateway.logged("reloaded")
        assert await asked() == {200}
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES


async def test_when_the_supervisor_is_killed_its_workers_finish_and_leave(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        workers = workers_of(gateway)
        assert len(workers) == 2
        async with Load(address, clients=4, ask=reading(AUTHORIZATION)) as load:
            await load.reach(40)
            gateway.send_signal(signal.SIGKILL)
            await load.until(lambda counts: counts.not_connected > 0)
            counts = await load.stop()
        assert (counts.wrong, counts.broken) == (0, 0)
        async with asyncio.timeout(30):
            for pid in workers:
                await gone(pid)


async def gone(pid: int) -> None:
    """Until the process has ended, whoever its parent is now."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(descriptor, ended.set)
    await ended.wait()
    loop.remove_reader(descriptor)
    os.close(descriptor)


async def test_it_serves_on_a_unix_socket(upstream: EchoUpstream, tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    config = settings_in(tmp_path, upstream.url, listen={"address": f"unix:{path}"})
    async with running("serve", "--config", config) as gateway:
        entry = await gateway.logged("serving")
        assert entry["address"] == f"unix:{path}"
        client = RawClient(*await asyncio.open_unix_connection(path))
        await client.send(request("GET", "/profiles/x", authorization=AUTHORIZATION))
        assert (await client.reply()).status == 200
        await client.close()
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES
    (line,) = audit_of(tmp_path)
    assert line["peer"] == "local"


async def test_it_serves_on_the_socket_that_systemd_opened(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    config = settings_in(tmp_path, upstream.url, listen={"address": "systemd"})
    with socket.create_server(("127.0.0.1", 0)) as activated:
        port = activated.getsockname()[1]
        async with running("serve", "--config", config, activated=activated) as gateway:
            await gateway.logged("serving")
            async with Load(
                Address("127.0.0.1", port), clients=4, ask=reading(AUTHORIZATION)
            ) as load:
                await load.reach(40)
                counts = await load.stop()
            gateway.send_signal(signal.SIGTERM)
            assert await gateway.ended() == Exit.YES
    check_nothing_lost(counts, tmp_path)


async def test_systemd_hears_when_it_serves_and_when_it_stops(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    path = tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.setblocking(False)
        loop = asyncio.get_running_loop()
        config = settings_in(tmp_path, upstream.url)
        environ = {"NOTIFY_SOCKET": str(path)}
        async with running("serve", "--config", config, environ=environ) as gateway:
            async with asyncio.timeout(60):
                assert await loop.sock_recv(manager, 100) == b"READY=1"
                gateway.send_signal(signal.SIGTERM)
                assert await loop.sock_recv(manager, 100) == b"STOPPING=1"
            assert await gateway.ended() == Exit.YES


async def test_sighup_reopens_the_audit_file_whatever_has_become_of_the_policy(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    audit, rotated = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        async with Load(address, clients=CLIENTS, ask=reading(AUTHORIZATION)) as load:
            await load.reach(200)
            (tmp_path / "policy" / "policy.yaml").write_text("roles: {broken")
            audit.rename(rotated)
            gateway.send_signal(signal.SIGHUP)
            for _ in range(2):
                await gateway.logged("audit file reopened")  # each worker says so
            before = rotated.read_bytes()
            await load.advance(200)
            counts = await load.stop()
        gateway.send_signal(signal.SIGTERM)
        assert await gateway.ended() == Exit.YES

    assert rotated.read_bytes() == before
    audit.write_bytes(before + audit.read_bytes())
    check_nothing_lost(counts, tmp_path)


async def test_sigterm_to_every_process_loses_nothing(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        async with Load(address, clients=CLIENTS, ask=reading(AUTHORIZATION)) as load:
            await load.reach(200)
            for pid in (*children_of(gateway.pid), gateway.pid):
                os.kill(pid, signal.SIGTERM)
            gateway.send_signal(signal.SIGTERM)  # some send it twice
            assert await gateway.ended() == Exit.YES
            counts = await load.stop()

    check_nothing_lost(counts, tmp_path)
    assert set(counts.by_status) == {200}


async def test_without_nursery_and_workers_it_ends_with_an_error(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    config = settings_in(tmp_path, upstream.url, workers=1)
    async with running("serve", "--config", config) as gateway:
        address, admin = await serving(gateway)
        nursery, worker = children_of(gateway.pid)
        os.kill(nursery, signal.SIGKILL)
        await gateway.logged("the nursery is gone: workers that die cannot be replaced")
        async with Load(address, clients=4, ask=reading(AUTHORIZATION)) as load:
            await load.reach(40)  # what is there goes on
            assert set((await load.stop()).by_status) == {200}
        status, ready = await admin_json(admin, "/readyz")
        assert status == 200
        assert "cannot be replaced" in ready["checks"]["workers"]["detail"]
        os.kill(worker, signal.SIGKILL)
        assert await gateway.ended() == Exit.COULD_NOT


async def test_a_successor_that_cannot_start_or_is_told_to_end_changes_nothing(
    upstream: EchoUpstream, tmp_path: Path
) -> None:
    listen = {"takeover_socket": str(tmp_path / "takeover.sock")}
    config = settings_in(tmp_path, upstream.url, listen=listen)
    async with running("serve", "--config", config) as old:
        address, admin = await serving(old)
        fixed = {
            "listen": listen | {"address": str(address)},
            "admin": {"address": str(admin)},
        }
        async with Load(address, clients=CLIENTS, ask=reading(AUTHORIZATION)) as load:
            await load.reach(100)
            nowhere = tmp_path / "dangling.jsonl"
            nowhere.symlink_to(tmp_path / "not-mounted" / "audit.jsonl")
            broken = settings_in(tmp_path, upstream.url, audit={"file": str(nowhere)}, **fixed)
            async with running("serve", "--config", broken) as new:
                await old.logged("listening sockets handed over")
                assert await new.ended() == Exit.COULD_NOT

            slow = tmp_path / "nobody-reads.jsonl"
            os.mkfifo(slow)  # a worker waits for a reader before it serves
            waiting = settings_in(tmp_path, upstream.url, audit={"file": str(slow)}, **fixed)
            async with running("serve", "--config", waiting) as new:
                while len(children_of(new.pid)) < 3:  # a nursery and two workers
                    await asyncio.to_thread(os.sched_yield)
                new.send_signal(signal.SIGTERM)
                await new.logged("told to end before it served")
                reader = os.open(slow, os.O_RDONLY | os.O_NONBLOCK)
                assert await new.ended() == Exit.YES
                os.close(reader)

            await load.advance(100)
            counts = await load.stop()
        old.send_signal(signal.SIGTERM)
        assert await old.ended() == Exit.YES
    assert counts.not_connected == 0
    check_nothing_lost(counts, tmp_path)
