"""The story of one request: canonicalise, identify, route, decide, forward or refuse, record.

`converse` holds one client's conversation; `_answer` is the story itself, and each verb in it is
a function of another module. A denial is a value and a failure is an exception; both are answered
in the words of `gateway.refusals` and both end in the same audit record, as does a client that
leaves, a task that is cancelled and a defect of ours.

Nothing of a denied request reaches an upstream: `send` is called after the decision, and there is
no other place where a connection to an upstream is taken.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import count

from gateway.admission import Admission
from gateway.audit import AuditWriter
from gateway.authn import Authenticator
from gateway.clock import Clock
from gateway.counts import Metrics
from gateway.errors import (
    AuditUnavailable,
    GatewayError,
    IdentityUnavailable,
    InternalFault,
    MethodRefused,
    Overloaded,
    RequestTimeout,
    ShuttingDown,
    UpstreamFailed,
    UpstreamTimeout,
)
from gateway.exchange import Ending, Exchange, RequestHead
from gateway.http.target import Target, TargetLimits, canonicalise
from gateway.inspection import Inspection
from gateway.live import LivePolicy
from gateway.logs import get as get_logger
from gateway.refusals import Refusals
from gateway.settings import Limits
from gateway.standing import Standing
from gateway.upstream import Transfer, Upstream, send
from gateway.upstream.seldom import Seldom
from gateway.wire.client import METHODS, ClientConnection
from policy import (
    Decision,
    Effect,
    Inquiry,
    NeedsBody,
    Reason,
    UseRole,
    decide,
)

__all__ = ["Pipeline", "Respond"]

_log = get_logger("gateway.pipeline")

_FROM_UPSTREAM = (UpstreamFailed, UpstreamTimeout)

# Each of these befalls every request for as long as its cause lasts, and anybody can ask
# (threat R-7). Those of the upstreams are told by node.
_IN_FLOODS = (AuditUnavailable, IdentityUnavailable)


Respond = Callable[[Exchange, ClientConnection, RequestHead, Target], Awaitable[None]]
"""Answers a request itself: writes the reply, and leaves on the exchange what became of it."""


class Pipeline:
    """Everything that the conversations of one event loop share.

    By path: `endpoints` answer before anybody is identified, `instead` answer what was allowed, in
    the upstream's place.
    """

    def __init__(
        self,
        *,
        live: LivePolicy,
        authenticator: Authenticator,
        upstreams: Sequence[Upstream],
        audit: AuditWriter[Exchange],
        metrics: Metrics,
        limits: Limits,
        clock: Clock,
        endpoints: Mapping[str, Respond] = {},
        instead: Mapping[str, Respond] = {},
    ) -> None:
        self.draining = False  # every answer from now on is its connection's last
        self.ending = False  # and none is waited for where the last one did not say so
        self._live = live
        self._authenticator = authenticator
        self._upstreams = {upstream.name: upstream for upstream in upstreams}
        self._refusals = Refusals(upstreams, authenticator)
        self._audit = audit
        self._metrics = metrics
        self._limits = limits
        self._clock = clock
        self._endpoints = endpoints
        self._instead = instead
        self._target_limits = TargetLimits(
            max_target_bytes=limits.max_target_bytes,
            max_segments=limits.max_segments,
            max_query_parameters=limits.max_query_parameters,
        )
        self._transfer = Transfer(
            clock=clock,
            max_body_bytes=limits.max_body_bytes,
            idle_seconds=limits.body_idle_timeout_seconds,
        )
        self._standing = Standing(authenticator, clock)
        self._admission = Admission(limits.max_in_flight)
        self._inspection = Inspection(limits)
        self._seldom = {kind.code: Seldom(clock) for kind in _IN_FLOODS}
        self._id_prefix = secrets.token_hex(8)
        self._numbers = count(1)

    @property
    def in_flight(self) -> int:
        """How many requests are being carried out."""
        return self._admission.in_flight

    # --- a client's conversation --------------------------------------------------------------

    async def converse(self, client: ClientConnection) -> None:
        """Answer the requests of one connection in order, until either side has had enough."""
        while True:
            taken_before = client.bytes_taken
            try:
                head = await client.next_head()
            except GatewayError as error:
                client.reusable = False
                await self._exchange(client, None, error, taken_before)
                break
            if head is None:
                break
            served = await self._exchange(client, head, None, taken_before)
            if self.ending or not client.reusable:
                break
            if not served:
                await self._admission.rest(client)
            elif client.buffer:
                await asyncio.sleep(0)  # whoever asks many things at once waits for others between
        await client.close()

    async def _exchange(
        self,
        client: ClientConnection,
        head: RequestHead | None,
        error: GatewayError | None,
        taken_before: int,
    ) -> bool:
        """One request from its head to its audit line, however it ends.

        Returns whether it was served at all, and not one too many.
        """
        origin = client.peer.origin if head is None else head.section.origin
        exchange = Exchange(
            f"{self._id_prefix}-{next(self._numbers):x}",
            origin.peer,
            self._clock.monotonic(),
            bytes_in=-taken_before,  # what is added at the end leaves what this request took
            bytes_out=-client.bytes_out,
        )
        exchange.head = head
        if self.draining:
            client.reusable = False
        try:
            self._audit.reserve()
        except AuditUnavailable as unavailable:
            # Without a record nothing is carried out; this refusal is counted, not recorded.
            client.reusable = False
            self._fail(exchange, client, unavailable)
            return True
        served = True
        admission = self._admission
        client.begin_request()
        try:
            if head is None:
                assert error is not None  # noqa: S101 - converse passes one of the two
                exchange.refused_method = client.refused_method
                raise error
            if admission.in_flight >= admission.most:
                served = False
                self._turn_away(exchange, client, head)
            else:
                admission.in_flight += 1
                try:
                    await self._answer(exchange, client, head)
                finally:
                    admission.in_flight -= 1
            if client.reusable and not client.body_taken:  # the rest of a refused request
                self._audit.note(exchange)  # whose answer leaves before its line is written
                await client.skip_body()
        except GatewayError as failure:
            self._fail(exchange, client, failure)
        except asyncio.CancelledError:
            if not client.ran_out():
                self._cut_short(exchange, client)
                raise
            self._fail(exchange, client, _too_late(client))
            exchange.ending = Ending.TIMED_OUT
        except Exception:  # noqa: BLE001 - a defect of ours is answered and recorded like the rest
            _log.exception("a request met a defect of the gateway", request_id=exchange.id)
            self._fail(exchange, client, InternalFault())
        finally:
            client.end_request()
            self._record(exchange, client)
        return served

    # --- the story ----------------------------------------------------------------------------

    async def _answer(
        self, exchange: Exchange, client: ClientConnection, head: RequestHead
    ) -> None:
        section = head.section
        target = None
        if head.method in METHODS:  # that of any other may be in any form
            target = exchange.target = canonicalise(head.target, self._target_limits)
            if (endpoint := self._endpoints.get(target.path)) is not None:
                # Neither its body nor the proof of a secret takes a place from other requests.
                self._admission.in_flight -= 1
                try:
                    await endpoint(exchange, client, head, target)
                finally:
                    self._admission.in_flight += 1
                return
        caller = self._standing.caller_of(section)
        if caller is None:
            caller = await self._authenticator.identify(section.headers.authorization)
        exchange.caller = caller
        if target is None:
            raise MethodRefused(f"method {head.method}")
        trial, table = self._live.trial, self._live.table_for(caller)
        inquiry = Inquiry(
            caller=caller,
            held=self._standing.held_by(caller, section, table),
            method=head.method,
            segments=target.segments,
            query=target.query,
            headers=section.headers.passing,
        )
        answer = decide(table, inquiry)
        inspected = None
        if type(answer) is NeedsBody:
            # Whoever is waited for holds no place, or a few who dribble could fill them all.
            self._admission.in_flight -= 1
            try:
                inspected, inquiry, answer = await self._inspection.decide(
                    client, head, table, inquiry, answer
                )
            finally:
                self._admission.in_flight += 1
        assert type(answer) is Decision  # noqa: S101 - with a body at hand nothing else comes
        exchange.decision = answer
        if trial is not None:
            self._metrics.compared(trial.compare(exchange.id, inquiry, answer))
        route = answer.route
        if answer.reason.effect is Effect.DENY:
            exchange.enforced = _is_enforced(answer)
            if exchange.enforced:
                self._deny(exchange, client, answer)
                return
        assert route is not None  # noqa: S101 - what is allowed has a route
        if (ours := self._instead.get(target.path)) is not None:
            await ours(exchange, client, head, target)
            return
        upstream = self._upstreams[route.service]
        self._audit.note(exchange)
        await send(
            exchange,
            client,
            upstream,
            self._transfer,
            head=head,
            target=target,
            inspected=inspected,
        )

    # --- refusals -----------------------------------------------------------------------------

    def _deny(self, exchange: Exchange, client: ClientConnection, decision: Decision) -> None:
        """Answer a decision that says no."""
        keep = client.reusable = client.reusable and client.can_skip_body()
        exchange.ending = Ending.REFUSED
        client.write(self._refusals.of_denial(exchange, decision, keep=keep))

    def _turn_away(self, exchange: Exchange, client: ClientConnection, head: RequestHead) -> None:
        """Answer one request too many."""
        self._admission.turn_away(exchange.began_at)
        self._metrics.refused(Overloaded.code)
        keep = client.reusable = client.reusable and client.can_skip_body()
        exchange.error_code = Overloaded.code
        exchange.ending = Ending.REFUSED
        client.write(self._refusals.of_overload(exchange, head, keep=keep))

    def _fail(self, exchange: Exchange, client: ClientConnection, error: GatewayError) -> None:
        """Answer a failure; where a reply has already begun, cut it off."""
        from_upstream = isinstance(error, _FROM_UPSTREAM)
        exchange.error_code = error.code
        self._metrics.refused(error.code)
        if error.code in self._seldom:
            self._seldom[error.code].mark(error)
        is_load = error.retry_after_seconds  # which is counted, and said once
        if error.status >= 500 and not (error.is_repeat or is_load):
            _log.warning(error.code, detail=error.detail, request_id=exchange.id)
        if exchange.status is not None:
            exchange.ending = Ending.UPSTREAM_FAILED if from_upstream else Ending.CLIENT_LEFT
            client.reusable = False
            client.abort()
            return
        exchange.ending = Ending.UPSTREAM_FAILED if from_upstream else Ending.REFUSED
        keep = client.reusable = client.reusable and client.body_taken
        client.write(self._refusals.of_failure(exchange, error, keep=keep))

    def _cut_short(self, exchange: Exchange, client: ClientConnection) -> None:
        """The client has left, or its time at shutdown is up; then it is told, if it still can be."""
        if client.ended or exchange.status is not None:
            client.abort()
        else:
            client.reusable = False
            self._fail(exchange, client, ShuttingDown())
        exchange.ending = Ending.CLIENT_LEFT if client.ended else Ending.CANCELLED

    # --- the record ---------------------------------------------------------------------------

    def _record(self, exchange: Exchange, client: ClientConnection) -> None:
        now = self._clock.monotonic()
        metrics = self._metrics
        decision = exchange.decision
        if decision is not None:
            route = decision.route
            if route is None:
                metrics.decided("", "", decision.reason)
            else:
                metrics.decided(route.service, route.id, decision.reason)
        metrics.observe_request(now - exchange.began_at)
        if exchange.sent_at is not None and exchange.replied_at is not None:
            metrics.observe_upstream(exchange.replied_at - exchange.sent_at)
        exchange.ended_at = now
        exchange.wall = self._clock.wall()
        exchange.bytes_in += client.bytes_taken
        exchange.bytes_out += client.bytes_out
        self._audit.write(exchange)


def _too_late(client: ClientConnection) -> GatewayError:
    """Whose fault it was that the total time was up."""
    if client.body_taken:
        return UpstreamTimeout("no whole reply within total_timeout_seconds")
    return RequestTimeout("the body did not arrive within total_timeout_seconds")


_NO_MATTER_OF_ROLES = frozenset({Reason.NOT_AUTHENTICATED, Reason.CLOSED})


def _is_enforced(denial: Decision) -> bool:
    """Shadowing is about roles: who is not known is refused all the same, and so is what is closed,
    or what no catalogue knows, since nobody could say where to send it.
    """
    route = denial.route
    return (
        route is None
        or route.use_role is not UseRole.SHADOW
        or denial.reason in _NO_MATTER_OF_ROLES
    )
