"""The attack corpus against a running gateway: what the client gets, and what the upstream saw.

Each case is sent whole, byte by byte, and cut at random places, over real sockets; an answer that
depends on how bytes happen to arrive is what smuggling lives on. Of a refused request the upstream
sees no connection and no byte. Where the connection stays open, one more request is sent on it
and has to be answered as if nothing had been before.
"""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from tests.support.byte_client import ByteClient, cut_anywhere, singly
from tests.support.corpus import Case, Sent, Shape, expanded, load_corpus
from tests.support.held_site import (
    CREDENTIALS,
    TENANT_LINE,
    UPSTREAM_CREDENTIAL,
    HeldSite,
    held_site,
)
from tests.support.strict_reading import Reply, read_request

CASES = load_corpus()

WAYS: dict[str, Callable[[bytes], list[bytes]]] = {
    "whole": lambda raw: [raw],
    "byte by byte": singly,
    "cut here": lambda raw: cut_anywhere(raw, random.Random(1)),
    "cut there": lambda raw: cut_anywhere(raw, random.Random(2)),
}

PROBE = Sent("GET /profiles/probe")
PROBE_BYTES = (
    b"GET /profiles/probe HTTP/1.1\r\nHost: h\r\nAuthorization: "
    + CREDENTIALS["everything"]
    + b"\r\n\r\n"
)
_LAST = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\nlast"

Sites = Callable[[Case], HeldSite]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sites]:
    """One gateway for all cases under the same limits, started when the first one comes."""
    with ExitStack() as stack:
        running: dict[str, HeldSite] = {}

        def of(case: Case) -> HeldSite:
            key = json.dumps(case.limits, sort_keys=True)
            if key not in running:
                folder = tmp_path_factory.mktemp("site")
                running[key] = stack.enter_context(held_site(folder, limits=case.limits))
            return running[key]

        yield of


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_client_and_upstream_see_what_the_corpus_says(sites: Sites, case: Case, way: str) -> None:
    held = sites(case)
    for shape in case.spelt(CREDENTIALS):
        play = Play(held, case, shape)
        try:
            held.run(play.through(WAYS[way]))
        except (AssertionError, TimeoutError) as error:
            error.add_note(f"{case}, {shape!r}, {way}")
            raise


