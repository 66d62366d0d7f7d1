"""A worker process: one started gateway, and one ear for its supervisor.

It is forked from a nursery with a gateway that is already complete. It ends when it is told to
drain, when it gets SIGTERM, and when its supervisor is gone: a guard that nobody watches any more
finishes what it has begun and leaves.
"""

import asyncio
import gc
import signal
import socket
from typing import assert_never

import uvloop

from gateway.app.gateway import Gateway
from gateway.app.swap import PolicySwap
from gateway.audit import Journal
from gateway.candidate import Reverted
from gateway.errors import AuditUnavailable
from gateway.logs import get as get_logger
from gateway.server.channel import Listening
from gateway.server.messages import (
    TO_WORKER,
    Ask,
    Drain,
    FailedToStart,
    Keep,
    Part,
    Reload,
    Reloaded,
    Reopen,
    Report,
    Revert,
    RollBack,
    Serving,
    StoppedAccepting,
    ToWorker,
    Try,
    Turned,
    Withdraw,
)
from gateway.tasks import Tasks

__all__ = ["work"]

_log = get_logger("gateway.worker")


def work(
    gateway: Gateway, channel: socket.socket, journal: Journal, sockets: list[socket.socket]
) -> int:
    """Serve to the end; the exit status of this process."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Worker(gateway, channel).run(journal, sockets))


class _Worker:
    def __init__(self, gateway: Gateway, channel: socket.socket) -> None:
        self._gateway = gateway
        self._supervisor: Listening[ToWorker] = Listening(channel, TO_WORKER)
        self._told_to_end = asyncio.Event()
        self._tasks = Tasks("worker")
        self._policy = PolicySwap(gateway.live, clock=gateway.clock, key=gateway.rollout_key)
        self._parts: list[bytes] = []
        self._changing = asyncio.Lock()

    async def run(self, journal: Journal, sockets: list[socket.socket]) -> int:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._told_to_end.set)
        await self._supervisor.open()
        try:
            await self._gateway.start(sockets, journal=journal)
        except AuditUnavailable as error:
            return await self._fail(f"cannot record: {error.detail}")
        except OSError as error:
            return await self._fail(f"cannot listen: {(error.strerror or str(error)).lower()}")
        _settle_memory()
        self._supervisor.tell(Serving())
        _ = self._tasks.start(self._listen(), name="supervisor")
        await self._told_to_end.wait()
        await self._gateway.stop_accepting()
        self._supervisor.tell(StoppedAccepting())
        await self._gateway.close()
        self._supervisor.tell(self._report())
        await self._tasks.close()
        await self._policy.close()
        await self._supervisor.finish()
        return 0

    async def _fail(self, detail: str) -> int:
        self._supervisor.tell(FailedToStart(detail=detail))
        await self._supervisor.finish()
        return 1

    async def _listen(self) -> None:
        while (message := await self._supervisor.next()) is not None:
            match message:
                case Ask():
                    self._supervisor.tell(self._report(with_tally=message.tally))
                case Reopen():
                    self._gateway.reopen_audit()
                case Part():
                    self._parts.append(message.data)
                case Reload() | Keep() | RollBack() | Try() | Withdraw():
                    parts, self._parts = self._parts, []
                    _ = self._tasks.start(self._change(message, parts), name="policy")
                case Revert():
                    self._policy.revert(message.version, message.reverted)
                case Drain():
                    self._told_to_end.set()
        if not self._told_to_end.is_set():
            _log.error("the supervisor is gone: this worker ends when its requests have")
        self._told_to_end.set()

    async def _change(
        self, message: Reload | Keep | RollBack | Try | Withdraw, parts: list[bytes]
    ) -> None:
        """One at a time, in the order in which they came."""
        async with self._changing:
            version = ""
            match message:
                case Keep():
                    faults = await self._policy.keep(parts, message.version)
                    if faults:
                        _log.error("the version before cannot be kept", why=faults)
                    return
                case RollBack():
                    faults = self._policy.roll_back(message.version)
                case Reload():
                    faults = await self._policy.take(parts, message.version)
                    faults = "\n".join(filter(None, (faults, await self._gateway.reload())))
                case Try():
                    version = message.version
                    faults = await self._policy.try_out(parts, message, self._turned)
                case Withdraw():
                    faults = ""
                    self._policy.withdraw()
                case _:
                    assert_never(message)
        version = version or self._gateway.live.table.version
        self._supervisor.tell(Reloaded(version=version, faults=faults))

    def _turned(self, reverted: Reverted) -> None:
        trial = self._gateway.live.trial
        if trial is not None:
            self._supervisor.tell(Turned(version=trial.table.version, reverted=reverted))

    def _report(self, *, with_tally: bool = False) -> Report:
        trial = self._gateway.live.trial if with_tally else None
        return Report(
            snapshot=self._gateway.snapshot(),
            checks=dict(self._gateway.checks()),
            policy=self._policy.held,
            tally=None if trial is None else trial.tally(),
        )


def _settle_memory() -> None:
    """What was built at start lives as long as the process: the collector need not look at it.

    Requests leave little garbage in cycles. A young generation of a few thousand objects is looked at
    in a tenth of a millisecond; one of 20,000 takes 20 ms whenever many connections come at once.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(2_000, 500, 50)
