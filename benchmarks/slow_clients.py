"""Clients that keep a connection busy with a byte every few seconds, as a slowloris does.

Listens on SIGNAL_PORT once all are connected. Each comes back as soon as it is cut off.
Usage: python -m benchmarks.slow_clients PORT SIGNAL_PORT --authorization "Bearer …" --clients N
"""

import argparse
import asyncio
import os
import random
from typing import cast

import uvloop

__all__: list[str] = []

_BYTE_EVERY_SECONDS = 3.0
_TICK_SECONDS = 0.005  # independent clients do not send in step
_PER_TICK = 5  # new ones: a thousand a second, since five thousand in one moment are a herd
_PER_ADDRESS = 2_000
_SEED = 20261121

_NAMES = "X-Slow: "


def _beginnings(authorization: str) -> list[bytes]:
    """What is sent at once; everything after it drips. Eight of ten never end their head."""
    common = f"Host: bench\r\nAuthorization: {authorization}\r\n"
    body = "Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n"
    head = f"GET /profiles/0004Va58A92T0017 HTTP/1.1\r\n{common}{_NAMES}"
    inspected = f"POST /profiles HTTP/1.1\r\n{common}{body}"
    streamed = f"POST /profiles/import HTTP/1.1\r\n{common}{body}"
    return [text.encode() for text in ["G", *[head] * 7, inspected, streamed]]


class SlowClients:
    """All of them, and whose turn it is."""

    def __init__(self, port: int, authorization: str) -> None:
        self._port = port
        self._beginnings = _beginnings(authorization)
        self._random = random.Random(_SEED)
        self._connected: list[_Slow] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def connect(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        beginning = self._beginnings[number % len(self._beginnings)]
        source = f"127.0.0.{100 + number // _PER_ADDRESS}"
        while True:
            try:
                await loop.create_connection(
                    lambda: _Slow(self, number, beginning),
                    "127.0.0.1",
                    self._port,
                    local_addr=(source, 0),
                )
            except OSError:
                await asyncio.sleep(self._random.random())
            else:
                return

    def connected(self, client: "_Slow") -> None:
        self._connected.append(client)

    def lost(self, number: int) -> None:
        task = asyncio.get_running_loop().create_task(self.connect(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drip(self) -> None:
        """A byte from each of them in turn, spread over the seconds."""
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            everybody = self._connected = [each for each in self._connected if not each.is_lost]
            share = int(len(everybody) * _TICK_SECONDS / _BYTE_EVERY_SECONDS) + 1
            for client in everybody[:share]:
                client.transport.write(b"x")
            self._connected = everybody[share:] + everybody[:share]


class _Slow(asyncio.Protocol):
    def __init__(self, clients: SlowClients, number: int, beginning: bytes) -> None:
        self.transport = cast("asyncio.Transport", None)
        self.is_lost = False
        self._clients = clients
        self._number = number
        self._beginning = beginning

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self._beginning)
        self._clients.connected(self)

    def connection_lost(self, _: Exception | None) -> None:
        self.is_lost = True
        self._clients.lost(self._number)


async def _main(given: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    clients = SlowClients(given.port, given.authorization)
    for number in range(given.clients):
        await clients.connect(number)
        if number % _PER_TICK == 0:
            await asyncio.sleep(_TICK_SECONDS)
    dripping = loop.create_task(clients.drip())
    await loop.create_server(asyncio.Protocol, "127.0.0.1", given.signal_port)
    await dripping


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("signal_port", type=int)
    parser.add_argument("--authorization", required=True)
    parser.add_argument("--clients", type=int, default=1000)
    # They share a core with the honest clients, whose time is what is measured.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    uvloop.run(_main(parser.parse_args()))
