"""`serve` as an operator meets it: a process that starts or says why not, and ends in order."""

import asyncio
import json
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.output import Exit
from gateway.settings import Address
from tests.cases.test_broken_sample import FOLDER as BROKEN
from tests.cli.conftest import Ask
from tests.cli.process import ended, running, serving
from tests.support.raw import RawClient, request
from tests.support.site import ucs, write_settings
from tests.support.tokens import bearer
from tests.support.upstream import OK, Conversation, RecordingUpstream, recording_upstream

READER = bearer(roles=("UCS.Customer.readCustomerProfile",))
ALLOWED = request("GET", "/profiles/0004Va58A92T0017", authorization=READER)
SLOW = request("GET", "/profiles/slow", authorization=READER)
DENIED = request("DELETE", "/profiles/0004Va58A92T0017", authorization=READER)


@pytest.fixture
async def upstream() -> AsyncIterator[RecordingUpstream]:
    async with recording_upstream() as recording:
        yield recording


def settings_in(folder: Path, upstream: str = "http://127.0.0.1:1", /, **changes: Any) -> Path:
    """Settings that name their addresses; a section of `changes` is added to the one there is."""
    path = write_settings(folder, [ucs(upstream)], limits={"shutdown_seconds": 60})
    settings = json.loads(path.read_text())
    for section, keys in changes.items():
        settings[section] = settings[section] | keys
    path.write_text(json.dumps(settings))
    return path


def lines_of(audit: Path) -> list[dict[str, Any]]:
    text = audit.read_text()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


@asynccontextmanager
async def connected(address: Address) -> AsyncIterator[RawClient]:
    client = await RawClient.connect(address)
    try:
        yield client
    finally:
        await client.close()


async def statuses(client: RawClient, *requests: bytes) -> list[int]:
    found = []
    for each in requests:
        await client.send(each)
        found.append((await client.reply()).status)
    return found


async def test_it_serves_until_ctrl_c(upstream: RecordingUpstream, tmp_path: Path) -> None:
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, admin = await serving(gateway)
        async with connected(address) as client, connected(admin) as probe:
            assert await statuses(client, ALLOWED, DENIED) == [200, 403]
            assert await statuses(probe, request("GET", "/readyz")) == [200]
            assert len(upstream.requests) == 1
            gateway.send_signal(signal.SIGINT)
            assert await gateway.ended() == Exit.YES


async def test_on_sigterm_an_exchange_in_flight_ends_and_no_audit_line_is_lost(
    upstream: RecordingUpstream, tmp_path: Path
) -> None:
    go_on = asyncio.Event()

    async def hesitate(conversation: Conversation) -> None:
        while whole := await conversation.request():
            if b"/slow" not in whole:
                await conversation.answer(OK)
                continue
            await conversation.answer(OK[:-2])
            await go_on.wait()
            await conversation.answer(OK[-2:])

    upstream.script = hesitate
    # A minute: what is in the file before that was written because the gateway ended.
    config = settings_in(tmp_path, upstream.url, audit={"flush_seconds": 60})
    async with running("serve", "--config", config) as gateway:
        address, _ = await serving(gateway)
        async with connected(address) as busy, connected(address) as idle:
            assert await statuses(busy, *[ALLOWED, DENIED] * 10) == [200, 403] * 10
            assert await statuses(idle, ALLOWED) == [200]
            await busy.send(SLOW)
            assert (await busy.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")

            gateway.send_signal(signal.SIGTERM)
            await gateway.logged("stopping")
            assert await idle.rest() == b""  # nothing was under way there
            with pytest.raises(OSError, match=r"refused|Connect call failed|reset"):
                await RawClient.connect(address)
            go_on.set()

            assert await busy.rest() == b"{}"
            assert await gateway.ended() == Exit.YES
    lines = lines_of(tmp_path / "audit.jsonl")
    assert len({line["id"] for line in lines}) == len(lines) == 22
    assert [line["ending"] for line in lines].count("complete") == 12
    assert [line["reason"] for line in lines].count("permission-missing") == 10


async def test_on_sighup_the_audit_goes_on_in_a_new_file_without_losing_a_line(
    upstream: RecordingUpstream, tmp_path: Path
) -> None:
    audit, rotated = tmp_path / "audit.jsonl", tmp_path / "audit.jsonl.1"
    asked = 0
    async with running("serve", "--config", settings_in(tmp_path, upstream.url)) as gateway:
        address, _ = await serving(gateway)
        async with connected(address) as client:
            while audit.stat().st_size == 0:  # a line is under way for a moment
                assert await statuses(client, DENIED) == [403]
                asked += 1
            audit.rename(rotated)
            gateway.send_signal(signal.SIGHUP)
            while not audit.exists():  # the new file is what tells that the signal has arrived
                assert await statuses(client, DENIED) == [403]
                asked += 1
            assert await statuses(client, DENIED) == [403]
            asked += 1
            gateway.send_signal(signal.SIGTERM)
            assert await gateway.ended() == Exit.YES
    before, after = lines_of(rotated), lines_of(audit)
    assert len({line["id"] for line in before + after}) == len(before) + len(after) == asked


@pytest.mark.parametrize("door", ["listen", "admin"])
async def test_an_address_in_use_is_told_in_one_line(tmp_path: Path, door: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config = settings_in(tmp_path, **{door: {"address": f"127.0.0.1:{port}"}})
        code, out, err = await ended("serve", "--config", config)
    assert (code, out) == (Exit.COULD_NOT, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("error: cannot listen: ")
    assert f"'127.0.0.1', {port}" in err
    assert "address already in use" in err


async def test_an_audit_that_cannot_be_opened_keeps_the_gateway_from_starting(
    tmp_path: Path,
) -> None:
    config = settings_in(tmp_path)
    (tmp_path / "audit.jsonl").symlink_to(tmp_path / "not-mounted" / "audit.jsonl")
    code, out, err = await ended("serve", "--config", config)
    assert (code, out) == (Exit.COULD_NOT, "")
    assert len(err.splitlines()) == 1
    assert err.startswith("error: cannot record: ")
    assert "audit.jsonl" in err


async def test_broken_settings_are_told_whole_and_nothing_listens(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = settings_in(
        tmp_path,
        listen={"address": f"127.0.0.1:{port}", "backlog": 5},
        limits={"max_headers": 0},
        audit={"file": "nowhere/audit.jsonl"},
    )
    code, out, err = await ended("serve", "--config", config)
    assert (code, out) == (Exit.INVALID, "")
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 3
    assert all(line.startswith(f"error: {config}:1:") for line in errors)
    for words in ("unknown key `backlog`", "`max_headers`", "its folder does not exist"):
        assert any(words in line for line in errors), words
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await RawClient.connect(Address("127.0.0.1", port))


def test_a_broken_policy_is_told_as_check_tells_it(ask: Ask) -> None:
    arguments = ("--config", BROKEN / "gateway.yaml")
    assert ask("serve", *arguments) == ask("check", *arguments)
    assert ask("serve", *arguments).code == Exit.INVALID
