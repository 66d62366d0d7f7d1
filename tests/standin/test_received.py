"""The witness: every request that arrived, as it arrived."""

import asyncio
from hashlib import sha256

import pytest

from gateway.standin import Running, StandinConfig, running
from gateway.standin.seed import ANNA
from tests.standin.client import Json, Start, Ucs


async def received(ucs: Ucs) -> Json:
    return (await (await ucs.get("/_standin/received")).json())["requests"]


async def test_a_request_is_listed_with_method_target_headers_body_and_answer(ucs: Ucs) -> None:
    body = b'{"FirstName": "Bo"}'
    await ucs.post("/profiles/?x=%41&y", data=body, headers={"X-Odd": "one"})
    [found] = await received(ucs)
    assert found["number"] == 1
    assert found["at"] == "2026-03-01T12:00:00.250Z"
    assert found["method"] == "POST"
    assert found["version"] == "1.1"
    assert ["X-Odd", "one"] in found["headers"]
    assert found["body_bytes"] == len(body)
    assert found["body_sha256"] == sha256(body).hexdigest()
    assert found["body_complete"] is True
    assert found["status"] == 201


async def test_requests_are_listed_in_order_and_also_when_refused(ucs: Ucs) -> None:
    await ucs.get("/nothing")
    await ucs.patch("/profiles")
    await ucs.get(f"/profiles/{ANNA}")
    assert [(each["number"], each["status"]) for each in await received(ucs)] == [
        (1, 404),
        (2, 405),
        (3, 200),
    ]


async def test_asking_and_clearing_leave_no_trace(ucs: Ucs) -> None:
    await ucs.get("/server/status")
    assert (await ucs.delete("/_standin/received")).status == 204
    await ucs.get("/_standin/behaviour")
    assert await received(ucs) == []
    await ucs.get("/server/status")
    assert [each["number"] for each in await received(ucs)] == [1]


async def test_the_oldest_are_forgotten_and_counted(ucs_as: Start) -> None:
    ucs = await ucs_as(record_limit=2)
    for path in ("/a", "/b", "/c"):
        await ucs.get(path)
    found = await (await ucs.get("/_standin/received")).json()
    assert [each["target"] for each in found["requests"]] == ["/b", "/c"]
    assert found["forgotten"] == 1


async def test_a_body_larger_than_is_kept_is_still_measured(ucs_as: Start) -> None:
    ucs = await ucs_as(max_body_bytes=1000)
    body = b"x" * 300_000
    await ucs.post("/profiles", data=body)
    [found] = await received(ucs)
    assert found["body_bytes"] == len(body)
    assert found["body_sha256"] == sha256(body).hexdigest()
    assert found["status"] == 413


async def talk(standin: Running, data: bytes, *, hang_up: bool = False) -> bytes:
    """Sends bytes as they are, and reads to the end."""
    reader, writer = await asyncio.open_connection(standin.host, standin.port)
    writer.write(data)
    if hang_up:
        await standin.received.arrived(1)
        writer.transport.abort()
        return b""
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


@pytest.mark.parametrize(
    "target", ["/profiles/%41%2e?a=%20b;c", "//x", "/a/../b", "/x?ext%65nsions=1"]
)
async def test_the_target_is_kept_byte_for_byte(target: str) -> None:
    async with running() as standin:
        head = f"GET {target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        await talk(standin, head.encode())
        [receipt] = standin.received.requests
        assert receipt.target == target


async def test_headers_keep_their_order_their_case_and_their_repetitions() -> None:
    async with running() as standin:
        await talk(
            standin,
            b"GET /x HTTP/1.1\r\nHost: a\r\nX-TWICE: 1\r\nx-twice: 2\r\nConnection: close\r\n\r\n",
        )
        [receipt] = standin.received.requests
        assert receipt.headers == (
            ("Host", "a"),
            ("X-TWICE", "1"),
            ("x-twice", "2"),
            ("Connection", "close"),
        )
        assert receipt.header("X-Twice") == ["1", "2"]


async def test_a_request_broken_off_in_its_body_is_listed_as_incomplete() -> None:
    async with running() as standin:
        head = b"POST /profiles HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"
        await talk(standin, head, hang_up=True)
        [receipt] = standin.received.requests
        assert receipt.body_complete is False
        assert receipt.status is None


async def test_a_compressed_body_is_measured_as_it_was_sent() -> None:
    async with running() as standin:
        body = b"not really gzip"
        head = (
            "POST /profiles HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        assert b" 400 " in await talk(standin, head.encode() + body)
        [receipt] = standin.received.requests
        assert receipt.body_sha256 == sha256(body).hexdigest()


async def test_a_connection_on_which_nothing_was_asked_is_counted() -> None:
    async with running(StandinConfig(seed=False)) as standin:
        assert standin.received.connections == 0
        _, writer = await asyncio.open_connection(standin.host, standin.port)
        # Connections are accepted in order, so when the second is answered the first is there.
        await talk(standin, b"GET /server/status HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        assert repr(standin.received) == "<Received 1 requests on 2 connections>"


async def test_a_running_standin_can_be_reached_and_ends() -> None:
    async with running() as standin:
        assert standin.url == f"http://127.0.0.1:{standin.port}"
        assert "listening" not in repr(standin.received)
    with pytest.raises(OSError):  # noqa: PT011 - which one, the system decides
        await asyncio.open_connection(standin.host, standin.port)
