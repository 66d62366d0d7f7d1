"""An upstream that writes down every byte it gets and answers as it was told.

It is a raw socket server, not an HTTP server: what the gateway sent is judged by the test, never
repaired by a parser on the way.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"

Script = Callable[["Conversation"], Awaitable[None]]


class Conversation:
    """One connection that the gateway opened."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.received = b""

    async def request(self) -> bytes:
        """The next whole request: its head, and as much body as its framing says; b"" at the end."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError as error:
            self.received += error.partial
            return b""
        body = b""
        lower = head.lower()
        if b"\r\ntransfer-encoding: chunked\r\n" in lower:
            body = await self._chunks()
        elif b"\r\ncontent-length: " in lower:
            length = int(lower.split(b"\r\ncontent-length: ")[1].split(b"\r\n")[0])
            body = await self.reader.readexactly(length)
        self.received += head + body
        return head + body

    async def _chunks(self) -> bytes:
        """A chunked body by the sizes that it names, since its data may look like anything."""
        body = b""
        while True:
            line = await self.reader.readuntil(b"\r\n")
            size = int(line, 16)
            body += line + await self.reader.readexactly(size + 2)
            if not size:
                return body

    async def answer(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


class RecordingUpstream:
    """All conversations, and what to do in the next ones."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.conversations: list[Conversation] = []
        self.requests: list[bytes] = []
        self.script: Script = self.answers(OK)
        self.port = 0

    def answers(self, *replies: bytes) -> Script:
        """One reply after the other, the last one for ever."""
        waiting = list(replies)

        async def script(conversation: Conversation) -> None:
            while request := await conversation.request():
                self.requests.append(request)
                await conversation.answer(waiting.pop(0) if len(waiting) > 1 else waiting[0])

        return script

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(reader, writer)
        self.conversations.append(conversation)
        try:
            await self.script(conversation)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def recording_upstream(host: str = "127.0.0.1") -> AsyncIterator[RecordingUpstream]:
    """`host` is an address as it stands in a URL."""
    upstream = RecordingUpstream(host)
    server = await asyncio.start_server(upstream._talk, host.strip("[]"), 0)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for conversation in upstream.conversations:
            conversation.writer.close()
