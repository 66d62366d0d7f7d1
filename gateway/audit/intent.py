"""What is noted of a request before it is forwarded, and the line that it becomes in the worst case.

The upstream may have carried out a request whose worker was killed before the answer came. Then
the note is all that is left: who asked for what, and that it was allowed. A note is an object of
the fields of a `Record` that are known by then, and `began_us`. One that was refused has a note
where its answer leaves before its line is written.
"""

import msgspec

from gateway.audit.journal import MOST_NOTE_BYTES
from gateway.audit.record import Record, milliseconds, rfc3339
from gateway.audit.redact import CUT, safe_text
from gateway.clock import Clock
from gateway.exchange import Ending, Exchange
from policy import Effect, Missing

__all__ = ["lost", "shortened_note"]


class _Intent(msgspec.Struct, frozen=True, kw_only=True):
    """`began_us` is on the monotonic clock, which all processes of a machine share."""

    id: str
    began_us: int
    service: str | None
    peer: str
    subject: str
    kind: str
    means: str
    claims: tuple[str, ...] = ()
    method: str
    route: str | None
    target_digest: str
    effect: str
    reason: str
    missing: Missing | None = None
    because: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    enforced: bool
    policy: str


_read = msgspec.json.Decoder(_Intent).decode


def shortened_note(exchange: Exchange) -> bytes:
    """A note that always fits: every text cut, no claims, and nothing of what shaped the decision.

    It is where a caller has a name of a hundred characters that take four bytes each, or a policy
    lists dozens of permissions for what it merely shadows. It is also the note of what was turned
    away undecided, for the reason of its error.
    """
    decision, head, caller = exchange.decision, exchange.head, exchange.caller
    assert head is not None  # noqa: S101 - what has no head is never noted
    route = None
    shaped_by: tuple[str, ...] = ()
    effect, reason, policy = Effect.DENY, exchange.error_code, ""
    if decision is not None:
        route = decision.route
        effect, reason = decision.reason.effect, decision.reason.label
        policy = decision.policy
        shaped_by = (CUT,)
    note = b""
    for most in (64, 12):
        note = msgspec.json.encode(
            _Intent(
                id=_cut(exchange.id, 64),
                began_us=int(exchange.began_at * 1_000_000),
                service=None if route is None else _cut(route.service, most),
                peer=_cut(exchange.peer, most),
                subject=_cut(caller.subject, most),
                kind=caller.kind,
                means=caller.means,
                method=_cut(head.method, most),
                route=None if route is None else _cut(route.id, most),
                target_digest=exchange.target_digest,
                effect=effect,
                reason=reason,
                claims=(CUT,) if caller.claims else (),
                because=shaped_by,
                conditions=shaped_by,
                unread=shaped_by,
                enforced=exchange.enforced,
                policy=_cut(policy, most),
            )
        )
        if len(note) <= MOST_NOTE_BYTES:
            break
    return note


def _cut(text: str, most: int) -> str:
    text = safe_text(text)
    return text if len(text) <= most else text[: most - 1] + CUT


def lost(note: bytes, clock: Clock) -> Record:
    """The line of a request whose worker was killed before it ended.

    Nobody knows how it ended, nor when: it has no status, and its time is the time until its loss
    was noticed. How much was transferred is not known either, and said to be nothing. Raises
    msgspec.MsgspecError.
    """
    intent = _read(note)
    passed = clock.monotonic() - intent.began_us / 1_000_000
    return Record(
        id=intent.id,
        time=rfc3339(clock.wall() - passed),
        service=intent.service,
        peer=intent.peer,
        subject=intent.subject,
        kind=intent.kind,
        means=intent.means,
        claims=intent.claims,
        method=intent.method,
        route=intent.route,
        target_digest=intent.target_digest,
        effect=intent.effect,
        reason=intent.reason,
        missing=intent.missing,
        because=intent.because,
        conditions=intent.conditions,
        unread=intent.unread,
        enforced=intent.enforced,
        status=None,
        ending=Ending.WORKER_LOST,
        upstream_ms=None,
        total_ms=milliseconds(passed),
        bytes_in=0,
        bytes_out=0,
        policy=intent.policy,
    )
