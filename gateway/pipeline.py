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
from collections.abc import Sequence
from functools import partial
from itertools import count

from msgspec.structs import replace

from gateway.audit import AuditWriter
from gateway.authn import Authenticator
from gateway.clock import Clock
from gateway.errors import (
    AuditUnavailable,
    BodyTooLarge,
    BodyTypeRefused,
    BodyUnreadable,
    GatewayError,
    InternalFault,
    UpstreamFailed,
    UpstreamTimeout,
)
from gateway.exchange import Ending, Exchange, RequestHead
from gateway.http.body import check_body_type, read_facts
from gateway.http.target import TargetLimits, canonicalise
from gateway.live import LivePolicy
from gateway.logs import get as get_logger
from gateway.metrics import Metrics
from gateway.refusals import Refusals
from gateway.settings import Limits
from gateway.standing import Standing
from gateway.upstream import Transfer, Upstream, send
from gateway.wire.client import ClientConnection
from policy import (
    BodyFacts,
    Decision,
    DecisionTable,
    Effect,
    Inquiry,
    NeedsBody,
    Reason,
    UseRole,
    decide,
)

__all__ = ["Pipeline"]

_log = get_logger("gateway.pipeline")

_SMALL_BODY_BYTES = 64 * 1024

_FROM_UPSTREAM = (UpstreamFailed, UpstreamTimeout)


