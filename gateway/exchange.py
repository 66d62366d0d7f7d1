"""One request's story, as data: written by the pipeline, read by audit and metrics.

`Exchange` is the only mutable thing in a request. `Section` is a client's header section together
with what was found out about it; it outlives the request, because a client that keeps its
connection mostly repeats its header section byte for byte, and what is the same bytes need not be
read twice.
"""

from enum import StrEnum

import msgspec

from gateway.http.forwarded import Origin
from gateway.http.headers import Headers
from gateway.http.target import Target
from policy import ANONYMOUS, NOTHING_HELD, Caller, Decision

__all__ = ["Ending", "Exchange", "Own", "PeerCertificate", "RequestHead", "Section"]


class Ending(StrEnum):
    """How an exchange ended. An audit field; never renamed.

    `worker-lost` is said by others: the process died, and the request with it.
    """

    COMPLETE = "complete"
    REFUSED = "refused"
    CLIENT_LEFT = "client-left"
    UPSTREAM_FAILED = "upstream-failed"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    ERROR = "error"
    WORKER_LOST = "worker-lost"


class PeerCertificate(msgspec.Struct, frozen=True):
    """Whom the certificate of a connection names, worked out once: a caller, or why nobody."""

    caller: Caller | None
    refused: str = ""


class Section:
    """A header section as read, who it comes from, and what later stages learnt from it.

    It belongs to one connection, whose `certificate` speaks for it where the section itself names
    nobody.

    Each memo says what it is good for: `caller` until the moment `caller_until` (monotonic
    seconds), `held` for `caller` under the table of `mark`, a prelude for `caller` and the upstream of its
    name.
    """

    __slots__ = (
        "caller",
        "caller_until",
        "certificate",
        "credential",
        "headers",
        "held",
        "mark",
        "origin",
        "preludes",
    )  # fmt: skip

    def __init__(
        self, headers: Headers, origin: Origin, certificate: PeerCertificate | None = None
    ) -> None:
        self.headers = headers
        self.origin = origin
        self.certificate = certificate
        self.credential: bytes | None = None
        self.caller: Caller | None = None
        self.caller_until = 0.0
        self.mark: object = None
        self.held = NOTHING_HELD
        self.preludes: dict[str, bytes] = {}


class RequestHead(msgspec.Struct, frozen=True, gc=False):
    """A request's head as received and framed, its target not yet canonical."""

    method: str
    target: bytes
    is_1_1: bool
    headers: Headers
    section: Section


class Own(msgspec.Struct, frozen=True):
    """What the gateway answered itself, and no policy decided: an endpoint of its own.

    `route`, `result` and `because` are for the audit, as a decision's are; none holds a secret.
    """

    route: str
    result: str
    because: tuple[str, ...]
    is_allowed: bool


class Exchange:
    """What is known so far; times are seconds on the monotonic clock, `wall` since the epoch.

    What has not been found out is read from the class, so that a new exchange costs next to
    nothing. Of a request whose head was refused, `refused_method` is what it asked for, as far as
    that could be read.
    """

    head: RequestHead | None = None
    target: Target | None = None
    caller: Caller = ANONYMOUS
    decision: Decision | None = None
    own: Own | None = None
    refused_method = ""
    enforced = True
    status: int | None = None
    ending = Ending.ERROR
    error_code = ""
    target_digest = ""
    sent_at: float | None = None
    replied_at: float | None = None
    ended_at: float
    wall: float

    def __init__(
        self, id_: str, peer: str, began_at: float, *, bytes_in: int = 0, bytes_out: int = 0
    ) -> None:
        self.id = id_
        self.peer = peer
        self.began_at = began_at
        self.bytes_in = bytes_in
        self.bytes_out = bytes_out

    def __repr__(self) -> str:
        what = self.head.method if self.head else "no head"
        return f"<Exchange {self.id} {what} {self.ending.value} {self.status}>"