class Play:
    """One shape of one case."""

    def __init__(self, held: HeldSite, case: Case, shape: Shape) -> None:
        self.held = held
        self.case = case
        self.shape = shape
        self.ids: set[bytes | None] = set()

    async def through(self, cut: Callable[[bytes], list[bytes]]) -> None:
        case, upstream = self.case, self.held.upstream
        pieces = cut(self.shape.raw)
        if case.upstream is not None:
            await self._take_kept_connections()
            # Here the upstream is the one who attacks, so what is cut is what it says.
            pieces = [self.shape.raw]
            self.held.answer = cut(expanded(case.upstream, {}))
            self.held.hangs_up = case.hangs_up
            self.held.answered.clear()
            if case.late and len(self.held.answer) > 1:
                head, end, rest = expanded(case.upstream, {}).partition(b"\r\n\r\n")
                self.held.answer = [head + end, *cut(rest)]
                self.case = case = replace(case, replies=("200",), cut=True, closed=True)
        connections, requests = len(upstream.conversations), len(upstream.requests)
        client = await ByteClient.connect(self.held.address)
        try:
            await client.send(pieces)
            if case.ends:
                client.end()
            for number, expected in enumerate(case.replies, 1):
                await self._reply(client, expected, is_last=number == len(case.replies))
            if case.closed:
                assert await client.closed() == b""
            if case.upstream is not None:
                await self.held.answered.wait()
            if not self.shape.sent and not case.begun:
                assert len(upstream.conversations) == connections, "a connection to the upstream"
            self._check_sent(upstream.requests[requests:], self.shape.sent)
            self.held.answer_as_usual()
            await self._probe(None if case.closed else client)
        finally:
            self.held.answer_as_usual()
            client.abort()

    async def _reply(self, client: ByteClient, expected: str, *, is_last: bool) -> None:
        """Read one reply and hold it against `200`, `HEAD 200` or `400 code`."""
        method = "HEAD" if expected.startswith("HEAD ") else "GET"
        status, _, code = expected.removeprefix("HEAD ").partition(" ")
        reply = await client.reply(method)
        assert reply is not None, "the connection ended without a reply"
        refusal = reply.header(b"x-gateway-refusal")
        got = (reply.status, (refusal or b"").decode())
        assert got == (int(status), code), reply
        says_close = reply.header(b"connection") == b"close"
        assert says_close is (is_last and self.case.closed and not self.case.cut), reply
        self.ids.add(reply.header(b"x-request-id"))
        if refusal is not None and method != "HEAD":
            assert (
                str(reply.status) in json.dumps(json.loads(reply.body))
                or b"exception" in reply.body
            )
        self._check_passed_on(reply)

    def _check_passed_on(self, reply: Reply) -> None:
        case = self.case
        assert reply.complete is not case.cut
        if case.body is not None:
            assert reply.body == expanded(case.body, {})
        if case.lines is not None:
            own = [b"%b: %b" % line for line in reply.fields if line[0] not in _THE_GATEWAYS]
            assert own == [line.encode("latin-1") for line in case.lines]

    def _check_sent(self, recorded: list[bytes], expected: tuple[Sent, ...]) -> None:
        assert len(recorded) == len(expected), recorded
        for raw, sent in zip(recorded, expected, strict=True):
            read = read_request(raw)
            assert read is not None
            message, rest = read
            assert rest == b""
            [request_id] = message.values(b"x-request-id")
            assert request_id in self.ids or not self.case.replies
            head = raw[: raw.index(b"\r\n\r\n") + 4]
            assert head == self._head(sent, request_id)
            assert message.body == sent.body

    def _head(self, sent: Sent, request_id: bytes) -> bytes:
        """Every byte of the head that the upstream must get."""
        framing = []
        if sent.chunked:
            framing = [b"transfer-encoding: chunked"]
        elif sent.body or sent.method in {"POST", "PUT", "PATCH"}:
            framing = [b"content-length: %d" % len(sent.body)]
        return b"\r\n".join((
            sent.request.encode("latin-1") + b" HTTP/1.1",
            b"host: 127.0.0.1:%d" % self.held.upstream.port,
            UPSTREAM_CREDENTIAL,
            TENANT_LINE,
            *(line.encode("latin-1") for line in sent.passes),
            b"x-forwarded-for: 127.0.0.1",
            b"x-forwarded-proto: http",
            b"X-Gateway-Caller: " + sent.caller[0].encode(),
            b"x-request-id: " + request_id,
            *framing,
            b"\r\n",
        ))  # fmt: skip

    async def _probe(self, client: ByteClient | None) -> None:
        """An honest request, on the same connection where there is one, is answered as ever."""
        upstream = self.held.upstream
        connections, requests = len(upstream.conversations), len(upstream.requests)
        probing = client or await ByteClient.connect(self.held.address)
        try:
            await probing.send([PROBE_BYTES])
            reply = await probing.reply()
        finally:
            probing.abort()
        assert reply is not None
        assert (reply.status, reply.body) == (200, b"{}")
        self.ids = {reply.header(b"x-request-id")}
        probe = Sent(PROBE.request, caller="everything")
        self._check_sent(upstream.requests[requests:], (probe,))
        if self.case.upstream is not None:
            assert (len(upstream.conversations) == connections) is self.case.kept, "kept or not"

    async def _take_kept_connections(self) -> None:
        """After this the gateway has to open a new connection, which may serve once or more."""
        self.held.answer = [_LAST]
        client = await ByteClient.connect(self.held.address)
        await client.send([PROBE_BYTES])
        reply = await client.reply()
        assert reply is not None
        assert reply.body == b"last"
        client.abort()


_THE_GATEWAYS = frozenset(
    {b"x-request-id", b"content-length", b"transfer-encoding", b"connection", b"x-gateway-refusal"}
)
