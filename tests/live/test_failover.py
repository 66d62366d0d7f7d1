"""Two nodes, one of them killed: who is answered, by whom, and what each of them saw.

F-12: a read may be sent again, a write never, however the node that had it ended.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.tasks import Tasks
from tests.support.raw import RawClient, Reply
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.upstream import Conversation, RecordingUpstream

READ = "UCS.Customer.readCustomerProfile"
UPDATE = "UCS.Customer.updateCustomerProfile"
PROFILE = "/profiles/0004Va58A92T0017"


class Server(RecordingUpstream):
    """A node that says its name, hesitates when told to, can be killed and come back."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name
        self.answering = asyncio.Event()
        self.answering.set()
        self.script = self._answer
        self._listening: asyncio.Server | None = None
        self._asked = asyncio.Event()

    async def start(self) -> None:
        self._listening = await asyncio.start_server(self._talk, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    def kill(self) -> None:
        """As `kill -9` does: nobody listens, and every connection is torn."""
        if self._listening is not None:
            self._listening.close()
        for conversation in self.conversations:
            conversation.writer.transport.abort()

    async def _answer(self, conversation: Conversation) -> None:
        while request := await conversation.request():
            self.requests.append(request)
            self._asked.set()
            await self.answering.wait()
            name = self.name.encode()
            await conversation.answer(
                b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(name), name)
            )

    async def has(self, count: int) -> None:
        """Until so many requests are here."""
        async with asyncio.timeout(20):
            while len(self.requests) < count:
                self._asked.clear()
                await self._asked.wait()

    @property
    def writes(self) -> Counter[bytes]:
        """The bodies of the writes that came here."""
        return Counter(
            request.partition(b"\r\n\r\n")[2]
            for request in self.requests
            if request.startswith(b"PUT ")
        )


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Server, Server]]:
    servers = Server("a"), Server("b")
    for server in servers:
        await server.start()
    try:
        yield servers
    finally:
        for server in servers:
            server.answering.set()
            server.kill()


def service(*servers: Server, **upstream: Any) -> dict[str, Any]:
    return ucs("", upstream={"nodes": [server.url for server in servers], **upstream})


async def read(site: Site) -> Reply:
    return await site.ask("GET", PROFILE, roles=[READ])


async def write(site: Site, name: str) -> Reply:
    body = b'{"firstname":"%b"}' % name.encode()
    return await site.ask("PUT", PROFILE, roles=[UPDATE], body=body)


def told(site: Site) -> str:
    """What the metrics say of the upstream."""
    return site.metrics().decode()


async def test_the_first_node_is_asked_as_long_as_it_is_in(tmp_path: Path) -> None:
    async with pair() as (a, b), running_site(tmp_path, [service(a, b)]) as site:
        for _ in range(3):
            assert (await read(site)).body == b"a"
        assert b.conversations == []
        [host] = {request.split(b"\r\n")[1] for request in a.requests}
        assert host == b"host: 127.0.0.1:%d" % a.port


async def test_least_outstanding_asks_them_in_turn(tmp_path: Path) -> None:
    async with pair() as (a, b):
        services = [service(a, b, choose="least-outstanding")]
        async with running_site(tmp_path, services) as site:
            answers = Counter([(await read(site)).body for _ in range(6)])
    assert answers == {b"a": 3, b"b": 3}
    [host] = {request.split(b"\r\n")[1] for request in b.requests}
    assert host == b"host: 127.0.0.1:%d" % b.port


async def test_reads_in_flight_on_a_killed_node_are_answered_by_the_other(tmp_path: Path) -> None:
    async with pair() as (a, b), running_site(tmp_path, [service(a, b)]) as site:
        a.answering.clear()
        tasks = Tasks("clients")
        reading = [tasks.start(read(site), name="read") for _ in range(20)]
        await a.has(20)
        a.kill()
        replies = await asyncio.gather(*reading)
        assert [(reply.status, reply.body) for reply in replies] == [(200, b"b")] * 20
        assert len(b.requests) == 20
        assert 'gateway_upstream_retries_total{service="ucs"} 20.0' in told(site)


