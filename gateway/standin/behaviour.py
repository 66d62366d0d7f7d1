"""How the stand-in misbehaves when told to: late, rude, or dead.

One table holds the rude replies as bytes, because what is wrong with them is their framing, and
no web framework would send them. A call that meets anything but a delay is not carried out.
"""

import asyncio
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from gateway.standin.errors import bad_request

__all__ = ["RUDE_REPLIES", "Behaviour", "Manner", "Temper"]


class Manner(StrEnum):
    WELL_BEHAVED = "well-behaved"
    UNAVAILABLE = "unavailable"  # a proper 503
    SILENT = "silent"  # takes the request and closes without a byte
    HANGING = "hanging"  # takes the request and says nothing until told to behave otherwise
    GARBAGE = "garbage"  # bytes that are not HTTP
    TRUNCATED = "truncated"  # closes in the middle of the body it announced
    TRUNCATED_HEAD = "truncated-head"  # closes in the middle of the head
    TRUNCATED_CHUNKS = "truncated-chunks"  # closes before the last chunk
    SURPLUS = "surplus"  # sends more than its Content-Length: a second, unasked reply
    TWO_LENGTHS = "two-lengths"  # two Content-Length headers that differ
    LENGTH_AND_CHUNKS = "length-and-chunks"  # Content-Length beside Transfer-Encoding
    BAD_CHUNK = "bad-chunk"  # a chunk size that is no number
    UNASKED_UPGRADE = "unasked-upgrade"  # 101 where nobody asked for another protocol


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

RUDE_REPLIES: dict[Manner, bytes] = {
    Manner.SILENT: b"",
    Manner.GARBAGE: b"\x16\x03\x01 220 this is not the protocol you think\r\n\r\n",
    Manner.TRUNCATED: OK + b'Content-Length: 1000\r\n\r\n{"customer_id": "0004',
    Manner.TRUNCATED_HEAD: OK + b"Content-Len",
    Manner.TRUNCATED_CHUNKS: OK + b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"cus\r\n',
    Manner.SURPLUS: OK
    + b"Content-Length: 2\r\n\r\n{}"
    + OK
    + b'Content-Length: 20\r\n\r\n{"planted": "reply"}',
    Manner.TWO_LENGTHS: OK + b"Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}",
    Manner.LENGTH_AND_CHUNKS: OK
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    Manner.BAD_CHUNK: OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    Manner.UNASKED_UPGRADE: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\n"
    b"Connection: Upgrade\r\n\r\nhello",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """`requests` is how many requests it lasts for (`None`: until changed).

    `path_prefix` leaves everything else well behaved.
    """

    manner: Manner = Manner.WELL_BEHAVED
    delay_seconds: float = 0.0
    requests: int | None = None
    path_prefix: str = "/"

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> "Behaviour":
        """What was left out is as usual; what is not known is a 400 that lists what is."""
        fields = set(cls.__dataclass_fields__)
        if not set(body) <= fields:
            raise bad_request(f"a behaviour is made of {', '.join(sorted(fields))}")
        manner = body.get("manner", Manner.WELL_BEHAVED)
        if manner not in set(Manner):
            raise bad_request(f"`manner` is one of {', '.join(Manner)}")
        delay = body.get("delay_seconds", 0)
        if isinstance(delay, bool) or not isinstance(delay, int | float) or delay < 0:
            raise bad_request("`delay_seconds` is a number that is not negative")
        requests = body.get("requests")
        if isinstance(requests, bool) or not (
            requests is None or (isinstance(requests, int) and requests > 0)
        ):
            raise bad_request("`requests` is a whole number above zero, or null")
        prefix = body.get("path_prefix", "/")
        if not isinstance(prefix, str) or not prefix.startswith("/"):
            raise bad_request("`path_prefix` begins with `/`")
        return cls(
            manner=Manner(manner),
            delay_seconds=float(delay),
            requests=requests,
            path_prefix=prefix,
        )


class Temper:
    """The present behaviour: changed at any time, worn out by the requests that meet it."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self._changed = asyncio.Event()

    def __repr__(self) -> str:
        return f"<Temper {self.behaviour.manner}>"

    def close(self) -> None:
        """For good: nobody hangs any more."""
        self.become(Behaviour())

    def become(self, behaviour: Behaviour) -> None:
        """Whoever was left hanging is let go, and then met in the new manner."""
        self.behaviour = behaviour
        self._changed.set()
        self._changed = asyncio.Event()

    def meet(self, path: str) -> Behaviour:
        """The behaviour that this request gets."""
        current = self.behaviour
        if not path.startswith(current.path_prefix):
            return Behaviour()
        if current.requests is not None:
            left = current.requests - 1
            self.behaviour = replace(current, requests=left) if left else Behaviour()
        return current

    async def change(self) -> None:
        """Until the next `become`."""
        await self._changed.wait()
