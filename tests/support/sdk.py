"""The official Python SDK as a client in tests: how it is pointed somewhere, and what it says.

    client = await sdk.log_in(by_host(url), client_id, secret)
    queues = await client.call("RoutingApi", "get_routing_queues", page_size=25)

A refusal is a `Refused`: the SDK's `ApiException` with its body parsed, as its users parse it.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Answer", "Refused", "Sdk", "SdkClient", "by_gateway", "by_host", "by_proxy", "running"]

DRIVER = Path(__file__).with_name("sdk_driver.py")

Point = Mapping[str, Any]


def by_host(url: str) -> Point:
    """`ApiClient(host=…)`: logging in and calls both go there."""
    return {"by": "host", "url": url}


def by_gateway(url: str, *, login: str, api: str) -> Point:
    """`set_gateway(…)`: one host, and a path prefix for logging in and for calls."""
    where = urlsplit(url)
    return {
        "by": "gateway",
        "host": where.hostname,
        "protocol": where.scheme,
        "port": where.port,
        "login": login,
        "api": api,
    }


def by_proxy(proxy: str, url: str) -> Point:
    """`configuration.proxy`: requests for the host of `url`, in absolute form, to `proxy`."""
    return {"by": "proxy", "proxy": proxy, "url": url}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call gave: the SDK's object as JSON, and the JSON that came."""

    type: str
    parsed: Any
    raw: Any


class Refused(Exception):
    """The SDK raised its `ApiException`."""

    def __init__(self, status: int, body: str, headers: Mapping[str, str]) -> None:
        super().__init__(f"{status} {body}")
        self.status = status
        self.body = body
        self.headers = {name.lower(): value for name, value in headers.items()}

    @property
    def error(self) -> dict[str, Any]:
        """`json.loads(exception.body)`, as every user of the SDK has to write."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def code(self) -> str:
        return str(self.error["code"])


class Sdk:
    """The driver's process. Orders are carried out one after the other."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"<Sdk in {self._process.pid}>"

    async def log_in(self, point: Point, client_id: str, secret: str) -> "SdkClient":
        """Raises Refused."""
        order = {"do": "log-in", "point": point, "client_id": client_id, "secret": secret}
        found = await self.order(order)
        return SdkClient(self, found["client"], found["token"])

    async def with_token(self, point: Point, token: str) -> "SdkClient":
        found = await self.order({"do": "with-token", "point": point, "token": token})
        return SdkClient(self, found["client"], token)

    async def operation(self, api: str, method: str) -> tuple[str, str]:
        """HTTP method and path template of one of the SDK's methods."""
        found = await self.order({"do": "operation", "api": api, "method": method})
        return found["method"], found["path"]

    async def order(self, order: Mapping[str, Any]) -> dict[str, Any]:
        found = await asyncio.to_thread(self._exchange, json.dumps(order))
        if "exception" in found:
            failure = found["exception"]
            raise Refused(failure["status"], failure["body"], failure["headers"])
        assert "defect" not in found, found["defect"]
        return found

    def _exchange(self, line: str) -> dict[str, Any]:
        with self._lock:
            stdin, stdout = self._process.stdin, self._process.stdout
            assert stdin is not None
            assert stdout is not None
            stdin.write(line + "\n")
            stdin.flush()
            answer = stdout.readline()
        assert answer, "the SDK's process has ended"
        found: dict[str, Any] = json.loads(answer)
        return found


class SdkClient:
    """One `ApiClient` with its token."""

    def __init__(self, sdk: Sdk, number: int, token: str) -> None:
        self._sdk = sdk
        self._number = number
        self.token = token

    def __repr__(self) -> str:
        return f"<SdkClient {self._number}>"

    async def call(self, api: str, method: str, **arguments: Any) -> Answer:
        """Raises Refused."""
        order = {
            "do": "call",
            "client": self._number,
            "api": api,
            "method": method,
            "arguments": arguments,
        }
        found = await self._sdk.order(order)
        raw = found["raw"]
        return Answer(found["type"], found["parsed"], json.loads(raw) if raw else None)


@contextmanager
def running() -> Iterator[Sdk]:
    """Until left. The SDK watches its user's home for changes: it gets an empty one."""
    with tempfile.TemporaryDirectory(prefix="sdk-home-") as home:
        process = subprocess.Popen(
            [sys.executable, str(DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": os.environ.get("PATH", ""), "HOME": home},
        )
        try:
            yield Sdk(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()