async def test_writes_in_flight_on_a_killed_node_are_502_and_sent_to_nobody_else(
    tmp_path: Path,
) -> None:
    """F-12."""
    async with pair() as (a, b), running_site(tmp_path, [service(a, b)]) as site:
        a.answering.clear()
        tasks = Tasks("clients")
        writing = [tasks.start(write(site, f"w{n}"), name="write") for n in range(20)]
        await a.has(20)
        a.kill()
        replies = await asyncio.gather(*writing)
        assert {(r.status, r.header("x-gateway-refusal")) for r in replies} == {
            (502, "upstream-failed")
        }
        assert b.requests == []
        assert set(a.writes.values()) == {1}
    endings = [(line["status"], line["ending"]) for line in Audit(tmp_path).lines()]
    assert endings == [(502, "upstream-failed")] * 20


async def test_writes_find_the_next_node_where_none_could_be_sent(tmp_path: Path) -> None:
    """A refused connection carries nothing, so nothing is done twice."""
    async with pair() as (a, b), running_site(tmp_path, [service(a, b)]) as site:
        assert (await read(site)).body == b"a"
        a.kill()
        assert (await read(site)).body == b"b"  # the kept connection is gone by now
        replies = [await write(site, f"w{n}") for n in range(10)]
        assert [(reply.status, reply.body) for reply in replies] == [(200, b"b")] * 10
        assert set(b.writes.values()) == {1}
        assert a.writes == Counter()


async def test_a_node_that_comes_back_is_asked_again(tmp_path: Path) -> None:
    times = {"eject_seconds": 0.02, "max_eject_seconds": 0.02}
    async with pair() as (a, b), running_site(tmp_path, [service(a, b, **times)]) as site:
        a.kill()
        assert {(await read(site)).body for _ in range(5)} == {b"b"}
        assert f'node="127.0.0.1:{a.port}",service="ucs"}} 0.0' in told(site)
        await a.start()
        async with asyncio.timeout(20):
            while (reply := await read(site)).body != b"a":
                assert reply.status == 200
        assert {(await read(site)).body for _ in range(3)} == {b"a"}
        assert f'node="127.0.0.1:{a.port}",service="ucs"}} 1.0' in told(site)


async def test_with_every_node_gone_each_is_tried_and_the_first_to_return_answers(
    tmp_path: Path,
) -> None:
    """Being out is our own bookkeeping: it never refuses a request that nobody tried."""
    async with pair() as (a, b), running_site(tmp_path, [service(a, b)]) as site:
        a.kill()
        b.kill()
        for _ in range(5):
            reply = await read(site)
            assert (reply.status, reply.header("x-gateway-refusal")) == (502, "upstream-failed")
        await b.start()
        reply = await write(site, "w")
        assert (reply.status, reply.body) == (200, b"b")


