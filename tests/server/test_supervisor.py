"""The supervisor with workers that misbehave: each a real process, forked by a nursery of the test."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from subprocess import Popen
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.attempts import Finding, Refused
from gateway.clock import Clock, SystemClock
from gateway.server.channel import receive, send
from gateway.server.doors import open_doors
from gateway.server.messages import TO_NURSERY, Fork, Forked, Gone, Part, Renewed
from gateway.server.patience import Patience
from gateway.server.supervisor import Supervisor, WorkerFailed
from gateway.settings.values import Address
from gateway.tasks import Tasks
from policy import Sources, Text

PROLOGUE = """
import os, signal, socket, sys
from gateway.counts import Snapshot
from gateway.server.channel import receive, send
from gateway.server.messages import *
channel = socket.socket(fileno=int(sys.argv[1]))
counted = Snapshot({"gateway_refusals_total": {("overlong",): 1.0}, "gateway_connections": {(): 5.0}}, {})
def report(detail="fine"):
    send(channel, Report(snapshot=counted, checks={"policy": (True, detail)}))
"""

SERVES = """
send(channel, Serving())
while (received := receive(channel, TO_WORKER)) is not None:
    match received[0]:
        case Ask(): report()
        case Reload(version=version): send(channel, Reloaded(version=version, faults=""))
        case RollBack(version=version): send(channel, Reloaded(version=version, faults=""))
        case Drain():
            send(channel, StoppedAccepting())
            break
"""

HANGS = "send(channel, Serving()); signal.pause()"
NEVER_SERVES = "receive(channel, TO_WORKER)"
DIES_WHEN_ASKED = "send(channel, Serving()); receive(channel, TO_WORKER); report(); os._exit(7)"
DIES = "send(channel, Serving()); report(); os._exit(7)"
CANNOT_START = "send(channel, FailedToStart(detail='cannot record: disk full')); os._exit(1)"
KEEPS_THE_OLD = SERVES.replace('version=version, faults=""', 'version="v1", faults="no room"')

NO_FORK = ""

SOURCES = Sources(services=(), policies=(Text("roles.yaml", "roles: {}"),))

QUICK = Patience(
    heartbeat_seconds=0.02, hung_seconds=1.0, report_seconds=5.0, back_off_seconds=(0.0, 0.01, 0.02)
)


class Journal:
    """Stands for shared memory: any descriptor will do."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def close(self) -> None:
        pass


class Nursery:
    """Forks what it was told to fork next, the last of it for ever.

    What a later generation is asked to fork waits for `before_fork` of its channel.
    """

    def __init__(
        self, *scripts: str, renewed: Renewed, before_fork: Callable[[socket.socket], object]
    ) -> None:
        self._before_fork = before_fork
        self.ours, self.its = socket.socketpair()
        self._scripts = list(scripts)
        self._renewed = renewed
        self._children: list[Popen[bytes]] = []
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, args=(self.its,))
        self._thread.start()

    def _serve(self, channel: socket.socket) -> None:
        while (received := receive(channel, TO_NURSERY)) is not None:
            message, descriptors = received
            if isinstance(message, Fork):
                if channel is not self.its:
                    self._before_fork(channel)
                self._fork(channel, message.slot, descriptors[0])
            else:
                generation = socket.socket(fileno=descriptors.pop())
                receive(generation, TO_NURSERY)
                for part in (b"ta", b"ble"):
                    send(generation, Part(data=part))
                send(generation, self._renewed)
                if self._renewed.faults:
                    generation.close()
                else:
                    threading.Thread(target=self._serve, args=(generation,)).start()
            for descriptor in descriptors:
                os.close(descriptor)
        channel.close()

    def _fork(self, channel: socket.socket, slot: int, descriptor: int) -> None:
        with self._lock:
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        if script == NO_FORK:
            send(channel, Forked(slot=slot, pid=0, fault="cannot fork: no memory"))
            return
        child = Popen(
            [sys.executable, "-c", PROLOGUE + script, str(descriptor)], pass_fds=[descriptor]
        )
        self._children.append(child)
        send(channel, Forked(slot=slot, pid=child.pid))
        threading.Thread(target=self._await_end, args=(channel, child)).start()

    def _await_end(self, channel: socket.socket, child: "Popen[bytes]") -> None:
        status = child.wait()
        try:
            send(channel, Gone(pid=child.pid, status=status << 8 if status >= 0 else -status))
        except OSError:
            return

    def end(self) -> None:
        for child in self._children:
            child.kill()
            child.wait()
        self._thread.join()


