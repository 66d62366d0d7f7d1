"""The data plane in one event loop: complete when built, open for clients once started.

Whatever can fail because of a file fails while it is built; nothing is bound to an event loop and
no thread runs before the start, so that a gateway can be built in one process and started in a
fork of it.
"""

import asyncio
import hashlib
import secrets
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import policy
from gateway.app.own_answers import OwnAnswers
from gateway.audit import AuditWriter, Composer, Journal, sink_for
from gateway.authn import build_authenticator
from gateway.clock import Clock, SystemClock
from gateway.counts import Metrics, Snapshot
from gateway.errors import SettingsInvalid
from gateway.exchange import Exchange
from gateway.http.forwarded import Proxies
from gateway.http.host import Hosts
from gateway.live import LivePolicy
from gateway.logs import get as get_logger
from gateway.pipeline import Pipeline
from gateway.server import Listener, PublicTls
from gateway.server.readiness import Answers, asked
from gateway.settings import Settings, specs
from gateway.upstream import Upstream, check_all, readings_of
from gateway.wire.outbox import Outbox
from gateway.wire.reading import Reading
from gateway.wire.watch import Watch
from policy import DecisionTable, Sources

__all__ = ["Gateway", "digest_key", "load_table", "read_sources"]

_log = get_logger("gateway.app")

_DIGEST_KEY_BYTES = 32


def digest_key(settings: Settings) -> bytes:
    """Without a key of the operator's, digests can be compared within one run only."""
    key = settings.audit.digest_key_file
    return key.value if key is not None else secrets.token_bytes(_DIGEST_KEY_BYTES)


def read_sources(settings: Settings) -> Sources:
    """The settings' catalogues and policy as they are now. Raises PolicyUnreadable."""
    return policy.read(specs(settings), settings.policy)


def load_table(settings: Settings) -> DecisionTable:
    """The decision table of the settings' catalogues and policy. Raises PolicyError."""
    return policy.compile(policy.load(read_sources(settings)))


