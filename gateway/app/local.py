"""One gateway and its admin port in the event loop that is running: for the demo and for tests.

As a service it runs in processes of its own, see `gateway.app.serve`. A changed policy is compiled
in a thread here, beside the requests; otherwise changes go the same way.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import policy
from gateway.app.control import admin_server, trials_of, watch_files
from gateway.app.gateway import Gateway, read_sources
from gateway.attempts import HeldBy, Refused, refused_for
from gateway.candidate import Candidate, Reverted, Tally
from gateway.clock import Clock
from gateway.counts import Snapshot
from gateway.logs import get as get_logger
from gateway.reload import PolicyChanges
from gateway.rollout import Plan
from gateway.server.doors import open_one
from gateway.server.readiness import Answers
from gateway.settings import Address, Settings
from gateway.tasks import Tasks
from policy import DecisionTable, PolicyError, Sources

__all__ = ["LocalGateway", "running"]

_log = get_logger("gateway.app")


class LocalGateway:
    """A running gateway and where it is."""

    def __init__(
        self, gateway: Gateway, address: Address, admin_address: Address, changes: PolicyChanges
    ) -> None:
        self.gateway = gateway
        self.address = address
        self.admin_address = admin_address
        self.changes = changes

    def __repr__(self) -> str:
        return f"<LocalGateway {self.address}>"


class _Alone:
    """The only worker, seen as many are."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def snapshot(self) -> Snapshot:
        return self._gateway.snapshot()

    async def checks(self) -> Answers:
        return self._gateway.checks()

    async def take(self, sources: Sources) -> str:
        live = self._gateway.live
        if sources.digest != live.table.version:
            try:
                table = await asyncio.to_thread(_compiled, sources)
            except PolicyError as error:
                raise refused_for(error) from None
            live.put(table, self._gateway.clock.wall())
        return await self._gateway.reload()

    async def roll_back(self) -> str:
        if not self._gateway.live.roll_back(self._gateway.clock.wall()):
            raise Refused("there is no version to go back to")
        return ""

    async def try_out(self, sources: Sources, plan: Plan) -> str:
        try:
            table = await asyncio.to_thread(_compiled, sources)
        except PolicyError as error:
            raise refused_for(error) from None
        live, key = self._gateway.live, self._gateway.rollout_key
        live.trial = Candidate(live.table, table, plan, key=key, on_revert=_tell_of)
        return ""

    async def withdraw(self) -> str:
        self._gateway.live.trial = None
        return ""

    async def tallies(self) -> Sequence[Tally]:
        trial = self._gateway.live.trial
        return [] if trial is None else [trial.tally()]

    @property
    def reverted(self) -> Reverted | None:
        trial = self._gateway.live.trial
        return None if trial is None else trial.reverted

    async def held(self) -> Sequence[HeldBy]:
        live = self._gateway.live
        before = "" if live.previous is None else live.previous.version
        return [HeldBy(worker=0, version=live.table.version, since=live.since, previous=before)]


def _tell_of(reverted: Reverted) -> None:
    _log.error("the candidate policy has reverted by itself", why=reverted.why, id=reverted.id)


def _compiled(sources: Sources) -> DecisionTable:
    return policy.compile(policy.load(sources))


@asynccontextmanager
async def running(
    settings: Settings, table: DecisionTable, *, clock: Clock | None = None
) -> AsyncIterator[LocalGateway]:
    """Serve until the block ends. Raises SettingsInvalid, AuditUnavailable or OSError."""
    gateway = Gateway(settings, table, clock=clock)
    alone = _Alone(gateway)
    changes = PolicyChanges(
        lambda: read_sources(settings), alone, table.version, clock=gateway.clock
    )
    async with AsyncExitStack() as stack:
        sockets = open_one(settings.listen.address, {})
        for each in sockets:
            stack.callback(each.close)
        host, port = sockets[0].getsockname()[:2]
        trials = trials_of(settings, alone, changes, gateway.clock)
        admin_sockets = open_one(settings.admin.address, {})
        admin = admin_server(settings, admin_sockets, alone, changes, trials)
        await gateway.start(sockets)
        stack.push_async_callback(gateway.close)
        await admin.start()
        stack.push_async_callback(admin.close)
        if settings.reload.watch:
            tasks = Tasks("local")
            _ = tasks.start(watch_files(settings, changes), name="watch")
            stack.push_async_callback(tasks.close)
        yield LocalGateway(gateway, Address(host, port), Address(*admin.addresses[0]), changes)