@asynccontextmanager
async def supervised(
    *scripts: str,
    workers: int = 1,
    renewed: Renewed | None = None,
    before_fork: Callable[[socket.socket], object] = lambda _: None,
    clock: Clock | None = None,
) -> AsyncIterator[tuple[Supervisor, list[Journal]]]:
    settled: list[Journal] = []
    spare, other = socket.socketpair()

    async def settle(journal: Any) -> None:
        settled.append(journal)

    nursery = Nursery(
        *scripts, renewed=renewed or Renewed(version="v2", faults=""), before_fork=before_fork
    )
    supervisor = Supervisor(
        nursery.ours,
        open_doors(Address("127.0.0.1", 0), workers, {}),
        sources=SOURCES,
        parts=lambda: [b"the first table"],
        make_journal=lambda: Journal(spare.fileno()),
        settle_journal=settle,
        clock=clock or SystemClock(),
        patience=QUICK,
    )
    try:
        yield supervisor, settled
    finally:
        await supervisor.drain(5)
        await supervisor.end(0.0)
        nursery.end()
        spare.close()
        other.close()


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until it holds."""
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.to_thread(os.sched_yield)


def told(log: list[Any], event: str) -> list[Any]:
    return [entry for entry in log if entry["event"] == event]


async def test_a_worker_that_hangs_is_killed_and_replaced() -> None:
    with capture_logs() as log:
        async with supervised(HANGS, SERVES) as (supervisor, settled):
            await supervisor.start()
            (first,) = supervisor.worker_pids
            await until(lambda: bool(told(log, "worker died")))
            await until(lambda: supervisor.worker_pids not in {(), (first,)})

    assert told(log, "worker killed: it has not answered")
    assert told(log, "worker died")[0]["how"] == "killed by SIGKILL"
    assert len(settled) == 2  # the journals of both


async def test_one_that_dies_again_and_again_has_to_wait_longer_each_time() -> None:
    with capture_logs() as log:
        async with supervised(DIES, DIES, DIES, DIES, SERVES, workers=1) as (supervisor, _):
            await supervisor.start()
            await until(lambda: len(told(log, "worker died")) == 4)

    deaths = told(log, "worker died")
    assert [entry["replaced_in_seconds"] for entry in deaths] == [0.0, 0.01, 0.02, 0.02]
    assert {entry["how"] for entry in deaths} == {"ended with status 7"}


async def test_what_a_dead_worker_counted_stays_counted_and_what_it_had_open_is_gone() -> None:
    with capture_logs() as log:
        async with supervised(DIES, SERVES) as (supervisor, _):
            await supervisor.start()
            await until(lambda: bool(told(log, "worker died")) and bool(supervisor.worker_pids))
            counted: dict[str, Any] = {}
            while "gateway_connections" not in counted:  # until the second one serves
                counted = dict((await supervisor.snapshot()).readings)
                await asyncio.to_thread(os.sched_yield)

    assert counted["gateway_refusals_total"]["overlong",] == 2
    assert counted["gateway_connections"][()] == 5
    assert counted["gateway_worker_deaths_total"][()] == 1


async def test_a_worker_that_cannot_start_says_why_and_nothing_serves() -> None:
    async with supervised(CANNOT_START) as (supervisor, _):
        with pytest.raises(WorkerFailed, match="cannot record: disk full"):
            await supervisor.start()


async def test_a_change_reaches_every_worker_once_a_generation_found_it_good() -> None:
    async with supervised(SERVES, workers=2) as (supervisor, _):
        await supervisor.start()
        assert await supervisor.take(SOURCES) == ""
        assert supervisor.distribution.version == "v2"
        assert (await supervisor.checks())["policy"] == (True, "fine")


async def test_a_change_that_a_generation_refuses_reaches_no_worker() -> None:
    found = Finding(file="roles.yaml", line=3, column=1, code="unknown-key", message="…")
    refused = Renewed(version="", faults=str(found), findings=(found,))
    async with supervised(KEEPS_THE_OLD, renewed=refused) as (supervisor, _):
        await supervisor.start()
        with pytest.raises(Refused) as caught:
            await supervisor.take(SOURCES)
        assert caught.value.findings == (found,)
        assert supervisor.distribution.version == SOURCES.digest


async def test_a_worker_that_does_not_take_what_was_found_good_is_told() -> None:
    async with supervised(SERVES, KEEPS_THE_OLD, workers=2) as (supervisor, _):
        await supervisor.start()
        assert "no room" in await supervisor.take(SOURCES)


async def test_without_a_change_there_is_nothing_to_go_back_to() -> None:
    async with supervised(SERVES) as (supervisor, _):
        await supervisor.start()
        with pytest.raises(Refused, match="no version to go back to"):
            await supervisor.roll_back()


async def test_a_rollback_reaches_every_worker_and_can_be_rolled_back() -> None:
    async with supervised(SERVES, workers=2) as (supervisor, _):
        await supervisor.start()
        assert await supervisor.take(SOURCES) == ""
        assert await supervisor.roll_back() == ""
        assert supervisor.distribution.version == SOURCES.digest
        assert await supervisor.roll_back() == ""
        assert supervisor.distribution.version == "v2"


TELLS_WHAT_IT_KEEPS = """
send(channel, Serving())
parts = b""
while (received := receive(channel, TO_WORKER)) is not None:
    match received[0]:
        case Ask(): report()
        case Part(data=data): parts += data
        case Keep(version=version): kept = f"{version} of {parts.decode()}"
        case RollBack(version=version): send(channel, Reloaded(version=version, faults=kept))
        case Drain():
            send(channel, StoppedAccepting())
            break