class Pipeline:
    """Everything that the conversations of one event loop share."""

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
        self._id_prefix = secrets.token_hex(8)
        self._numbers = count(1)

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
            await self._exchange(client, head, None, taken_before)
            if self.ending or not client.reusable:
                break
        await client.close()

    async def _exchange(
        self,
        client: ClientConnection,
        head: RequestHead | None,
        error: GatewayError | None,
        taken_before: int,
    ) -> None:
        """One request from its head to its audit line, however it ends."""
        exchange = Exchange(
            f"{self._id_prefix}-{next(self._numbers):x}",
            client.peer,
            self._clock.monotonic(),
            bytes_in=-taken_before,  # what is added at the end leaves what this request took
            bytes_out=-client.bytes_out,
        )
        if self.draining:
            client.reusable = False
        try:
            self._audit.reserve()
        except AuditUnavailable as unavailable:
            # Without a record nothing is carried out; this refusal is counted, not recorded.
            client.reusable = False
            self._fail(exchange, client, unavailable)
            return
        client.busy = True
        try:
            if head is None:
                assert error is not None  # noqa: S101 - converse passes one of the two
                raise error
            exchange.head = head
            await self._answer(exchange, client, head)
        except GatewayError as failure:
            self._fail(exchange, client, failure)
        except asyncio.CancelledError:
            exchange.ending = Ending.CLIENT_LEFT if client.ended else Ending.CANCELLED
            client.abort()
            raise
        except Exception:  # noqa: BLE001 - a defect of ours is answered and recorded like the rest
            _log.exception("a request met a defect of the gateway", request_id=exchange.id)
            self._fail(exchange, client, InternalFault())
        finally:
            client.busy = False
            self._record(exchange, client)

    # --- the story ----------------------------------------------------------------------------

    async def _answer(
        self, exchange: Exchange, client: ClientConnection, head: RequestHead
    ) -> None:
        target = exchange.target = canonicalise(head.target, self._target_limits)
        section = head.section
        caller = self._standing.caller_of(section)
        if caller is None:
            caller = await self._authenticator.identify(section.headers.authorization)
        exchange.caller = caller
        table = self._live.table
        inquiry = Inquiry(
            caller=caller,
            held=self._standing.held_by(caller, section, table),
            method=head.method,
            segments=target.segments,
            query=target.query,
        )
        answer = decide(table, inquiry)
        inspected = None
        if type(answer) is NeedsBody:
            inspected, answer = await self._decide_on_body(client, head, table, inquiry, answer)
        assert type(answer) is Decision  # noqa: S101 - with a body at hand nothing else comes
        exchange.decision = answer
        route = answer.route
        if answer.reason.effect is Effect.DENY:
            exchange.enforced = _is_enforced(answer)
            if exchange.enforced:
                await self._deny(exchange, client, answer)
                return
        assert route is not None  # noqa: S101 - what is allowed has a route
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

    async def _decide_on_body(
        self,
        client: ClientConnection,
        head: RequestHead,
        table: DecisionTable,
        inquiry: Inquiry,
        question: NeedsBody,
    ) -> tuple[bytes | None, Decision | NeedsBody]:
        """Read the whole body, strictly, and ask again with its facts; the body and the answer.

        A service that only shadows its policy lets a body through that nobody can judge, as long
        as it is still whole: None then means that it was not read.
        """
        route = question.route
        if route.body_optional and not head.headers.has_body:
            return b"", decide(table, replace(inquiry, body=BodyFacts({})))
        body = None
        taken_before = client.bytes_taken
        try:
            body = await self._read_body(client, head)
            facts = await self._read_facts(body)
        except (BodyTypeRefused, BodyTooLarge, BodyUnreadable) as error:
            is_whole = body is not None or client.bytes_taken == taken_before
            if route.use_role is not UseRole.SHADOW or not is_whole:
                raise
            return body, Decision(
                reason=Reason.UNDECIDABLE, policy=table.version, route=route, because=(error.code,)
            )
        return body, decide(table, replace(inquiry, body=facts))

    async def _read_body(self, client: ClientConnection, head: RequestHead) -> bytes:
        check_body_type(head.headers)
        limit = self._limits.max_inspected_body_bytes
        if (head.headers.content_length or 0) > limit:
            raise BodyTooLarge("`Content-Length` is over max_inspected_body_bytes")
        return await client.whole_body(limit)

    async def _read_facts(self, body: bytes) -> BodyFacts:
        read = partial(
            read_facts,
            body,
            max_depth=self._limits.max_body_depth,
            max_keys=self._limits.max_body_keys,
        )
        # A large body takes milliseconds to read, for which everybody else would wait.
        return read() if len(body) <= _SMALL_BODY_BYTES else await asyncio.to_thread(read)

    # --- refusals -----------------------------------------------------------------------------

    async def _deny(self, exchange: Exchange, client: ClientConnection, decision: Decision) -> None:
        """Answer a decision that says no."""
        keep = client.reusable = client.reusable and client.can_skip_body()
        reply = self._refusals.of_denial(exchange, decision, keep=keep)
        exchange.ending = Ending.REFUSED
        client.write(reply)
        if keep:
            if not client.body_taken:  # the answer leaves before the line is written
                self._audit.note(exchange)
            await client.skip_body()

    def _fail(self, exchange: Exchange, client: ClientConnection, error: GatewayError) -> None:
        """Answer a failure; where a reply has already begun, cut it off."""
        from_upstream = isinstance(error, _FROM_UPSTREAM)
        exchange.error_code = error.code
        self._metrics.refused(error.code)
        if error.status >= 500 and not error.is_repeat:
            _log.warning(error.code, detail=error.detail, request_id=exchange.id)
        if exchange.status is not None:
            exchange.ending = Ending.UPSTREAM_FAILED if from_upstream else Ending.CLIENT_LEFT
            client.reusable = False
            client.abort()
            return
        exchange.ending = Ending.UPSTREAM_FAILED if from_upstream else Ending.REFUSED
        keep = client.reusable = client.reusable and client.body_taken
        client.write(self._refusals.of_failure(exchange, error, keep=keep))

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


def _is_enforced(denial: Decision) -> bool:
    """Shadowing is about roles: who is not known is refused all the same, and so is what no
    catalogue knows, since nobody could say where to send it.
    """
    route = denial.route
    return (
        route is None
        or route.use_role is not UseRole.SHADOW
        or denial.reason is Reason.NOT_AUTHENTICATED
    )
