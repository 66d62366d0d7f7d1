"""The side door: three answers, and one refusal for everything else."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs

from gateway.admin import AdminServer
from gateway.counts import Metrics, Snapshot
from gateway.exposition import CONTENT_TYPE
from gateway.server.doors import open_one
from gateway.server.readiness import asked
from gateway.settings import Address

Check = Callable[[], tuple[bool, str]]


@asynccontextmanager
async def admin(checks: Mapping[str, Check] | None = None) -> AsyncIterator[AdminServer]:
    async def snapshot() -> Snapshot:
        return Metrics().snapshot()

    async def answers() -> Mapping[str, tuple[bool, str]]:
        return asked(checks or {})

    sockets = open_one(Address("127.0.0.1", 0), {})
    server = AdminServer(sockets, snapshot=snapshot, checks=answers)
    await server.start()
    try:
        yield server
    finally:
        await server.close()


async def ask(
    server: AdminServer, path: str, method: str = "GET", **options: Any
) -> tuple[aiohttp.ClientResponse, bytes]:
    url = f"http://127.0.0.1:{server.addresses[0][1]}{path}"
    async with aiohttp.ClientSession() as session:  # noqa: SIM117 - one thing after the other
        async with session.request(method, url, **options) as response:
            return response, await response.read()


async def raw(server: AdminServer, request: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.addresses[0][1])
    writer.write(request)
    reply = await reader.read()
    writer.close()
    await writer.wait_closed()
    return reply


def holds() -> tuple[bool, str]:
    return True, "loaded"


def fails() -> tuple[bool, str]:
    return False, "keys of https://login.example.com/ not fetched yet"


def breaks() -> tuple[bool, str]:
    raise RuntimeError("a defect")


async def test_it_is_alive_as_long_as_it_answers_whatever_the_checks_say() -> None:
    async with admin({"identity": fails}) as server:
        response, body = await ask(server, "/healthz")

    assert response.status == 200
    assert json.loads(body) == {"alive": True}


async def test_it_is_ready_when_every_check_holds() -> None:
    async with admin({"policy": holds, "audit": holds}) as server:
        response, body = await ask(server, "/readyz")

    assert response.status == 200
    assert json.loads(body) == {
        "ready": True,
        "checks": {
            "policy": {"ok": True, "detail": "loaded"},
            "audit": {"ok": True, "detail": "loaded"},
        },
    }


async def test_one_check_that_fails_makes_it_unready_and_says_why() -> None:
    async with admin({"policy": holds, "identity": fails}) as server:
        response, body = await ask(server, "/readyz")

    assert response.status == 503
    answer = json.loads(body)
    assert answer["ready"] is False
    assert answer["checks"]["policy"]["ok"] is True
    assert answer["checks"]["identity"] == {
        "ok": False,
        "detail": "keys of https://login.example.com/ not fetched yet",
    }


async def test_a_check_that_breaks_counts_as_failed_and_keeps_its_secret_for_the_log() -> None:
    with capture_logs() as log:
        async with admin({"policy": breaks}) as server:
            response, body = await ask(server, "/readyz")

    assert response.status == 503
    assert b"a defect" not in body
    assert [(entry["event"], entry["check"]) for entry in log] == [
        ("readiness check failed", "policy")
    ]


async def test_checks_are_asked_anew_by_every_probe() -> None:
    answers = iter([(False, "starting"), (True, "loaded")])
    async with admin({"policy": lambda: next(answers)}) as server:
        first, _ = await ask(server, "/readyz")
        second, _ = await ask(server, "/readyz")

    assert (first.status, second.status) == (503, 200)


async def test_metrics_are_in_the_text_format() -> None:
    async with admin() as server:
        response, body = await ask(server, "/metrics")

    assert response.status == 200
    assert response.headers["Content-Type"] == CONTENT_TYPE
    assert b"gateway_refusals_total" in body


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_head_is_get_without_a_body(path: str) -> None:
    async with admin() as server:
        response, body = await ask(server, path, "HEAD")

    assert response.status == 200
    assert body == b""


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/healthz/"),
        ("GET", "/healthz/.."),
        ("GET", "//healthz"),
        ("GET", "/HEALTHZ"),
        ("GET", "/debug/pprof"),
        ("POST", "/healthz"),
        ("DELETE", "/metrics"),
        ("OPTIONS", "/readyz"),
        ("TRACE", "/readyz"),
    ],
)
async def test_anything_else_gets_the_same_refusal(method: str, path: str) -> None:
    async with admin() as server:
        reply = await raw(
            server, f"{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode()
        )

    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert json.loads(body) == {"error": "not-found", "message": "there is nothing here"}


async def test_a_request_with_a_body_is_refused_and_its_connection_closed() -> None:
    async with admin() as server:
        reply = await raw(
            server, b"GET /healthz HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
        )

    assert reply.startswith(b"HTTP/1.1 404 ")
    assert b"connection: close" in reply.lower()


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/nothing"])
async def test_every_reply_is_safe_in_a_browser_and_names_no_version(path: str) -> None:
    async with admin() as server:
        response, body = await ask(server, path)

    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "Server" not in response.headers
    assert b"aiohttp" not in body


async def test_hosts_and_forwarding_headers_make_no_difference() -> None:
    headers = {"Host": "evil.example", "X-Forwarded-For": "1.2.3.4", "X-Original-URL": "/metrics"}
    async with admin() as server:
        response, body = await ask(server, "/healthz", headers=headers)

    assert response.status == 200
    assert json.loads(body) == {"alive": True}


async def test_port_0_finds_a_port_and_tells_it() -> None:
    async with admin() as server:
        assert server.addresses[0][1] > 0
        assert str(server.addresses[0][1]) in repr(server)


async def test_closing_twice_is_harmless_and_nothing_answers_any_more() -> None:
    async with admin() as server:
        port = server.addresses[0][1]
        await server.close()
        await server.close()

        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)
