"""What a check asks, what it takes for an answer, and after how many of them it says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from gateway.settings import HealthSettings
from gateway.upstream.health import HealthChecks, Streak
from gateway.upstream.nodes import Ejection, Node
from gateway.upstream.pool import Pool
from gateway.wire.outbox import Outbox
from gateway.wire.upstream import UpstreamLimits
from gateway.wire.watch import Watch
from tests.support.clock import FakeClock
from tests.support.nodes import a_node
from tests.support.upstream import Conversation, RecordingUpstream, recording_upstream

FAILED = "connection refused"


@pytest.mark.parametrize(
    ("results", "is_in"),
    [
        ("f", True),
        ("ff", False),
        ("fpf", True),
        ("ffp", False),
        ("ffpfp", False),
        ("ffpp", True),
        ("ffppf", True),
        ("ffffffpp", True),
    ],
)
def test_so_many_alike_in_a_row_put_a_node_out_or_in(
    clock: FakeClock, results: str, is_in: bool
) -> None:
    node = a_node(clock)
    streak = Streak(node, fail_after=2, pass_after=2)
    for result in results:
        streak.add(FAILED if result == "f" else "")
    assert node.is_in is is_in


def test_only_a_change_is_told(clock: FakeClock) -> None:
    streak = Streak(a_node(clock), fail_after=2, pass_after=2)
    with capture_logs() as log:
        for result in ["", "", FAILED, *[FAILED] * 50, *[""] * 50]:
            streak.add(result)
    assert [line["event"] for line in log] == ["upstream node out", "upstream node in"]


class Pauses:
    """Lets one check after the other be made, each when the test asks for it."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._done = asyncio.Event()
        self._go = asyncio.Event()

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        self._done.set()
        await self._go.wait()
        self._go.clear()

    async def one_check(self) -> None:
        """Until the next check has its result."""
        async with asyncio.timeout(10):
            await self._done.wait()
        self._done.clear()

    def go_on(self) -> None:
        self._go.set()


@asynccontextmanager
async def checked(
    upstream: RecordingUpstream, *, checks: int = 1, **settings: object
) -> AsyncIterator[Node]:
    """The node after so many checks."""
    loop = asyncio.get_running_loop()
    watch = Watch(loop)
    pool = Pool(
        name=f"127.0.0.1:{upstream.port}",
        host="127.0.0.1",
        port=upstream.port,
        watch=watch,
        outbox=Outbox(loop),
        limits=UpstreamLimits(first_byte_timeout_seconds=60.0, idle_timeout_seconds=60.0),
        max_idle=4,
        connect_timeout_seconds=3.0,
        keep_seconds=15.0,
    )
    node = Node(
        pool,
        service="ucs",
        clock=FakeClock(),
        ejection=Ejection(after=3, seconds=1.0, max_seconds=30.0),
        max_concurrent=1,
    )
    pauses = Pauses()
    health = HealthChecks(
        [node],
        HealthSettings.model_validate(
            {"path": "/health?deep=1", "fail_after": 1, "pass_after": 1} | settings
        ),
        constant_lines=b"authorization: Basic Z3c6cHc=\r\n",
        changing_line=lambda: b"",
        pause=pauses,
    )
    health.start()
    try:
        for number in range(checks):
            if number:
                pauses.go_on()
            await pauses.one_check()
        assert pauses.seconds == [5.0] * checks
        assert (pool.active, pool.idle, node.outstanding) == (0, 0, 0)
        yield node
    finally:
        await health.close()
        watch.close()


@pytest.fixture
async def upstream() -> AsyncIterator[RecordingUpstream]:
    async with recording_upstream() as recording:
        yield recording


async def test_a_check_bears_the_nodes_host_and_the_gateways_credential(
    upstream: RecordingUpstream,
) -> None:
    async with checked(upstream) as node:
        assert node.is_in
    assert upstream.requests == [
        b"GET /health?deep=1 HTTP/1.1\r\n"
        b"host: 127.0.0.1:%d\r\n"
        b"authorization: Basic Z3c6cHc=\r\n"
        b"accept: */*\r\n"
        b"connection: close\r\n"
        b"\r\n" % upstream.port
    ]


async def test_each_check_makes_a_connection_of_its_own(upstream: RecordingUpstream) -> None:
    async with checked(upstream, checks=3):
        pass
    assert len(upstream.conversations) == 3


@pytest.mark.parametrize(
    ("status", "passes"),
    [(200, True), (204, True), (302, True), (399, True), (400, False), (401, False), (404, False),
     (500, False), (503, False)],
)  # fmt: skip
async def test_2xx_and_3xx_pass(upstream: RecordingUpstream, status: int, passes: bool) -> None:
    upstream.script = upstream.answers(b"HTTP/1.1 %d Why\r\nContent-Length: 0\r\n\r\n" % status)
    async with checked(upstream) as node:
        assert node.is_in is passes
        if not passes:
            assert f"(a check was answered with {status})" in node.state()


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"", "the upstream closed the connection before it answered"),
        (b"garbage\r\n\r\n", "the reply's head is malformed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", "the reply's body ended early"),
    ],
)
async def test_half_an_answer_is_none(upstream: RecordingUpstream, reply: bytes, why: str) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(reply)

    upstream.script = script
    async with checked(upstream) as node:
        assert why in node.state()


async def test_an_answer_without_end_is_not_read_to_its_end(upstream: RecordingUpstream) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.answer(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await conversation.answer(b"x" * 10_000)

    upstream.script = script
    async with checked(upstream) as node:
        assert node.is_in


async def test_a_server_that_does_not_answer_in_time_fails(upstream: RecordingUpstream) -> None:
    async def script(conversation: Conversation) -> None:
        await conversation.request()
        await conversation.request()

    upstream.script = script
    async with checked(upstream, timeout_seconds=0.05) as node:
        assert "(a check got no answer in time)" in node.state()


async def test_a_server_that_is_not_there_fails() -> None:
    async with recording_upstream() as upstream:
        pass
    async with checked(upstream) as node:
        assert "(connection refused)" in node.state()
