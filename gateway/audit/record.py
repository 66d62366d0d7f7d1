"""The audit line: a public, versioned format.

The fields and their order are the format; a change in the meaning of one, or the loss of one,
is a new `v`. A field that does not apply is null, never left out. Encoding happens between two
requests, so a record holds values that are ready to be written.
"""

from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from gateway.audit.redact import CUT, safe_text
from policy import Caller, Decision, Missing

__all__ = [
    "MOST_CLAIMS",
    "MOST_LINE_BYTES",
    "UNENCODABLE",
    "Record",
    "claims_of",
    "divisions_of",
    "encode",
    "milliseconds",
    "missing_of",
    "rfc3339",
    "shortened",
]

MOST_LINE_BYTES = 65_536
"""No line is longer than the room that one can always hope for."""

MOST_CLAIMS = 32
"""Values of the roles claim in a line; where there are more, the last one is `CUT`."""

_MOST_TEXT = 256


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One request: what is its own, then what it has in common with others.

    `reason` is a `policy.Reason`, or the code of the error that came before a decision; then
    `effect` is `deny` as well. Of a request that an endpoint of the gateway's own answered it is a
    `gateway.issuer.Result`, `route` is the endpoint's name, and `because` what it was about. `enforced` is false where the service only shadows its policy.
    `ending` is a `gateway.exchange.Ending`; `target_digest` and `subject` come from `redact`, and
    `claims` are `claims_of` the caller. `conditions` are all that were true of the request, and
    `unread` those that depend on a body into which nobody looked. `divisions` are those in which it
    mattered what the caller holds, and the one that a pinned service was told; "" is one that could
    not be told. What was cut ends in `CUT`.
    """

    v: int = 1
    id: str
    time: str
    target_digest: str
    status: int | None
    ending: str
    upstream_ms: float | None
    total_ms: float
    bytes_in: int
    bytes_out: int
    service: str | None
    peer: str
    subject: str
    kind: str
    means: str
    claims: tuple[str, ...]
    method: str
    route: str | None
    effect: str
    reason: str
    missing: Missing | None
    because: tuple[str, ...]
    conditions: tuple[str, ...]
    unread: tuple[str, ...]
    enforced: bool
    policy: str
    divisions: tuple[str, ...] = ()


def claims_of(caller: Caller) -> tuple[str, ...]:
    """The values of the caller's roles claim, sorted and bounded, each as `safe_text`."""
    if not caller.claims:
        return ()
    claims = tuple(map(safe_text, sorted(caller.claims)))
    return claims if len(claims) <= MOST_CLAIMS else (*claims[: MOST_CLAIMS - 1], CUT)


def divisions_of(decision: Decision | None) -> tuple[str, ...]:
    """Where the caller's grants were looked for, each as `safe_text`."""
    return () if decision is None else tuple(map(safe_text, decision.divisions))


def missing_of(decision: Decision) -> Missing | None:
    """What was missing; the divisions are the client's words, each as `safe_text`."""
    missing = decision.missing
    if missing.divisions:
        divisions = tuple(map(safe_text, missing.divisions))
        return msgspec.structs.replace(missing, divisions=divisions)
    return missing or None


def rfc3339(wall_seconds: float) -> str:
    """Seconds since the epoch as `2026-11-21T04:05:06.000007Z`: of one width, so it sorts."""
    microseconds = round(wall_seconds * 1_000_000)
    return f"{_second(microseconds // 1_000_000)}.{microseconds % 1_000_000:06d}Z"


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def milliseconds(seconds: float) -> float:
    """To the microsecond; `round` with digits would cost more than the rest of the line."""
    return int(seconds * 1_000_000) / 1000


_encoder = msgspec.json.Encoder()
UNENCODABLE = (TypeError, ValueError, OverflowError, msgspec.MsgspecError)


def encode(records: list[Record]) -> bytes:
    """One line for each record, each ended by a newline; never fails.

    A value that JSON has no form for (a lone surrogate, a defect of ours) would take the whole
    batch with it. It is escaped instead, in its own line only.
    """
    try:
        return _encoder.encode_lines(records)
    except UNENCODABLE:
        return _encoder.encode_lines([_salvaged(record) for record in records])


def shortened(record: Record) -> Record:
    """The record in at most MOST_LINE_BYTES: every text cut, no permission and no condition named.

    Only a policy that lists a thousand permissions for one operation makes a line so long.
    """
    texts = {
        name: text[: _MOST_TEXT - 1] + CUT
        for name, text in msgspec.structs.asdict(record).items()
        if isinstance(text, str) and len(text) > _MOST_TEXT
    }
    return msgspec.structs.replace(
        record,
        **texts,
        missing=None,
        because=(CUT,),
        conditions=(CUT,),
        unread=(CUT,),
        claims=(CUT,),
        divisions=tuple(map(safe_text, record.divisions[:1])),
    )


def _salvaged(record: Record) -> dict[str, object]:
    return {name: _encodable(value) for name, value in msgspec.structs.asdict(record).items()}


def _encodable(value: object) -> object:
    try:
        _encoder.encode(value)
    except UNENCODABLE:
        return str(value).encode("utf-8", "backslashreplace").decode()
    return value
