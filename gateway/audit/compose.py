"""From an exchange's story to its audit line, twice: as a record, and quickly.

`record_of` says what a line is. `Composer` makes the same bytes for a third of the price, between
two requests of one loop, where it counts: what many requests have in common (who asks from where,
for what, and what was decided) is encoded once and kept, and the rest is put around it.
"""

import msgspec

from gateway.audit.intent import shortened_note
from gateway.audit.journal import MOST_NOTE_BYTES
from gateway.audit.record import (
    MOST_LINE_BYTES,
    UNENCODABLE,
    Record,
    claims_of,
    divisions_of,
    encode,
    milliseconds,
    missing_of,
    rfc3339,
    shortened,
)
from gateway.audit.redact import CUT, safe_text, target_digest
from gateway.exchange import Exchange
from policy import Caller, Decision, Effect

__all__ = ["Composer", "record_of"]

# Callers that are active at the same time, times what they do; an entry has about a kilobyte.
_MOST_KEPT = 2_048

# A note has room for this much besides its own fields; beyond it the claims are left out.
_MOST_NOTED = MOST_NOTE_BYTES - 160

_encode = msgspec.json.Encoder().encode


def record_of(exchange: Exchange, digest_key: bytes) -> Record:
    """The line of an exchange that has ended.

    A request that failed before it was decided carries its error's code as the reason.
    """
    decision = exchange.decision
    caller = exchange.caller
    total = exchange.ended_at - exchange.began_at
    route = None
    missing = None
    because: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    policy = ""
    if decision is None:
        effect, reason = Effect.DENY, exchange.error_code
    else:
        effect, reason = decision.reason.effect, decision.reason.label
        route = decision.route
        missing = missing_of(decision)
        because = decision.because
        conditions, unread = decision.conditions, decision.unread
        policy = decision.policy
    own = exchange.own
    if own is not None:
        effect = Effect.ALLOW if own.is_allowed else Effect.DENY
        reason, because = own.result, own.because
    head = exchange.head
    upstream_ms = None
    if exchange.sent_at is not None and exchange.replied_at is not None:
        upstream_ms = milliseconds(exchange.replied_at - exchange.sent_at)
    return Record(
        id=exchange.id,
        time=rfc3339(exchange.wall - total),
        service=route.service if route is not None else None,
        peer=exchange.peer,
        subject=safe_text(caller.subject),
        kind=caller.kind,
        means=caller.means,
        claims=claims_of(caller),
        method=head.method if head is not None else "",
        route=own.route if own is not None else route.id if route is not None else None,
        target_digest=target_digest(digest_key, head.target) if head is not None else "",
        effect=effect,
        reason=reason,
        missing=missing,
        because=because,
        conditions=conditions,
        unread=unread,
        enforced=exchange.enforced,
        status=exchange.status,
        ending=exchange.ending,
        upstream_ms=upstream_ms,
        total_ms=milliseconds(total),
        bytes_in=exchange.bytes_in,
        bytes_out=exchange.bytes_out,
        policy=policy,
        divisions=divisions_of(decision),
    )


class _Begun(msgspec.Struct, frozen=True, gc=False):
    """What a note has of its own."""

    id: str
    began_us: int
    target_digest: str


class _Ended(msgspec.Struct, frozen=True, gc=False):
    """What a line has of its own: the first fields of a `Record`."""

    v: int
    id: str
    time: str
    target_digest: str
    status: int | None
    ending: str
    upstream_ms: float | None
    total_ms: float
    bytes_in: int
    bytes_out: int


class _Common(msgspec.Struct, frozen=True, gc=False):
    """The other fields, encoded, with the brace behind them; for notes in less room.

    It holds on to what it was made from: nothing else may get their identity.
    """

    decision: Decision
    caller: Caller
    fields: bytes
    noted: bytes


class Composer:
    """Notes and lines of exchanges."""

    def __init__(self, digest_key: bytes) -> None:
        self._digest_key = digest_key
        self._common: dict[tuple[int, int, str, str, bool], _Common] = {}

    def __repr__(self) -> str:
        return f"Composer({len(self._common)} kept)"

    def note(self, exchange: Exchange) -> bytes:
        """What is kept of an exchange until its line is; fits a slot.

        The digest of the target is left on the exchange: its line wants it too.
        """
        head, decision = exchange.head, exchange.decision
        assert head is not None  # noqa: S101 - what has no head is never noted
        digest = exchange.target_digest = target_digest(self._digest_key, head.target)
        if decision is None:
            return shortened_note(exchange)
        try:
            common = self._common_of(exchange, decision, head.method)
            begun = _Begun(exchange.id, int(exchange.began_at * 1_000_000), digest)
            note = b"%b,%b" % (_encode(begun)[:-1], common.noted)
        except UNENCODABLE:
            return shortened_note(exchange)
        return note if len(note) <= MOST_NOTE_BYTES else shortened_note(exchange)

    def line(self, exchange: Exchange) -> bytes:
        """The encoded line of an exchange that has ended, with its newline."""
        head, decision = exchange.head, exchange.decision
        if head is None or decision is None or exchange.own is not None:
            return self._as_record(exchange)
        try:
            common = self._common_of(exchange, decision, head.method)
            total = exchange.ended_at - exchange.began_at
            digest = exchange.target_digest or target_digest(self._digest_key, head.target)
            sent_at, replied_at = exchange.sent_at, exchange.replied_at
            ended = _Ended(
                1,
                exchange.id,
                rfc3339(exchange.wall - total),
                digest,
                exchange.status,
                exchange.ending,
                None
                if sent_at is None or replied_at is None
                else milliseconds(replied_at - sent_at),
                milliseconds(total),
                exchange.bytes_in,
                exchange.bytes_out,
            )
            line = b"%b,%b\n" % (_encode(ended)[:-1], common.fields)
        except UNENCODABLE:
            return self._as_record(exchange)
        return line if len(line) <= MOST_LINE_BYTES else self._as_record(exchange)

    def _as_record(self, exchange: Exchange) -> bytes:
        record = record_of(exchange, self._digest_key)
        line = encode([record])
        return line if len(line) <= MOST_LINE_BYTES else encode([shortened(record)])

    def _common_of(self, exchange: Exchange, decision: Decision, method: str) -> _Common:
        caller = exchange.caller
        # By identity, which costs nothing: most decisions are made once per route and policy, and
        # callers are remembered. What is new each time is merely kept in vain.
        key = (id(decision), id(caller), exchange.peer, method, exchange.enforced)
        common = self._common.get(key)
        if common is None:
            if len(self._common) >= _MOST_KEPT:
                self._common.clear()
            common = self._common[key] = _encoded(exchange, decision, caller, method)
        return common


def _encoded(exchange: Exchange, decision: Decision, caller: Caller, method: str) -> _Common:
    route = decision.route
    fields = {
        "service": None if route is None else route.service,
        "peer": exchange.peer,
        "subject": safe_text(caller.subject),
        "kind": caller.kind,
        "means": caller.means,
        "claims": claims_of(caller),
        "method": method,
        "route": None if route is None else route.id,
        "effect": decision.reason.effect,
        "reason": decision.reason.label,
        "missing": missing_of(decision),
        "because": decision.because,
        "conditions": decision.conditions,
        "unread": decision.unread,
        "enforced": exchange.enforced,
        "policy": decision.policy,
        "divisions": divisions_of(decision),
    }
    encoded = noted = _encode(fields)[1:]
    if len(noted) > _MOST_NOTED:
        noted = _encode(fields | {"claims": (CUT,)})[1:]
    return _Common(decision, caller, encoded, noted)
