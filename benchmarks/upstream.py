"""An upstream of known capacity: so many requests at once, each for so long, the others in line.

Raw protocol on uvloop, so that it costs little beside what is measured. With a latency of 0 it
answers at once and the gateway is what limits; otherwise `capacity / latency` is its limit, as a
server with a pool of threads has. What it has accepted it works off in order, wanted or not.
Usage: python -m benchmarks.upstream PORT [--latency-ms 20 --capacity 20]
"""

import argparse
import asyncio
from collections import deque
from functools import partial
from typing import cast

import uvloop

from benchmarks.site import PROFILE

_REPLY = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
) % (len(PROFILE), PROFILE.encode())  # fmt: skip
_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length: "


class Capacity:
    """The slots of the server, and who waits for one."""

    def __init__(self, latency_seconds: float, slots: int) -> None:
        self._latency_seconds = latency_seconds
        self._free = slots
        self._waiting: deque[_Conversation] = deque()

    def ask(self, conversation: "_Conversation") -> None:
        if not self._latency_seconds:
            conversation.answer()
        elif self._free:
            self._free -= 1
            self._work(conversation)
        else:
            self._waiting.append(conversation)

    def _work(self, conversation: "_Conversation") -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(self._latency_seconds, partial(self._done, conversation))

    def _done(self, conversation: "_Conversation") -> None:
        conversation.answer()
        if self._waiting:
            self._work(self._waiting.popleft())
        else:
            self._free += 1


class _Conversation(asyncio.Protocol):
    def __init__(self, capacity: Capacity) -> None:
        self._capacity = capacity
        self._transport = cast("asyncio.Transport", None)
        self._buffer = b""
        self._skip = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            if self._skip:
                return
            self._capacity.ask(self)
            data = data[skipped:]
        self._buffer += data
        while (end := self._buffer.find(_END)) >= 0:
            head, rest = self._buffer[:end], self._buffer[end + len(_END) :]
            _, found, after = head.partition(_LENGTH)
            length = int(after.partition(b"\r\n")[0]) if found else 0
            self._buffer = rest[length:]
            if length > len(rest):
                self._skip = length - len(rest)
                return
            self._capacity.ask(self)

    def answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(_REPLY)


async def _main(port: int, capacity: Capacity) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: _Conversation(capacity), "127.0.0.1", port, backlog=4096)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--capacity", type=int, default=20)
    given = parser.parse_args()
    uvloop.run(_main(given.port, Capacity(given.latency_ms / 1000, given.capacity)))
