"""Wrong secrets at the token endpoint, as many as told, as fast as they are refused.

Each of `--connections` sends the next one when the last is answered; connection after connection
comes from another of `--addresses` loopback addresses. Prints one line of JSON: how many answers
of each status, and how long it took.
Usage: python -m benchmarks.guessing PORT CLIENT_ID --secrets 10000 --addresses 1
"""

import argparse
import asyncio
import json
from base64 import b64encode
from collections import Counter
from itertools import count
from time import perf_counter
from typing import cast

import uvloop

_BODY = b"grant_type=client_credentials"
# The gateway ends a connection after a thousand; so do most servers, and most guessers' tools.
_PER_CONNECTION = 10


class _Guesser(asyncio.Protocol):
    def __init__(self) -> None:
        self.transport = cast("asyncio.Transport", None)
        self.buffer = b""
        self.answered = asyncio.Event()
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if found and len(rest) >= int(head.split(b"content-length: ")[1].split(b"\r\n")[0]):
            self.answered.set()

    def connection_lost(self, _error: Exception | None) -> None:
        self.lost = True
        self.answered.set()


async def guess(port: int, client_id: str, secrets: int, addresses: int, connections: int) -> None:
    """Send them, and print what came back."""
    numbers, sources, statuses = count(), count(), Counter[str]()

    async def one_after_the_other() -> None:
        loop = asyncio.get_running_loop()
        while True:
            source = next(sources) % addresses
            local = f"127.{1 + source // 62_500}.{1 + source // 250 % 250}.{1 + source % 250}"
            _, guesser = await loop.create_connection(
                _Guesser, "127.0.0.1", port, local_addr=(local, 0)
            )
            for _ in range(_PER_CONNECTION):
                if (number := next(numbers)) >= secrets:
                    guesser.transport.abort()
                    return
                statuses[await _answer(guesser, client_id, number)] += 1
            guesser.transport.abort()

    begun = perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(connections)))
    print(json.dumps({"statuses": statuses, "seconds": perf_counter() - begun}))


async def _answer(guesser: _Guesser, client_id: str, number: int) -> str:
    word = b64encode(f"{client_id}:wrong-{number}".encode())
    guesser.buffer = b""
    guesser.answered.clear()
    guesser.transport.write(
        b"POST /oauth/token HTTP/1.1\r\nHost: bench\r\nAuthorization: Basic %b\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%b"
        % (word, len(_BODY), _BODY)
    )
    await guesser.answered.wait()
    return guesser.buffer[9:12].decode() or "none"


def main() -> None:
    """Parse the words and guess."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("client_id")
    parser.add_argument("--secrets", type=int, default=10_000)
    parser.add_argument("--addresses", type=int, default=1)
    parser.add_argument("--connections", type=int, default=200)
    given = parser.parse_args()
    uvloop.run(
        guess(given.port, given.client_id, given.secrets, given.addresses, given.connections)
    )


if __name__ == "__main__":
    main()
