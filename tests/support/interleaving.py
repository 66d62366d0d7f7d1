"""Many clients at once through one gateway, and the proof that no exchange touches another.

Clients pipeline, upload, die, are refused and come back; the upstream answers early, late, twice,
in pieces, or hangs up. Its connections are pooled, so each carries the exchanges of many clients.
Whatever a client receives may hold its own marker only, and is compared byte for byte where it is
whole; whatever reaches the upstream is one strictly read request with one marker, its own caller
and its own body. Everything that is not so is a fault, in words.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from gateway.settings import Address
from tests.support.byte_client import ByteClient
from tests.support.exchanges import LEAVES, MARKER, Answer, Exchange, Fate, an_exchange, answer_to
from tests.support.held_site import both_services
from tests.support.strict_reading import Message, NotStrict, Reply, read_request

__all__ = ["Outcome", "interleave"]

_MAX_FAULTS = 20
_CLIENTS = 48
_IDLE_CONNECTIONS = 12


@dataclass
class Outcome:
    """What was counted; `faults` has to stay empty."""

    faults: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    upstream_connections: int = 0
    most_on_one_connection: int = 0

    def fault(self, text: str) -> None:
        self.counts["faults"] += 1
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(text)

    def lines(self) -> list[str]:
        counted = [f"{number:>9,} {what}" for what, number in sorted(self.counts.items())]
        return [
            *counted,
            f"{self.upstream_connections:>9,} upstream connections",
            f"{self.most_on_one_connection:>9,} exchanges on the busiest of them",
            *self.faults,
        ]


async def interleave(
    folder: Path, *, exchanges: int, seed: int, clients: int = _CLIENTS, leaky: bool = False
) -> Outcome:
    """Run so many exchanges; `leaky` makes the upstream mix up two replies now and then."""
    outcome = Outcome()
    upstream = _Upstream(outcome, leaky=leaky)
    async with (
        upstream.listening() as url,
        both_services(folder, url, idle_connections=_IDLE_CONNECTIONS) as site,
    ):
        numbers = iter(range(1, exchanges + 1))
        await asyncio.gather(*(
            _Client(site.address, upstream, outcome, random.Random(seed * 1000 + each))
            .talk(numbers)
            for each in range(clients)
        ))  # fmt: skip
    audited = (folder / "audit.jsonl").read_bytes()
    outcome.counts["audit lines"] = audited.count(b"\n")
    _check_audit(outcome)
    if broken := audited.count(b'"internal-fault"'):
        outcome.fault(f"{broken} requests met a defect of the gateway")
    return outcome


def _check_audit(outcome: Outcome) -> None:
    """One line for each request that was read; of one whose client left at once nobody knows."""
    counts = outcome.counts
    read = counts["exchanges"] - counts["sent behind the end of their connection"]
    surely_read = read - sum(counts[fate.value] for fate in LEAVES)
    if not surely_read <= counts["audit lines"] <= read:
        outcome.fault(f"{counts['audit lines']} audit lines of {read} requests")


class _Client:
    """One client after the other, each with a connection of its own."""

    def __init__(
        self, address: Address, upstream: "_Upstream", outcome: Outcome, chance: random.Random
    ) -> None:
        self._address = address
        self._upstream = upstream
        self._outcome = outcome
        self._chance = chance

    async def talk(self, numbers: Iterator[int]) -> None:
        client: ByteClient | None = None
        while batch := self._batch(numbers):
            if client is None or client.ended:
                client = await ByteClient.connect(self._address)
                self._outcome.counts["client connections"] += 1
            if not await self._send(client, batch):
                client.abort()
                client = None
        if client is not None:
            client.abort()

    def _batch(self, numbers: Iterator[int]) -> list[Exchange]:
        """One exchange, or several that are sent at once; one that ends the connection is last."""
        batch: list[Exchange] = []
        wanted = self._chance.choice((1, 1, 1, 2, 3, 6))
        while len(batch) < wanted and not (batch and batch[-1].ends_connection):
            number = next(numbers, None)
            if number is None:
                break
            batch.append(an_exchange(number, self._chance))
        return batch

    async def _send(self, client: ByteClient, batch: list[Exchange]) -> bool:
        """Send and read the replies; whether the connection is still good."""
        self._outcome.counts["exchanges"] += len(batch)
        self._upstream.expected.update((exchange.marker, exchange) for exchange in batch)
        try:
            return await self._converse(client, batch)
        except (NotStrict, TimeoutError) as error:
            markers = b" ".join(exchange.marker for exchange in batch).decode()
            self._outcome.fault(f"{markers}: the client got {error!r}")
            return False
        finally:
            for exchange in batch:
                del self._upstream.expected[exchange.marker]

    async def _converse(self, client: ByteClient, batch: list[Exchange]) -> bool:
        await client.send(self._cut(b"".join(exchange.raw for exchange in batch)))
        for left, exchange in zip(range(len(batch) - 1, -1, -1), batch, strict=True):
            if not await self._receive(client, exchange):
                self._outcome.counts["sent behind the end of their connection"] += left
                return False
        return not client.ended

    def _cut(self, raw: bytes) -> list[bytes]:
        count = self._chance.choice((1, 1, 1, 2, 5))
        size = len(raw) // count + 1
        return [raw[start : start + size] for start in range(0, len(raw), size)]

    async def _receive(self, client: ByteClient, exchange: Exchange) -> bool:
        counts = self._outcome.counts
        if exchange.fate in LEAVES:
            if exchange.fate is Fate.LEFT_IN_REPLY:
                await client.until(lambda: bool(client.received) or client.ended)
            self._only_its_own(client.received, exchange)
            counts[exchange.fate.value] += 1
            return False
        reply = await client.reply(exchange.method)
        if reply is None:
            counts["sent behind the end of their connection"] += 1
            self._only_its_own(client.received, exchange)
            return False
        self._judge(reply, exchange)
        return reply.complete and reply.header(b"connection") != b"close"

    def _judge(self, reply: Reply, exchange: Exchange) -> None:
        self._only_its_own(b"\n".join((*(v for _, v in reply.fields), reply.body)), exchange)
        refusal = reply.header(b"x-gateway-refusal")
        answer = answer_to(exchange.marker, exchange.method)
        if exchange.fate is Fate.REFUSED:
            self._outcome.counts["refused"] += 1
            if refusal is None or reply.status >= 500:
                self._fault(exchange, f"should have been refused and got {reply.status}")
        elif refusal is not None:
            self._outcome.counts[f"got {reply.status} {refusal.decode()}"] += 1
            if answer.reaches_client or refusal != b"upstream-failed":
                self._check_excuse(exchange, answer, refusal)
        else:
            self._outcome.counts["answered"] += 1
            self._compare(reply, exchange, answer)

    def _check_excuse(self, exchange: Exchange, answer: Answer, refusal: bytes) -> None:
        """A 502 although the upstream answered: only where it hung up while we were sending.

        That is an early answer with a reset behind it, or a write on a connection that had died.
        """
        may_be = refusal == b"upstream-failed" and (answer.early or exchange.method in _WRITES)
        if not may_be:
            self._fault(exchange, f"got {refusal.decode()}")

    def _compare(self, reply: Reply, exchange: Exchange, answer: Answer) -> None:
        right = reply.body == answer.body if reply.complete else answer.body.startswith(reply.body)
        marker = reply.header(b"x-marker")
        if not answer.reaches_client or (reply.status, marker) != (answer.status, exchange.marker):
            self._fault(exchange, f"got another reply: {reply.status} {marker!r}")
        elif not right or (not reply.complete and answer.whole and not answer.early):
            self._fault(exchange, f"got another body, {len(reply.body)} bytes")
        elif reply.header(b"x-poison") is not None:
            self._fault(exchange, "got the poison")

    def _only_its_own(self, received: bytes, exchange: Exchange) -> None:
        if strangers := set(MARKER.findall(received)) - {exchange.marker}:
            self._fault(exchange, f"the client saw {strangers}")

    def _fault(self, exchange: Exchange, text: str) -> None:
        self._outcome.fault(f"{exchange.marker.decode()} {exchange.method}: {text}")


_WRITES = frozenset({"POST", "PUT"})


class _Upstream:
    """Answers as the markers say, and knows what must not reach it."""

    def __init__(self, outcome: Outcome, *, leaky: bool) -> None:
        self.expected: dict[bytes, Exchange] = {}
        self._outcome = outcome
        self._leaky = leaky
        self._seen: Counter[bytes] = Counter()
        self._last: bytes | None = None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._outcome.upstream_connections += 1
        carried = 0
        unread: bytes | None = b""
        with suppress(ConnectionError):
            while (unread := await self._exchange(unread, reader, writer)) is not None:
                carried += 1
                most = max(self._outcome.most_on_one_connection, carried)
                self._outcome.most_on_one_connection = most
        writer.close()

    async def _exchange(
        self, raw: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bytes | None:
        """Read one request, of which `raw` is here, and answer it.

        What came behind it, or None when the connection is over.
        """
        while b"\r\n\r\n" not in raw:
            raw = await _more(raw, reader)
        self._outcome.counts["requests at the upstream"] += 1
        head = raw.partition(b"\r\n\r\n")[0]
        found = MARKER.findall(head)
        if not found:
            self._outcome.fault(f"the upstream got a request of nobody: {raw[:200]!r}")
            return None
        answer = answer_to(found[0], raw.partition(b" ")[0].decode())
        if answer.early:
            await _say(writer, answer.pieces)
            if answer.hangs_up:
                self._check_markers(head)
                return None
        while (read := self._read(raw)) is None:
            raw = await _more(raw, reader)
        message, rest = read
        self._check(raw.removesuffix(rest), message)
        if rest and not answer.early:
            self._outcome.fault(f"{found[0]!r}: bytes behind the request: {rest[:100]!r}")
        if not answer.early:
            await _say(writer, self._mixed_up(found[0], message.method, answer))
        return None if answer.hangs_up else rest

    def _read(self, raw: bytes) -> tuple[Message, bytes] | None:
        try:
            return read_request(raw)
        except NotStrict as error:
            self._outcome.fault(f"the upstream got what is no request: {error} {raw[:300]!r}")
            raise ConnectionError from error

    def _check_markers(self, raw: bytes) -> None:
        if len(set(MARKER.findall(raw))) > 1:
            self._outcome.fault(f"the upstream got two exchanges in one: {raw[:300]!r}")

    def _check(self, raw: bytes, message: Message) -> None:
        self._check_markers(raw)
        marker = MARKER.findall(raw)[0]
        self._seen[marker] += 1
        exchange = self.expected.get(marker)
        if self._seen[marker] > 1 and message.method in _WRITES:
            self._outcome.fault(f"{marker!r}: written twice")
        if exchange is None:
            return  # its client has left
        caller = message.values(b"x-gateway-caller")
        if exchange.fate is Fate.REFUSED:
            self._outcome.fault(f"{marker!r}: was to be refused and reached the upstream")
        elif caller != [exchange.caller.encode()]:
            self._outcome.fault(f"{marker!r}: sent for {exchange.caller}, arrived as {caller}")
        elif (message.method, message.body) != (exchange.method, exchange.body):
            self._outcome.fault(f"{marker!r}: another method or body arrived")

    def _mixed_up(self, marker: bytes, method: str, answer: Answer) -> tuple[bytes, ...]:
        """The answer; from a leaky upstream now and then the last one's."""
        last, self._last = self._last, marker
        if self._leaky and last is not None and self._outcome.counts["exchanges"] % 50 == 0:
            other = answer_to(last, method)
            if not other.hangs_up:
                return other.pieces
        return answer.pieces


async def _more(raw: bytes, reader: asyncio.StreamReader) -> bytes:
    piece = await reader.read(65536)
    if not piece:
        raise ConnectionError
    return raw + piece


async def _say(writer: asyncio.StreamWriter, pieces: tuple[bytes, ...]) -> None:
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)