"""


async def test_a_worker_started_since_is_given_the_version_to_go_back_to() -> None:
    with capture_logs() as log:
        async with supervised(SERVES, TELLS_WHAT_IT_KEEPS) as (supervisor, _):
            await supervisor.start()
            assert await supervisor.take(SOURCES) == ""
            os.kill(supervisor.worker_pids[0], signal.SIGKILL)
            await until(lambda: bool(told(log, "worker died")) and bool(supervisor.worker_pids))
            await served(supervisor)
            assert await supervisor.roll_back() == (
                f"worker 0: {SOURCES.digest} of the first table"
            )


async def test_draining_is_not_ready() -> None:
    async with supervised(SERVES) as (supervisor, _):
        await supervisor.start()
        assert (await supervisor.checks())["workers"] == (True, "1 of 1 serving")
        await supervisor.drain(5)
        assert (await supervisor.checks())["workers"] == (False, "draining")


class LeapingClock:
    """Every look at it is so many seconds later than the last one."""

    def __init__(self) -> None:
        self.leap_seconds = 0.0
        self._now = 0.0

    def monotonic(self) -> float:
        self._now += self.leap_seconds
        return self._now

    def wall(self) -> float:
        return self._now


async def test_a_supervisor_that_was_halted_for_long_kills_nobody_for_it() -> None:
    clock = LeapingClock()
    with capture_logs() as log:
        async with supervised(SERVES, HANGS, SERVES, workers=2, clock=clock) as (supervisor, _):
            await supervisor.start()
            pids = supervisor.worker_pids
            clock.leap_seconds = 1000.0
            await until(lambda: bool(told(log, "worker died")))
            clock.leap_seconds = 0.0

    (killed,) = told(log, "worker killed: it has not answered")
    (died,) = told(log, "worker died")
    assert died["pid"] == pids[killed["worker"]]
    assert died["worker"] == killed["worker"]


async def test_one_that_dies_while_all_are_asked_is_counted_once() -> None:
    async with supervised(DIES_WHEN_ASKED, HANGS, SERVES, workers=2) as (supervisor, _):
        await supervisor.start()
        counted = dict((await supervisor.snapshot()).readings)  # until the other one is killed

    assert counted["gateway_refusals_total"]["overlong",] == 1


async def test_a_replacement_that_cannot_start_is_tried_again() -> None:
    with capture_logs() as log:
        async with supervised(SERVES, CANNOT_START, SERVES) as (supervisor, _):
            await supervisor.start()
            os.kill(supervisor.worker_pids[0], signal.SIGKILL)
            await until(lambda: len(told(log, "worker died")) == 2)
            await served(supervisor)

    assert {each["how"] for each in told(log, "worker died")} == {
        "killed by SIGKILL",
        "cannot record: disk full",
    }


async def test_a_fork_that_fails_is_tried_again() -> None:
    with capture_logs() as log:
        async with supervised(SERVES, NO_FORK, NO_FORK, SERVES) as (supervisor, _):
            await supervisor.start()
            os.kill(supervisor.worker_pids[0], signal.SIGKILL)
            await until(lambda: bool(told(log, "worker died")))
            await served(supervisor)

    assert [
        (each["why"], each["again_in_seconds"]) for each in told(log, "no worker can be started")
    ] == [("cannot fork: no memory", 0.01), ("cannot fork: no memory", 0.02)]


async def test_a_first_fork_that_fails_is_told_and_nothing_serves() -> None:
    async with supervised(NO_FORK) as (supervisor, _):
        with pytest.raises(WorkerFailed, match="cannot fork: no memory"):
            await supervisor.start()


async def served(supervisor: Supervisor) -> None:
    """Until one worker serves."""
    async with asyncio.timeout(60):
        while (await supervisor.checks())["workers"] != (True, "1 of 1 serving"):
            await asyncio.to_thread(os.sched_yield)


async def test_a_reload_reaches_a_worker_that_the_generation_before_is_just_forking() -> None:
    def until_it_is_replaced(channel: socket.socket) -> bytes:
        return channel.recv(1, socket.MSG_PEEK)

    with capture_logs() as log:
        async with supervised(SERVES, before_fork=until_it_is_replaced) as (supervisor, _):
            await supervisor.start()
            assert await supervisor.take(SOURCES) == ""
            os.kill(supervisor.worker_pids[0], signal.SIGKILL)
            await until(lambda: bool(told(log, "worker died")) and not supervisor.worker_pids)
            async with asyncio.timeout(60):
                assert await supervisor.take(SOURCES) == ""
            assert len(supervisor.worker_pids) == 1


async def test_the_end_reaches_a_worker_that_is_just_being_forked() -> None:
    gate, tasks = threading.Event(), Tasks("test")
    with capture_logs() as log:
        async with supervised(SERVES, before_fork=lambda _: gate.wait(60)) as (supervisor, settled):
            await supervisor.start()
            assert await supervisor.take(SOURCES) == ""
            os.kill(supervisor.worker_pids[0], signal.SIGKILL)
            await until(lambda: bool(told(log, "worker died")) and not supervisor.worker_pids)
            draining = tasks.start(supervisor.drain(60), name="drain")
            while (await supervisor.checks())["workers"] != (False, "draining"):
                await asyncio.to_thread(os.sched_yield)
            gate.set()
            async with asyncio.timeout(60):
                await draining
                await supervisor.end(1000)

    assert len(settled) == 2
    assert len(told(log, "worker died")) == 1
    assert not told(log, "worker killed: it did not end in time")


async def test_the_end_is_counted_from_the_beginning_of_the_drain() -> None:
    clock = LeapingClock()
    with capture_logs() as log:
        async with supervised(HANGS, clock=clock) as (supervisor, _):
            await supervisor.start()
            await supervisor.drain(0.01)
            clock.leap_seconds = 2000.0
            async with asyncio.timeout(60):
                await supervisor.end(1000)

    assert told(log, "worker killed: it did not end in time")


async def test_a_start_that_is_given_up_leaves_no_worker() -> None:
    with capture_logs() as log:
        async with supervised(NEVER_SERVES) as (supervisor, _):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await supervisor.start()
            async with asyncio.timeout(60):
                await supervisor.end(1000)
            assert not supervisor.worker_pids

    assert not told(log, "worker killed: it did not end in time")
