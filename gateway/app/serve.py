"""The gateway as a service: this process supervises, a nursery forks, workers serve.

The order matters. Everything that the files can get wrong comes first; then the nursery is forked,
while this process has neither threads nor sockets; then the sockets are opened or taken over; and
only then an event loop begins, with the admin port and the workers. The admin port therefore answers
whatever the workers do, and one scrape sums them up.
"""

import asyncio
import contextlib
import io
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from functools import partial

import policy
from gateway.app.control import admin_server, trials_of, watch_files
from gateway.app.gateway import Gateway, digest_key, read_sources
from gateway.app.swap import parts_of
from gateway.app.worker import work
from gateway.attempts import refused_for
from gateway.audit import Journal, Recovered, recover_into, sink_for
from gateway.clock import SystemClock
from gateway.errors import SettingsInvalid
from gateway.logs import always_say
from gateway.logs import get as get_logger
from gateway.reload import PolicyChanges
from gateway.server.doors import Doors, open_doors, open_one, take_over, where
from gateway.server.notify import notify
from gateway.server.nursery import start_nursery
from gateway.server.supervisor import Supervisor, WorkerFailed
from gateway.server.takeover import Predecessor, Successors
from gateway.settings import Settings
from gateway.tasks import Tasks
from policy import DecisionTable, PolicyError, Sources, UseRole

__all__ = ["serve"]

_log = get_logger("gateway.app")

_FIRST_RETRY_SECONDS = 0.1
_MOST_RETRY_SECONDS = 5.0


class _Prepared:
    """A gateway that is complete but not started: what workers are forked from."""

    def __init__(self, settings: Settings, table: DecisionTable, key: bytes) -> None:
        self._gateway = Gateway(settings, table, key=key)
        self.version = table.version

    def parts(self) -> Iterator[bytes]:
        return parts_of(self._gateway.live.table)

    def serve(self, channel: socket.socket, descriptors: list[int], slot: int) -> int:
        always_say(worker=slot)
        journal, *listening = descriptors
        sockets = [socket.socket(fileno=descriptor) for descriptor in listening]
        return work(self._gateway, channel, Journal.attach(journal), sockets)


def _prepare_anew(settings: Settings, key: bytes, sources: bytes) -> _Prepared:
    try:
        table = policy.compile(policy.load(policy.unpacked(Sources, io.BytesIO(sources))))
        return _Prepared(settings, table, key)
    except (PolicyError, SettingsInvalid, OSError) as fault:
        raise refused_for(fault) from None


