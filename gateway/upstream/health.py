"""Asking each node how it is, again and again, so that one that is dead is out before it is needed.

A check is a request like any other, on a connection of its own: that it can be made is half of
what is asked. One result says little; so many of a kind in a row put a node out or in again, and
the log hears of that only.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway.errors import UpstreamFailed, UpstreamTimeout
from gateway.settings import HealthSettings
from gateway.tasks import Tasks
from gateway.upstream.nodes import Node
from gateway.wire.upstream import UpstreamConnection

__all__ = ["HealthChecks", "Streak"]

# What a check's reply may hold; more of it than this is not read.
_MAX_BODY_BYTES = 65_536

_PASSED = ""


class Streak:
    """The results of one node's checks, as far as they are alike."""

    def __init__(self, node: Node, *, fail_after: int, pass_after: int) -> None:
        self._node = node
        self._fail_after = fail_after
        self._pass_after = pass_after
        self._passed = 0
        self._failed = 0

    def __repr__(self) -> str:
        return f"<Streak {self._node.name} {self._passed} passed, {self._failed} failed>"

    def add(self, why: str) -> None:
        """The last check passed, where `why` is empty, or failed for that reason."""
        if why:
            self._passed, self._failed = 0, self._failed + 1
            if self._failed == self._fail_after:
                self._node.unhealthy(why)
        else:
            self._passed, self._failed = self._passed + 1, 0
            if self._passed >= self._pass_after and not self._node.is_healthy:
                self._node.healthy()


class HealthChecks:
    """The checks of one service's nodes, one task each.

    `changing_line` is the header line with the gateway's own credential where that changes, None
    while there is none: then nobody is asked, since the answer would say nothing of the node.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        settings: HealthSettings,
        *,
        constant_lines: bytes,
        changing_line: Callable[[], bytes | None],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._nodes = nodes
        self._settings = settings
        self._line = b"GET %b HTTP/1.1\r\n" % settings.path.encode("ascii")
        self._changing_line = changing_line
        self._lines = constant_lines + b"accept: */*\r\nconnection: close\r\n\r\n"
        self._pause = pause
        self._tasks = Tasks("health")
        self._asking: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return f"<HealthChecks {self._settings.path} at {len(self._nodes)} nodes>"

    def start(self) -> None:
        self._asking = [
            self._tasks.start(self._keep_asking(node), name=node.name) for node in self._nodes
        ]

    async def close(self) -> None:
        await self._tasks.close()

    async def _keep_asking(self, node: Node) -> None:
        settings = self._settings
        streak = Streak(node, fail_after=settings.fail_after, pass_after=settings.pass_after)
        while True:
            line = self._changing_line()
            if line is not None:
                streak.add(await self._result(node, line))
            await self._pause(settings.interval_seconds)

    async def _result(self, node: Node, changing_line: bytes) -> str:
        """Why a check failed, or nothing."""
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                connection = await node.pool.open()
                try:
                    return await self._ask(node, connection, changing_line)
                finally:
                    connection.abort()
        except TimeoutError:
            return "a check got no answer in time"
        except (UpstreamFailed, UpstreamTimeout) as error:
            return error.detail

    async def _ask(self, node: Node, connection: UpstreamConnection, changing_line: bytes) -> str:
        lines = node.host_line + changing_line + self._lines
        connection.send_request(self._line + lines)
        while (reply := connection.take_reply("GET")) is None:
            await connection.wait()
        taken = 0
        while taken <= _MAX_BODY_BYTES and (piece := await connection.body_piece()):
            taken += len(piece)
        if 200 <= reply.status < 400:
            return _PASSED
        return f"a check was answered with {reply.status}"
