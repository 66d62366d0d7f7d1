"""What is sent a second time and what never is; and that whoever waits for a place gets one.

F-12 and F-11, each from what the nodes saw.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.tasks import Tasks
from tests.support.raw import Reply, request
from tests.support.site import Audit, Site, running_site, ucs
from tests.support.tokens import bearer
from tests.support.upstream import OK, Conversation, RecordingUpstream, Script, recording_upstream

READ = "UCS.Customer.readCustomerProfile"
UPDATE = "UCS.Customer.updateCustomerProfile"
IMPORT = ("UCS.Customer.executeBulkImport", "UCS.Customer.createProfile",
          "UCS.Customer.createProfileExtension")  # fmt: skip
PROFILE = "/profiles/0004Va58A92T0017"


@pytest.fixture
async def nodes() -> AsyncIterator[list[RecordingUpstream]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(recording_upstream()) for _ in range(3)]


def service(nodes: list[RecordingUpstream], **upstream: Any) -> dict[str, Any]:
    return ucs("", upstream={"nodes": [node.url for node in nodes], **upstream})


def says(node: RecordingUpstream, *replies: bytes, last: bytes = b"") -> Script:
    """Answers with each of `replies`, and the request after that with `last` and no more."""

    async def script(conversation: Conversation) -> None:
        for reply in [*replies, last]:
            if request := await conversation.request():
                node.requests.append(request)
                await conversation.answer(reply)

    return script


def outcome(reply: Reply) -> tuple[int, str | None]:
    return reply.status, reply.header("x-gateway-refusal")


async def read(site: Site) -> Reply:
    return await site.ask("GET", PROFILE, roles=[READ])


FAILED = (502, "upstream-failed")


async def test_a_read_that_a_node_did_not_answer_is_answered_by_the_next(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    a, *_ = nodes
    a.script = says(a)
    async with running_site(tmp_path, [service(nodes)]) as site:
        assert outcome(await read(site)) == (200, None)
    assert [len(node.requests) for node in nodes] == [1, 1, 0]


async def test_a_read_is_sent_again_once_and_not_twice(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    """A request that kills its server should not kill them all."""
    a, b, _ = nodes
    a.script, b.script = says(a), says(b)
    async with running_site(tmp_path, [service(nodes)]) as site:
        assert outcome(await read(site)) == FAILED
    assert [len(node.requests) for node in nodes] == [1, 1, 0]


async def test_what_is_sent_again_goes_into_a_new_connection(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    """Where one kept connection was closed behind our back, the others may have been as well."""
    a, *_ = nodes
    both_here = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        a.requests.append(await conversation.request())
        if len(a.requests) == 2:
            both_here.set()
        await both_here.wait()
        await conversation.answer(OK)
        a.requests.append(await conversation.request())

    a.script = script
    async with running_site(tmp_path, [service([a])]) as site:
        tasks = Tasks("clients")
        await asyncio.gather(*(tasks.start(read(site), name="read") for _ in range(2)))
        assert len(a.conversations) == 2
        assert outcome(await read(site)) == (200, None)
    assert len(a.conversations) == 3


@pytest.mark.parametrize("heard", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_a_read_of_which_anything_was_heard_is_not_sent_again(
    tmp_path: Path, nodes: list[RecordingUpstream], heard: bytes
) -> None:
    a, *_ = nodes
    a.script = says(a, last=heard)
    async with running_site(tmp_path, [service(nodes)]) as site:
        assert outcome(await read(site)) == FAILED
    assert [len(node.requests) for node in nodes] == [1, 0, 0]


async def test_a_read_that_took_too_long_is_not_sent_again(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    """The same work twice is the last thing that a slow server needs."""
    a, *_ = nodes
    held = asyncio.Event()

    async def script(conversation: Conversation) -> None:
        a.requests.append(await conversation.request())
        await held.wait()

    a.script = script
    services = [service(nodes, first_byte_timeout_seconds=0.05)]
    async with running_site(tmp_path, services) as site:
        assert outcome(await read(site)) == (504, "upstream-timeout")
        held.set()
    assert [len(node.requests) for node in nodes] == [1, 0, 0]


@pytest.mark.parametrize("answered_before", [0, 1], ids=["a new connection", "a kept connection"])
async def test_a_write_that_may_have_arrived_is_not_sent_again(
    tmp_path: Path, nodes: list[RecordingUpstream], answered_before: int
) -> None:
    """Not even where the server may have closed the kept connection before: nobody knows."""
    a, *_ = nodes
    a.script = says(a, *[OK] * answered_before)
    async with running_site(tmp_path, [service(nodes)]) as site:
        for _ in range(answered_before):
            assert outcome(await read(site)) == (200, None)
        reply = await site.ask("PUT", PROFILE, roles=[UPDATE], body=b"{}")
        assert outcome(reply) == FAILED
    assert [len(node.requests) for node in nodes] == [answered_before + 1, 0, 0]


async def test_an_upload_goes_whole_to_the_node_that_can_be_reached(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    async with recording_upstream() as gone:
        pass
    _, b, _ = nodes
    services = [service([gone, b])]
    async with running_site(tmp_path, services) as site:
        client = await site.connect()
        head = b"POST /profiles/import HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        await client.send(head + b"Authorization: " + bearer(roles=IMPORT) + b"\r\n\r\n")
        await client.send(b"3\r\nabc\r\n0\r\n\r\n")
        assert (await client.reply()).status == 200
    [sent] = b.requests
    assert sent.endswith(b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n")


async def test_a_node_that_refuses_the_gateways_credential_is_not_out(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    a, *_ = nodes
    a.script = a.answers(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")
    async with running_site(tmp_path, [service(nodes)]) as site:
        for _ in range(5):
            assert outcome(await read(site)) == FAILED
        assert site.gateway._upstreams[0].check() == (True, "3 of 3 nodes in")


async def test_replies_that_are_cut_off_put_their_node_out(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    a, *_ = nodes
    a.script = says(a, last=b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc")
    async with running_site(tmp_path, [service(nodes, eject_seconds=30.0)]) as site:
        for _ in range(3):
            client = await site.connect()
            await client.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
            await client.rest()
        assert outcome(await read(site)) == (200, None)
    assert [len(node.requests) for node in nodes] == [3, 1, 0]


async def test_a_reply_that_began_before_its_node_went_out_does_not_keep_it_out(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    """What it says at its end is that nothing failed; that the node is back is for a trial to say."""
    a, b, _ = nodes
    go_on = asyncio.Event()

    async def long_reply(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{")
        await go_on.wait()
        await conversation.answer(b"}")

    a.script = long_reply
    times = {"eject_seconds": 0.02, "max_eject_seconds": 0.02}
    async with running_site(tmp_path, [service([a, b], **times)]) as site:
        client = await site.connect()
        await client.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
        await client.reader.readuntil(b"{")
        a.script = says(a)
        for _ in range(3):
            assert outcome(await read(site)) == (200, None)
        [primary, _] = site.gateway._upstreams[0].nodes
        assert not primary.is_in
        go_on.set()
        assert await client.reader.readexactly(1) == b"}"
        a.script = a.answers(OK)
        async with asyncio.timeout(20):
            while not primary.is_in:
                assert outcome(await read(site)) == (200, None)


async def test_an_outage_is_not_a_flood_in_the_log(tmp_path: Path) -> None:
    """Every request has its audit line; the log has one for the node and one for an example."""
    async with recording_upstream() as gone:
        pass
    async with running_site(tmp_path, [service([gone])]) as site:
        with capture_logs() as log:
            for _ in range(20):
                assert outcome(await read(site)) == FAILED
    warnings = [line for line in log if line["log_level"] == "warning"]
    assert [line["event"] for line in warnings] == ["upstream-failed", "upstream node out"]
    name = gone.url.removeprefix("http://")
    assert warnings[0]["detail"] == f"{name}: connection refused"
    assert warnings[1]["why"] == "connection refused"
    assert len(Audit(tmp_path).lines()) == 20


# --- places ------------------------------------------------------------------------------------


class Busy:
    """A node that has a place for one request and keeps it as long as the test wants."""

    def __init__(self, node: RecordingUpstream) -> None:
        self.asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self._node = node
        node.script = self._script

    async def _script(self, conversation: Conversation) -> None:
        while request := await conversation.request():
            self._node.requests.append(request)
            self.asked.set()
            await self.go_on.wait()
            await conversation.answer(OK)


async def waiting(site: Site, count: int) -> None:
    """Until so many requests are in line, asking the gateway something else meanwhile."""
    places = site.gateway._upstreams[0].places
    async with asyncio.timeout(20):
        while places.waiting != count:
            await site.ask("GET", PROFILE, roles=[])


async def test_whoever_finds_no_place_in_time_is_told_to_come_back(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    busy = Busy(nodes[0])
    bounds = {"max_concurrent": 1, "wait_timeout_seconds": 0.02}
    async with running_site(tmp_path, [service(nodes[:1], **bounds)]) as site:
        first = Tasks("clients").start(read(site), name="first")
        await busy.asked.wait()
        assert outcome(await read(site)) == (503, "upstream-busy")
        busy.go_on.set()
        assert outcome(await first) == (200, None)
        assert outcome(await read(site)) == (200, None)
    assert len(nodes[0].requests) == 2
    refused = Audit(tmp_path).lines()[0]
    assert (refused["status"], refused["ending"]) == (503, "refused")
    assert (refused["effect"], refused["upstream_ms"]) == ("allow", None)


async def test_a_client_that_leaves_while_it_waits_leaves_no_gap(
    tmp_path: Path, nodes: list[RecordingUpstream]
) -> None:
    busy = Busy(nodes[0])
    bounds = {"max_concurrent": 1, "wait_timeout_seconds": 60}
    async with running_site(tmp_path, [service(nodes[:1], **bounds)]) as site:
        tasks = Tasks("clients")
        first = tasks.start(read(site), name="first")
        await busy.asked.wait()
        leaving = await site.connect()
        await leaving.send(request("GET", PROFILE, authorization=bearer(roles=(READ,))))
        await waiting(site, 1)
        staying = tasks.start(read(site), name="staying")
        await waiting(site, 2)
        leaving.writer.transport.abort()
        await waiting(site, 1)
        busy.go_on.set()
        assert outcome(await first) == (200, None)
        assert outcome(await staying) == (200, None)
        assert [node.outstanding for node in site.gateway._upstreams[0].nodes] == [0]
    assert len(nodes[0].requests) == 2
    endings = [line["ending"] for line in Audit(tmp_path).lines() if line["effect"] == "allow"]
    assert sorted(endings) == ["client-left", "complete", "complete"]


@pytest.mark.parametrize("sent", [b"", b"abc"], ids=["before its body", "amid its body"])
async def test_a_client_that_leaves_amid_its_upload_gives_the_place_back(
    tmp_path: Path, nodes: list[RecordingUpstream], sent: bytes
) -> None:
    """F-11: and its connection is not used again."""
    hung_up = asyncio.Event()
    a = nodes[0]

    async def script(conversation: Conversation) -> None:
        await conversation.reader.readuntil(b"\r\n\r\n")
        conversation.received += await conversation.reader.read()
        hung_up.set()

    a.script = script
    async with running_site(tmp_path, [service(nodes[:1], max_concurrent=1)]) as site:
        client = await site.connect()
        head = b"POST /profiles/import HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
        await client.send(head + b"Authorization: " + bearer(roles=IMPORT) + b"\r\n\r\n" + sent)
        async with asyncio.timeout(20):
            while not a.conversations:
                await site.ask("GET", PROFILE, roles=[])
        client.writer.transport.abort()
        async with asyncio.timeout(20):
            await hung_up.wait()
        a.script = a.answers(OK)
        assert outcome(await read(site)) == (200, None)
    assert len(a.conversations) == 2
