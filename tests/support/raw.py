"""A client that sends exactly the bytes it is given, and reads replies one by one."""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.settings import Address


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, list[str]]
    body: bytes

    def header(self, name: str) -> str | None:
        values = self.headers.get(name.lower())
        return values[0] if values else None


class RawClient:
    """One connection to the gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(
        cls, address: Address, tls: ssl.SSLContext | None = None, *, server_name: str | None = None
    ) -> "RawClient":
        host, port = address.host, address.port
        return cls(*await asyncio.open_connection(host, port, ssl=tls, server_hostname=server_name))

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self, method: str = "GET") -> Reply:
        """The next reply; interim ones are skipped."""
        async with asyncio.timeout(20):
            while True:
                head = await self.reader.readuntil(b"\r\n\r\n")
                reply = await self._read(head, method)
                if reply.status >= 200:
                    return reply

    async def _read(self, head: bytes, method: str) -> Reply:
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers: dict[str, list[str]] = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        body = b""
        if status < 200 or status in {204, 304} or method == "HEAD":
            pass
        elif headers.get("transfer-encoding") == ["chunked"]:
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                body += await self.reader.readexactly(size)
                assert await self.reader.readexactly(2) == b"\r\n"
            assert await self.reader.readexactly(2) == b"\r\n"
        elif "content-length" in headers:
            body = await self.reader.readexactly(int(headers["content-length"][0]))
        else:
            body = await self.reader.read()
        return Reply(status, headers, body)

    async def rest(self) -> bytes:
        """Everything until the gateway closes the connection."""
        async with asyncio.timeout(20):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def request(
    method: str, target: str, *, authorization: bytes | None = None, body: bytes | None = None,
    content_type: str | None = "application/json", headers: Mapping[str, str] | None = None,
) -> bytes:  # fmt: skip
    """A plain, well-formed request."""
    lines = [f"{method} {target} HTTP/1.1".encode(), b"Host: gateway.test"]
    if authorization is not None:
        lines.append(b"Authorization: " + authorization)
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
        if content_type is not None:
            lines.append(f"Content-Type: {content_type}".encode())
    lines += [f"{name}: {value}".encode() for name, value in (headers or {}).items()]
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")