def serve(
    settings: Settings, sources: Sources, table: DecisionTable, environ: Mapping[str, str]
) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP takes over changed files and reopens the audit file.

    `table` is what `sources` were compiled to.
    Raises SettingsInvalid, CannotListen, WorkerFailed.
    """
    key = digest_key(settings)
    nursery = start_nursery(_Prepared(settings, table, key), partial(_prepare_anew, settings, key))
    path = settings.listen.takeover_socket
    predecessor = Predecessor.find(path) if path is not None else None
    if predecessor is None:
        doors = open_doors(settings.listen.address, settings.workers, environ)
        admin = open_one(settings.admin.address, environ)
    else:
        doors = take_over(predecessor.public, settings.listen.address, settings.workers, environ)
        (admin,) = take_over(predecessor.admin, settings.admin.address, 1, environ)
    asyncio.run(_Service(settings, sources, table, environ).run(nursery, doors, admin, predecessor))


class _Service:
    """One run, from its sockets to the last audit line."""

    def __init__(
        self,
        settings: Settings,
        sources: Sources,
        table: DecisionTable,
        environ: Mapping[str, str],
    ) -> None:
        self._settings = settings
        self._sources = sources
        self._table = table
        self._environ = environ
        self._clock = SystemClock()
        self._stop = asyncio.Event()
        self._reloads = Tasks("reload")
        self._signalled = Tasks("signal")
        self._starting: asyncio.Timeout | None = None
        self._was_taken_over = self._is_helpless = False

    async def run(
        self,
        nursery: socket.socket,
        doors: Doors,
        admin_sockets: list[socket.socket],
        predecessor: Predecessor | None,
    ) -> None:
        settings = self._settings
        supervisor = Supervisor(
            nursery,
            doors,
            sources=self._sources,
            parts=lambda: list(parts_of(self._table)),
            make_journal=partial(Journal.create, settings.audit.queue_bytes),
            settle_journal=self._settle_journal,
            clock=self._clock,
            on_helpless=self._helpless,
        )
        changes = PolicyChanges(
            partial(read_sources, settings),
            supervisor,
            self._table.version,
            sources=self._sources,
            clock=self._clock,
        )
        trials = trials_of(settings, supervisor, changes, self._clock)
        admin = admin_server(settings, admin_sockets, supervisor, changes, trials)
        self._heed_signals(supervisor, changes)
        addresses = where(doors[0][0]), where(admin_sockets[0])
        async with AsyncExitStack() as stack:
            stack.push_async_callback(supervisor.end, settings.limits.shutdown_seconds)
            stack.push_async_callback(self._reloads.close)
            stack.push_async_callback(self._signalled.close)
            await self._start(supervisor)
            await admin.start()
            stack.push_async_callback(admin.close)
            if self._stop.is_set():
                _log.info("told to end before it served")
                return  # a predecessor finds that we hung up, and goes on
            if settings.reload.watch:
                _ = self._reloads.start(watch_files(settings, changes), name="watch")
            # What can still fail comes before the predecessor is let go.
            self._await_successors(stack, doors, admin_sockets)
            if predecessor is not None:
                predecessor.dismiss()
            self._tell(*addresses)
            await self._stop.wait()
            notify("STOPPING=1", self._environ)
            if self._was_taken_over:
                await admin.close()  # probes ask our successor from now on
            await supervisor.drain(settings.limits.shutdown_seconds)
            _log.info("stopping", grace_seconds=settings.limits.shutdown_seconds)
            await supervisor.end(settings.limits.shutdown_seconds)
        if self._is_helpless:
            raise WorkerFailed("no worker is left, and there is nothing to make another from")

    async def _start(self, supervisor: Supervisor) -> None:
        """Until all workers serve, or the end is asked for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as self._starting:
                await supervisor.start()
        self._starting = None

    def _heed_signals(self, supervisor: Supervisor, changes: PolicyChanges) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(signal.SIGHUP, self._reload, supervisor, changes)
        loop.add_signal_handler(signal.SIGCHLD, supervisor.reap)

    async def _settle_journal(self, journal: Journal) -> None:
        """Write what a worker left, however long that takes; nothing, if it ended in order."""
        delay = _FIRST_RETRY_SECONDS
        while journal.unread_bytes or journal.open_slots():
            try:
                left = await asyncio.to_thread(self._recover, journal)
            except OSError as error:
                _log.error("audit lines of a worker that ended cannot be written", why=str(error))
                await asyncio.sleep(delay)
                delay = min(2 * delay, _MOST_RETRY_SECONDS)
            else:
                _log.warning(
                    "audit lines of a worker that ended were saved",
                    lines=left.lines,
                    requests_under_way=left.intents,
                )
        journal.close()

    def _recover(self, journal: Journal) -> Recovered:
        return recover_into(journal, sink_for(self._settings.audit.file), self._clock)

    def _end(self) -> None:
        self._stop.set()
        starting, self._starting = self._starting, None
        if starting is not None:
            starting.reschedule(0)

    def _helpless(self) -> None:
        self._is_helpless = True
        self._stop.set()

    def _reload(self, supervisor: Supervisor, changes: PolicyChanges) -> None:
        """One at a time; and one that waits stands for any number, for it begins later."""
        supervisor.reopen_audit()  # rotation asks for that, whatever the files say
        if len(self._signalled) < 2:
            _ = self._signalled.start(changes.reload("signal"), name="signal")

    def _await_successors(
        self, stack: AsyncExitStack, doors: Doors, admin: list[socket.socket]
    ) -> None:
        path = self._settings.listen.takeover_socket
        if path is None:
            return
        successors = Successors(
            path,
            sockets=lambda: (
                [each for sockets in doors for each in sockets if each.fileno() >= 0],
                admin,
            ),
            dismissed=self._dismissed,
        )
        successors.open()
        stack.push_async_callback(successors.close)

    def _dismissed(self) -> None:
        self._was_taken_over = True
        _log.info("taken over: another gateway serves now")
        self._stop.set()

    def _tell(self, address: str, admin: str) -> None:
        """Loudly at every start, what lets requests through without a role being asked for."""
        for service in self._settings.services:
            if service.use_role is not UseRole.ENFORCE:
                _log.warning(
                    "roles are NOT enforced for this service",
                    service=service.name,
                    use_role=service.use_role.value,
                )
        _log.info(
            "serving",
            address=address,
            admin=admin,
            workers=self._settings.workers,
            policy=self._table.version,
            operations=len(self._table.operations),
        )
        notify("READY=1", self._environ)
