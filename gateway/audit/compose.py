"""From an exchange's story to its audit line."""

from gateway.audit.record import Record, rfc3339
from gateway.audit.redact import safe_text, target_digest
from gateway.exchange import Exchange
from gateway.wire.client import ClientConnection
from policy import Effect

__all__ = ["compose"]


def compose(
    exchange: Exchange, client: ClientConnection, digest_key: bytes, wall: float, now: float
) -> Record:
    """The line of `exchange`, which ended at `wall` (epoch) or `now` (monotonic), in seconds.

    A request that failed before it was decided carries its error's code as the reason.
    """
    decision = exchange.decision
    caller = exchange.caller
    total = now - exchange.began_at
    route = None
    missing = None
    because: tuple[str, ...] = ()
    policy = ""
    if decision is None:
        effect, reason = Effect.DENY.value, exchange.error_code
    else:
        effect, reason = decision.reason.effect.value, decision.reason.value
        route = decision.route
        missing = decision.missing or None
        because = decision.because
        policy = decision.policy
    head = exchange.head
    upstream_ms = None
    if exchange.sent_at is not None and exchange.replied_at is not None:
        upstream_ms = round((exchange.replied_at - exchange.sent_at) * 1000, 3)
    return Record(
        id=exchange.id,
        time=rfc3339(wall - total),
        service=route.service if route is not None else None,
        peer=exchange.peer,
        subject=safe_text(caller.subject),
        kind=caller.kind.value,
        means=caller.means.value,
        method=head.method if head is not None else "",
        route=route.id if route is not None else None,
        target_digest=target_digest(digest_key, head.target) if head is not None else "",
        effect=effect,
        reason=reason,
        missing=missing,
        because=because,
        enforced=exchange.enforced,
        status=exchange.status,
        ending=exchange.ending.value,
        upstream_ms=upstream_ms,
        total_ms=round(total * 1000, 3),
        bytes_in=client.bytes_in - exchange.bytes_in_before,
        bytes_out=client.bytes_out - exchange.bytes_out_before,
        policy=policy,
    )
