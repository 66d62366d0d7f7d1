"""From an exchange's story to its audit line."""

from gateway.audit.record import Record, rfc3339
from gateway.audit.redact import safe_text, target_digest
from gateway.exchange import Exchange
from policy import Effect

__all__ = ["compose"]


def compose(exchange: Exchange, digest_key: bytes) -> Record:
    """The line of an exchange that has ended.

    A request that failed before it was decided carries its error's code as the reason.
    """
    decision = exchange.decision
    caller = exchange.caller
    total = exchange.ended_at - exchange.began_at
    route = None
    missing = None
    because: tuple[str, ...] = ()
    policy = ""
    if decision is None:
        effect, reason = Effect.DENY, exchange.error_code
    else:
        effect, reason = decision.reason.effect, decision.reason.label
        route = decision.route
        missing = decision.missing or None
        because = decision.because
        policy = decision.policy
    head = exchange.head
    upstream_ms = None
    if exchange.sent_at is not None and exchange.replied_at is not None:
        upstream_ms = _milliseconds(exchange.replied_at - exchange.sent_at)
    return Record(
        id=exchange.id,
        time=rfc3339(exchange.wall - total),
        service=route.service if route is not None else None,
        peer=exchange.peer,
        subject=safe_text(caller.subject),
        kind=caller.kind,
        means=caller.means,
        method=head.method if head is not None else "",
        route=route.id if route is not None else None,
        target_digest=target_digest(digest_key, head.target) if head is not None else "",
        effect=effect,
        reason=reason,
        missing=missing,
        because=because,
        enforced=exchange.enforced,
        status=exchange.status,
        ending=exchange.ending,
        upstream_ms=upstream_ms,
        total_ms=_milliseconds(total),
        bytes_in=exchange.bytes_in,
        bytes_out=exchange.bytes_out,
        policy=policy,
    )


def _milliseconds(seconds: float) -> float:
    """To the microsecond; `round` with digits would cost more than the rest of the line."""
    return int(seconds * 1_000_000) / 1000
