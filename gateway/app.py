"""The composition root: settings and a decision table become a running gateway.

Everything that has to be put together is put together here, once, and nowhere else; nothing
below this file knows where its neighbours come from.
"""

import asyncio
import gc
import secrets
import signal
from contextlib import AsyncExitStack
from functools import partial
from typing import Self

import policy
from gateway.admin import AdminServer
from gateway.audit import AuditWriter, compose, sink_for
from gateway.authn import build_authenticator
from gateway.clock import Clock, SystemClock
from gateway.live import LivePolicy
from gateway.logs import get as get_logger
from gateway.metrics import Metrics
from gateway.pipeline import Pipeline
from gateway.server import Listener
from gateway.settings import Address, Settings, specs
from gateway.upstream import Upstream
from gateway.wire.outbox import Outbox
from gateway.wire.watch import Watch
from policy import DecisionTable, UseRole

__all__ = ["Gateway", "load_table", "serve"]

_log = get_logger("gateway.app")

_DIGEST_KEY_BYTES = 32


def _digest_key(settings: Settings) -> bytes:
    """Without a key of the operator's, digests can be compared within one run only."""
    key = settings.audit.digest_key_file
    return key.value if key is not None else secrets.token_bytes(_DIGEST_KEY_BYTES)


def load_table(settings: Settings) -> DecisionTable:
    """The decision table of the settings' catalogues and policy. Raises PolicyError."""
    return policy.compile(policy.load(policy.read(specs(settings), settings.policy)))


class Gateway:
    """One gateway in one event loop: `async with Gateway(settings, table) as gateway: ...`."""

    def __init__(
        self, settings: Settings, table: DecisionTable, *, clock: Clock | None = None
    ) -> None:
        self.settings = settings
        self._clock = clock or SystemClock()
        self.live = LivePolicy(table, since=self._clock.wall())
        self.metrics = Metrics()
        self.audit = AuditWriter(
            sink_for(settings.audit.file),
            compose=partial(compose, digest_key=_digest_key(settings)),
            queue_lines=settings.audit.queue_lines,
            flush_seconds=settings.audit.flush_seconds,
        )
        self._authenticator = build_authenticator(settings.identity, self._clock)
        self._stack = AsyncExitStack()
        self._listener: Listener | None = None
        self._admin: AdminServer | None = None
        self._upstreams: tuple[Upstream, ...] = ()

    def __repr__(self) -> str:
        return f"<Gateway {self._listener!r} {self.live!r}>"

    @property
    def address(self) -> Address:
        """Where clients connect, once started."""
        assert self._listener is not None  # noqa: S101 - asked after start
        return self._listener.address

    @property
    def admin_address(self) -> Address:
        """Where probes connect, once started."""
        assert self._admin is not None  # noqa: S101 - asked after start
        return Address(self.settings.admin.address.host, self._admin.port)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self, stack: AsyncExitStack) -> None:
        """Start from the inside out, so that the end goes from the outside in."""
        settings = self.settings
        loop = asyncio.get_running_loop()
        watch, outbox = Watch(loop), Outbox(loop)
        stack.callback(watch.close)
        await self.audit.start()
        stack.push_async_callback(self.audit.close)
        await self._authenticator.start()
        stack.push_async_callback(self._authenticator.close)
        self._upstreams = tuple(Upstream(service, watch, outbox) for service in settings.services)
        for upstream in self._upstreams:
            stack.callback(upstream.pool.close)
        self._admin = AdminServer(
            settings.admin.address.host,
            settings.admin.address.port,
            render_metrics=self.metrics.render,
            checks={
                "policy": lambda: (True, f"version {self.live.table.version}"),
                "identity": self._authenticator.ready,
                "audit": self.audit.check,
            },
        )
        await self._admin.start()
        stack.push_async_callback(self._admin.close)
        self._listener = Listener(
            settings.listen.address,
            self._pipeline(),
            limits=settings.limits,
            passable=frozenset[bytes]().union(*(each.passable for each in self._upstreams)),
            watch=watch,
            outbox=outbox,
        )
        await self._listener.start()
        stack.push_async_callback(self._listener.close, settings.limits.shutdown_seconds)
        self._declare_readings(self._listener)

    def _pipeline(self) -> Pipeline:
        return Pipeline(
            live=self.live,
            authenticator=self._authenticator,
            upstreams=self._upstreams,
            audit=self.audit,
            metrics=self.metrics,
            limits=self.settings.limits,
            clock=self._clock,
        )

    def _declare_readings(self, listener: Listener) -> None:
        read = self.metrics.read
        identity, audit = self._authenticator, self.audit
        read("gateway_connections", lambda: listener.connections)
        read("gateway_upstream_connections", self._upstream_connections)
        read("gateway_policy_info", lambda: {(self.live.table.version,): 1})
        read("gateway_token_cache_total", lambda: {
            ("hit",): identity.hits, ("miss",): identity.misses, ("refused",): identity.refused,
        })  # fmt: skip
        read("gateway_audit_queue", lambda: audit.queue_length)
        read("gateway_audit_lines_total", lambda: {
            ("written",): audit.lines_written, ("failed",): audit.lines_failed,
        })  # fmt: skip

    def _upstream_connections(self) -> dict[tuple[str, ...], float]:
        counts: dict[tuple[str, ...], float] = {}
        for upstream in self._upstreams:
            pool = upstream.pool
            for state, number in (("idle", pool.idle), ("busy", pool.active)):
                counts[pool.name, state] = counts.get((pool.name, state), 0) + number
        return counts


def _settle_memory() -> None:
    """What was built at start lives as long as the process: the collector need not look at it.

    Requests leave little garbage in cycles, so the young generation may grow larger than 700.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def serve(settings: Settings, table: DecisionTable) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reopens the audit file after its rotation."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    async with Gateway(settings, table) as gateway:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, gateway.audit.reopen)
        _warn_of_open_doors(settings)
        _settle_memory()
        _log.info(
            "serving",
            address=str(gateway.address),
            admin=str(gateway.admin_address),
            policy=table.version,
            operations=len(table.operations),
        )
        await stop.wait()
        _log.info("stopping", grace_seconds=settings.limits.shutdown_seconds)


def _warn_of_open_doors(settings: Settings) -> None:
    """What lets requests through without a role being asked for is said loudly at every start."""
    for service in settings.services:
        if service.use_role is not UseRole.ENFORCE:
            _log.warning(
                "roles are NOT enforced for this service",
                service=service.name,
                use_role=service.use_role.value,
            )