class Gateway:
    """One data plane: `start`, then `close`. Raises SettingsInvalid when it cannot be built."""

    def __init__(
        self,
        settings: Settings,
        table: DecisionTable,
        *,
        clock: Clock | None = None,
        key: bytes | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.live = LivePolicy(table, since=self.clock.wall())
        self.metrics = Metrics()
        key = key or digest_key(settings)
        self.rollout_key = hashlib.sha256(b"rollout\0" + key).digest()
        self._composer = Composer(key)
        self.audit: AuditWriter[Exchange] = self._audit_writer(None)
        self.own = OwnAnswers(settings, self.clock, self.live)
        self._authenticator = build_authenticator(settings.identity, self.clock, self.own.tokens)
        self._tls = self._public_tls()
        self._stack = AsyncExitStack()
        self._listener: Listener | None = None
        self._upstreams: tuple[Upstream, ...] = ()

    def __repr__(self) -> str:
        return f"<Gateway {self._listener!r} {self.live!r}>"

    async def start(
        self, sockets: Sequence[socket.socket], *, journal: Journal | None = None
    ) -> None:
        """Accept clients from these listening sockets, which are the gateway's from now on.

        Audit lines stand in the `journal` until they are in the file; it is somebody else's, who
        sees to what this process may leave in it. Without one they are lost with the process.
        Raises AuditUnavailable or OSError; then nothing is left open but the sockets.
        """
        if journal is not None:
            self.audit = self._audit_writer(journal)
        async with AsyncExitStack() as stack:
            await self._start(stack, sockets)
            self._stack = stack.pop_all()

    async def stop_accepting(self) -> None:
        """The beginning of the end: no further clients."""
        assert self._listener is not None  # noqa: S101 - asked after start
        await self._listener.stop_accepting()

    async def close(self) -> None:
        """Let what is in flight end, as long as `shutdown_seconds`; write the rest of the audit."""
        await self._stack.aclose()

    def snapshot(self) -> Snapshot:
        """Everything counted so far."""
        return self.metrics.snapshot()

    def checks(self) -> Answers:
        """What has to hold for this gateway to be of use."""
        return asked(
            {
                "policy": lambda: (True, f"version {self.live.table.version}"),
                "identity": self._authenticator.ready,
                "upstream": partial(check_all, self._upstreams),
                "audit": self.audit.check,
            }
        )

    def reopen_audit(self) -> None:
        """Follow a rotation of the audit file."""
        self.audit.reopen()

    async def reload(self) -> str:
        """Take over changed users, clients, keys and certificates; what could not be, or empty."""
        faults = []
        try:
            await self._authenticator.reload()
        except SettingsInvalid as invalid:
            _log.error("users and keys not taken, the last good ones stay", why=str(invalid))
            faults.append(str(invalid))
        try:
            await self.own.reload()
        except SettingsInvalid as invalid:
            faults.append(str(invalid))
        try:
            if self._listener is not None:
                self._listener.renew_tls()
        except SettingsInvalid as invalid:
            faults.append(str(invalid))
        return "\n".join(faults)

    async def _start(self, stack: AsyncExitStack, sockets: Sequence[socket.socket]) -> None:
        """Start from the inside out, so that the end goes from the outside in."""
        settings = self.settings
        loop = asyncio.get_running_loop()
        watch, outbox = Watch(loop), Outbox(loop, before=self.audit.commit)
        stack.callback(watch.close)
        await self.audit.start(outbox)
        stack.push_async_callback(self.audit.close)
        await self.own.start()
        stack.push_async_callback(self.own.close)
        await self._authenticator.start()
        stack.push_async_callback(self._authenticator.close)
        self._upstreams = tuple(
            Upstream(service, watch, outbox, self.clock) for service in settings.services
        )
        for upstream in self._upstreams:
            upstream.start()
            stack.push_async_callback(upstream.close)
        pipeline = self._pipeline()
        self._listener = Listener(
            sockets,
            pipeline,
            limits=settings.limits,
            reading=self._reading(),
            watch=watch,
            outbox=outbox,
            tls=self._tls,
        )
        await self._listener.start()
        stack.push_async_callback(self._listener.close, settings.limits.shutdown_seconds)
        self._declare_readings(self._listener, pipeline)

    def _audit_writer(self, journal: Journal | None) -> AuditWriter[Exchange]:
        audit = self.settings.audit
        return AuditWriter(
            sink_for(audit.file),
            self._composer,
            journal=journal,
            queue_bytes=audit.queue_bytes,
            flush_seconds=audit.flush_seconds,
        )

    def _public_tls(self) -> PublicTls | None:
        """Raises SettingsInvalid if its files have become unusable since the settings were read."""
        tls, names = self.settings.listen.tls, self._authenticator.certificates
        if tls is None:
            return None
        return PublicTls(
            tls,
            clock=self.clock,
            handshake_seconds=self.settings.limits.header_timeout_seconds,
            certified=None if names is None else names.read,
        )

    def _pipeline(self) -> Pipeline:
        return Pipeline(
            live=self.live,
            authenticator=self._authenticator,
            upstreams=self._upstreams,
            audit=self.audit,
            metrics=self.metrics,
            limits=self.settings.limits,
            clock=self.clock,
            endpoints=self.own.by_path,
            instead=self.own.instead,
        )

    def _reading(self) -> Reading:
        listen = self.settings.listen
        return Reading(
            max_headers=self.settings.limits.max_headers,
            passable=frozenset[bytes]().union(*(each.readable for each in self._upstreams)),
            hosts=Hosts(listen.hosts),
            proxies=Proxies(listen.trusted_proxies),
        )

    def _declare_readings(self, listener: Listener, pipeline: Pipeline) -> None:
        read = self.metrics.read
        identity, audit = self._authenticator, self.audit
        read("gateway_connections", lambda: listener.connections)
        read("gateway_requests_in_flight", lambda: pipeline.in_flight)
        if self._tls is not None:
            tls = self._tls
            read("gateway_certificate_expires_seconds", lambda: tls.expires_at)
        for name, reading in {**readings_of(self._upstreams), **identity.readings}.items():
            read(name, reading)
        read("gateway_policy_info", lambda: {(self.live.table.version,): 1})
        read("gateway_candidate_info", lambda: {
            (trial.table.version,): 1 for trial in (self.live.trial,) if trial is not None
        })  # fmt: skip
        read("gateway_candidate_reverted", lambda: (
            self.live.trial is not None and self.live.trial.reverted is not None
        ))  # fmt: skip
        read("gateway_token_cache_total", lambda: {
            ("hit",): identity.hits, ("miss",): identity.misses, ("refused",): identity.refused,
        })  # fmt: skip
        self.own.declare(self.metrics)
        read("gateway_audit_queue", lambda: audit.queue_length)
        read("gateway_audit_lines_total", lambda: {
            ("written",): audit.lines_written, ("failed",): audit.lines_failed,
        })  # fmt: skip
