"""What arrived: every request, in order, as it came; so that a test can say what did not arrive.

A request is noted when its head has been read, before anything answers it, and its body is filled
in as it comes. A request that was broken off half-way is therefore in the list, and says so.
Headers are kept as received, credentials included: this is a witness, never a production server.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

__all__ = ["Receipt", "Received"]


@dataclass(slots=True, kw_only=True)
class Receipt:
    """One request. `status` is what was answered, and `None` while or where nothing was."""

    number: int
    at: str
    method: str
    target: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body_bytes: int = 0
    body_sha256: str = sha256().hexdigest()
    body_complete: bool = False
    status: int | None = None

    def header(self, name: str) -> list[str]:
        """Every value of a header, its name compared without case."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    async def read_body(self, chunks: AsyncIterator[bytes], keep_bytes: int) -> bytes | None:
        """Takes the body to its end in constant memory; `None` when it is more than is kept."""
        digest, kept = sha256(), bytearray()
        async for chunk in chunks:
            digest.update(chunk)
            self.body_bytes += len(chunk)
            self.body_sha256 = digest.hexdigest()
            if self.body_bytes <= keep_bytes:
                kept += chunk
        self.body_complete = True
        return bytes(kept) if self.body_bytes <= keep_bytes else None


class Received:
    """The list. `connections` counts accepted connections, also those that never asked anything.

    It is counted where the listening socket is ours (`running`, `serve`), and else stays zero.
    """

    def __init__(self, limit: int) -> None:
        self._requests: deque[Receipt] = deque(maxlen=limit)
        self._number = 0
        self._news = asyncio.Event()
        self.connections = 0

    def __repr__(self) -> str:
        return f"<Received {self._number} requests on {self.connections} connections>"

    @property
    def requests(self) -> tuple[Receipt, ...]:
        return tuple(self._requests)

    @property
    def forgotten(self) -> int:
        """How many the limit has pushed out."""
        return self._number - len(self._requests)

    def note(
        self,
        *,
        at: str,
        method: str,
        target: str,
        version: str,
        headers: tuple[tuple[str, str], ...],
    ) -> Receipt:
        self._number += 1
        receipt = Receipt(
            number=self._number,
            at=at,
            method=method,
            target=target,
            version=version,
            headers=headers,
        )
        self._requests.append(receipt)
        self._news.set()
        return receipt

    async def arrived(self, count: int) -> None:
        """Until so many requests have come, since the beginning or the last `clear`."""
        while self._number < count:
            self._news.clear()
            await self._news.wait()

    def clear(self) -> None:
        """Begins anew, numbers and all."""
        self._requests.clear()
        self._number = 0
        self.connections = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "connections": self.connections,
            "forgotten": self.forgotten,
            "requests": [asdict(receipt) for receipt in self._requests],
        }