async def test_a_node_that_fails_its_checks_is_not_asked(tmp_path: Path) -> None:
    health = {"path": "/health", "interval_seconds": 0.02, "fail_after": 1, "pass_after": 1}
    async with pair() as (a, b):
        a.script = a.answers(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")
        async with running_site(tmp_path, [service(a, b, health=health)]) as site:
            async with asyncio.timeout(20):
                while (await read(site)).body != b"b":
                    pass
            seen = [request for request in a.requests if b" /profiles" in request]
            assert (await read(site)).body == b"b"
            assert [request for request in a.requests if b" /profiles" in request] == seen
            ready, detail = site.gateway._upstreams[0].check()
            assert ready
            assert detail.startswith(f"1 of 2 nodes in: 127.0.0.1:{a.port} out for ")
            assert detail.endswith(" (a check was answered with 503)")
            a.kill()  # whatever connection it still has answers as before
            a.script = a._answer
            await a.start()
            async with asyncio.timeout(20):
                while (await read(site)).body != b"a":
                    pass


@pytest.mark.parametrize("choose", ["failover", "least-outstanding"])
async def test_killed_under_load_no_read_fails_and_no_write_is_done_twice(
    tmp_path: Path, choose: str
) -> None:
    """Sixteen clients, each reading and writing in turn, while a node dies and comes back twice."""
    answered: list[tuple[str, int]] = []
    times = {"eject_seconds": 0.01, "max_eject_seconds": 0.02}

    async def client(number: int) -> None:
        for turn in range(20):
            name = f"w{number}-{turn}"
            assert (await read(site)).status == 200
            answered.append((name, (await write(site, name)).status))

    async with pair() as (a, b):
        services = [service(a, b, choose=choose, **times)]
        async with running_site(tmp_path, services) as site:
            tasks = Tasks("clients")
            clients = [tasks.start(client(number), name="client") for number in range(16)]
            for alive in (100, 200):
                await a.has(alive)
                a.kill()
                b_had = len(b.requests)
                await b.has(b_had + 50)
                await a.start()
            await asyncio.gather(*clients)
    writes = a.writes + b.writes
    assert len(answered) == 320
    assert set(writes.values()) == {1}
    assert {status for _, status in answered} <= {200, 502}
    for name, status in answered:
        seen = writes[b'{"firstname":"%b"}' % name.encode()]
        assert seen == 1 if status == 200 else seen <= 1
    assert len(Audit(tmp_path).lines()) == 640


async def test_readiness_and_metrics_tell_of_the_nodes(tmp_path: Path) -> None:
    """Failed requests alone never make the gateway unready: then nothing could bring them in."""
    health = {"path": "/server/status", "interval_seconds": 0.02, "fail_after": 1}
    async with pair() as (a, b):
        services = [
            service(a),
            ucs("", name="other", upstream={"nodes": [b.url], "health": health}),
        ]
        services[1] |= {"prefix": "/other"}
        async with running_site(tmp_path, services) as site:
            ready, checks = await probe(site)
            assert ready == 200
            assert checks["upstream"]["detail"] == "ucs: 1 of 1 nodes in; other: 1 of 1 nodes in"
            a.kill()
            for _ in range(3):
                assert (await read(site)).status == 502
            ready, checks = await probe(site)
            assert ready == 200
            assert checks["upstream"]["detail"] == (
                f"ucs: 0 of 1 nodes in: 127.0.0.1:{a.port} out for 0 s (connection refused);"
                " other: 1 of 1 nodes in"
            )
            assert (
                f'gateway_upstream_ejections_total{{node="127.0.0.1:{a.port}",service="ucs"}} 1.0'
                in told(site)
            )
            assert 'gateway_upstream_waiting{service="ucs"} 0.0' in told(site)
            b.kill()
            async with asyncio.timeout(20):
                while (await probe(site))[0] == 200:
                    pass


async def test_a_node_that_hangs_is_out_even_where_the_clients_time_is_up_first(
    tmp_path: Path,
) -> None:
    """`total_timeout_seconds` may be below `first_byte_timeout_seconds`."""
    limits = {"total_timeout_seconds": 0.1}
    async with pair() as (a, b):
        services = [service(a, b, eject_after=2)]
        async with running_site(tmp_path, services, limits=limits) as site:
            a.answering.clear()
            assert [(await read(site)).status for _ in range(2)] == [504, 504]
            assert (await read(site)).body == b"b"
            _, checks = await probe(site)
            assert "(no reply within total_timeout_seconds)" in checks["upstream"]["detail"]


async def probe(site: Site) -> tuple[int, dict[str, Any]]:
    """Status and checks of the readiness probe."""
    client = await RawClient.connect(site.admin_address)
    await client.send(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    reply = await client.reply()
    await client.close()
    return reply.status, json.loads(reply.body)["checks"]
