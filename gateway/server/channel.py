"""Messages between the processes of one gateway, over a pair of Unix sockets.

A message is a msgspec value in MessagePack behind its length; descriptors travel beside it
(SCM_RIGHTS). One end blocks (a process that has nothing else to do), the other reads in an event
loop; both write whole messages, which are small. The end of the stream means that the other
process is gone, however it went: no process id has to be watched for it.
"""

import asyncio
import contextlib
import os
import socket
from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec.msgpack import Decoder

__all__ = ["Listening", "receive", "send"]

T = TypeVar("T")

_LENGTH_BYTES = 4
_MAX_MESSAGE_BYTES = 64 * 1024 * 1024
_MAX_DESCRIPTORS = 250  # the kernel's SCM_MAX_FD is 253


def send(channel: socket.socket, message: object, descriptors: Sequence[int] = ()) -> None:
    """Send one whole message. Raises OSError when nobody is there any more."""
    data = msgspec.msgpack.encode(message)
    data = len(data).to_bytes(_LENGTH_BYTES, "big") + data
    sent = socket.send_fds(channel, [data], list(descriptors)) if descriptors else 0
    channel.sendall(data[sent:])


def receive(channel: socket.socket, decoder: Decoder[T]) -> tuple[T, list[int]] | None:
    """Wait for the next message and its descriptors; None when the other end is gone."""
    data = b""
    descriptors: list[int] = []
    need = _LENGTH_BYTES
    while len(data) < need:
        try:
            piece, found, _, _ = socket.recv_fds(channel, need - len(data), _MAX_DESCRIPTORS)
        except ConnectionError:
            piece, found = b"", []
        descriptors += found
        if not piece:
            for descriptor in descriptors:
                os.close(descriptor)
            return None
        data += piece
        if len(data) == _LENGTH_BYTES:
            need = _LENGTH_BYTES + int.from_bytes(data, "big")
    return decoder.decode(data[_LENGTH_BYTES:]), descriptors


class Listening(Generic[T]):
    """The end that lives in an event loop: messages without descriptors, one by one."""

    def __init__(self, channel: socket.socket, decoder: Decoder[T]) -> None:
        self._channel = channel
        self._decoder = decoder
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    def __repr__(self) -> str:
        return f"<Listening on {self._channel.fileno()}>"

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_unix_connection(sock=self._channel)

    async def next(self) -> T | None:
        """The next message, None when the other end is gone."""
        assert self._reader is not None  # noqa: S101 - opened first
        try:
            length = int.from_bytes(await self._reader.readexactly(_LENGTH_BYTES), "big")
            if length > _MAX_MESSAGE_BYTES:
                return None
            return self._decoder.decode(await self._reader.readexactly(length))
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.MsgspecError):
            return None

    def tell(self, message: object) -> None:
        """Send one message; nothing happens when the other end is gone."""
        assert self._writer is not None  # noqa: S101 - opened first
        data = msgspec.msgpack.encode(message)
        if not self._writer.is_closing():
            self._writer.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)

    async def finish(self) -> None:
        """Close once everything told has been handed to the kernel."""
        assert self._writer is not None  # noqa: S101 - opened first
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()
            self._writer.close()
            await self._writer.wait_closed()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        else:
            self._channel.close()
