"""Audit lines and a sink that does as it is told."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from gateway.audit import Record


def a_record(id_: str = "r-1", **changes: Any) -> Record:
    """An ordinary allowed request; every field can be changed by name."""
    ordinary: dict[str, Any] = {
        "id": id_,
        "time": "2026-11-21T04:05:06.000007Z",
        "service": "ucs",
        "peer": "127.0.0.1",
        "subject": "anna",
        "kind": "user",
        "means": "jwt",
        "method": "GET",
        "route": "read-profile",
        "target_digest": "00112233aabbccdd",
        "effect": "allow",
        "reason": "permitted",
        "missing": None,
        "because": (),
        "enforced": True,
        "status": 200,
        "ending": "complete",
        "upstream_ms": 1.5,
        "total_ms": 2.25,
        "bytes_in": 0,
        "bytes_out": 330,
        "policy": "0123456789abcdef",
    }
    return Record(**(ordinary | changes))


class FakeSink:
    """Follows a script, one step a write: raise it, wait for it, or take so many bytes.

    After the script's end it takes everything.
    """

    def __init__(self, *script: Exception | threading.Event | int) -> None:
        self.script = list(script)
        self.taken = bytearray()
        self.writes: list[bytes] = []
        self.refuses_for_ever = False
        self.opened = self.reopened = self.closed = 0
        self.moves = False

    def open(self) -> None:
        self.opened += 1

    def write(self, data: memoryview) -> int:
        step = self.script.pop(0) if self.script else len(data)
        if isinstance(step, threading.Event):
            assert step.wait(30)
            step = len(data)
        if isinstance(step, Exception):
            raise step
        if self.refuses_for_ever:
            raise OSError(28, "No space left on device")
        self.writes.append(bytes(data[:step]))
        self.taken += data[:step]
        return min(step, len(data))

    def reopen(self) -> bool:
        self.reopened += 1
        return self.moves

    def close(self) -> None:
        self.closed += 1

    @property
    def ids(self) -> list[str]:
        return ids_of(bytes(self.taken))


def ids_of(content: bytes) -> list[str]:
    """The ids of the lines, every one of which has to be well formed and ended."""
    assert content == b"" or content.endswith(b"\n")
    return [json.loads(line)["id"] for line in content.splitlines()]


def record_all(writer: Any, records: Iterable[Record]) -> None:
    for record in records:
        writer.reserve()
        writer.write(record)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until it is so; the test's time-out is the limit."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)
