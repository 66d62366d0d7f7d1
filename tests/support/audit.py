"""Audit lines and a sink that does as it is told."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any

from gateway.audit import Record
from gateway.audit.journal import Place
from gateway.exchange import Exchange, RequestHead, Section
from gateway.http.forwarded import Proxies
from gateway.http.head import read_request_fields
from gateway.http.headers import FORWARDED
from tests.support.policies import table, user
from tests.support.wire import GET


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
        "claims": (),
        "method": "GET",
        "route": "read-profile",
        "target_digest": "00112233aabbccdd",
        "effect": "allow",
        "reason": "permitted",
        "missing": None,
        "because": (),
        "conditions": (),
        "unread": (),
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


_HEADERS = read_request_fields(
    GET.removeprefix(b"GET / HTTP/1.1"), max_headers=10, passable=FORWARDED
)
_ORIGIN = Proxies().peer("127.0.0.1", b"http").origin
_DECISION = table().operations[1].permitted


def an_exchange(id_: str = "r-1", **changes: Any) -> Exchange:
    """An ordinary allowed request that is about to be forwarded."""
    exchange = Exchange(id_, "127.0.0.1", 999.0)
    exchange.head = RequestHead("GET", b"/records/1", True, _HEADERS, Section(_HEADERS, _ORIGIN))
    exchange.caller = user("anna")
    exchange.decision = _DECISION
    for name, value in changes.items():
        setattr(exchange, name, value)
    return exchange


class FakeSink:
    """Follows a script, one step a write: raise it, wait for it, or take so many bytes.

    After the script's end it takes everything. Like a file, it can be looked into afterwards.
    """

    most_bytes = 1 << 20

    def __init__(self, *script: Exception | threading.Event | int) -> None:
        self.script = list(script)
        self.taken = bytearray()
        self.writes: list[bytes] = []
        self.refuses_for_ever = False
        self.opened = self.reopened = self.closed = 0
        self.moves = False
        self.busy = False

    def open(self) -> None:
        self.opened += 1

    def begin(self) -> Place:
        assert not self.busy, "a write began before another had ended"
        self.busy = True
        if self.taken and not self.taken.endswith(b"\n"):
            self.taken += b"\n"
        return Place(1, 1, len(self.taken))

    def write(self, data: bytes) -> int:
        assert self.busy, "a write that had not begun"
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

    def end(self) -> None:
        self.busy = False

    def landed(self, place: Place, lines: bytes) -> int:
        if place[:2] != (1, 1):
            return 0
        there = bytes(self.taken[place.offset : place.offset + len(lines)])
        count = 0
        for line in lines.splitlines(keepends=True):
            if not there.startswith(line, count) and there[count:] != line[:-1]:
                break
            count += len(line)
        return count

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


def without_fragments(content: bytes) -> bytes:
    """The whole lines. What else there is has to be the beginning of one of them, and no more."""
    if not content:
        return b""
    pieces = [piece + b"\n" for piece in content.removesuffix(b"\n").split(b"\n")]
    whole = [piece for piece in pieces if piece.endswith(b"}\n")]
    for piece in pieces:
        beginning = piece[:-1]
        assert beginning, "an empty line"
        if not piece.endswith(b"}\n"):
            assert any(line.startswith(beginning) for line in whole), f"{beginning!r} is lost"
    return b"".join(whole)


def record_all(writer: Any, records: Iterable[Record]) -> None:
    for record in records:
        writer.reserve()
        writer.write(record)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until it is so; the test's time-out is the limit."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)
