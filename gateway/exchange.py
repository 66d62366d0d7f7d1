"""One request's story, as data: written by the pipeline, read by audit and metrics.

`Exchange` is the only mutable thing in a request. `Section` is a client's header section together
with what was found out about it; it outlives the request, because a client that keeps its
connection mostly repeats its header section byte for byte, and what is the same bytes need not be
read twice.
"""

from enum import StrEnum

import msgspec

from gateway.http.headers import Headers
from gateway.http.target import Target
from policy import ANONYMOUS, Caller, Decision, DecisionTable

__all__ = ["Ending", "Exchange", "RequestHead", "Section"]


class Ending(StrEnum):
    """How an exchange ended. An audit field; never renamed."""

    COMPLETE = "complete"
    REFUSED = "refused"
    CLIENT_LEFT = "client-left"
    UPSTREAM_FAILED = "upstream-failed"
    CANCELLED = "cancelled"
    ERROR = "error"


class Section:
    """A header section as read, and what later stages learnt from it.

    Each memo says what it is good for: `held` for `caller` under `table`, `prelude` for the
    upstream of that name and `caller`.
    """

    __slots__ = ("caller", "credential", "headers", "held", "preludes", "table")

    def __init__(self, headers: Headers) -> None:
        self.headers = headers
        self.credential: bytes | None = None
        self.caller: Caller | None = None
        self.table: DecisionTable | None = None
        self.held = 0
        self.preludes: dict[str, bytes] = {}


class RequestHead(msgspec.Struct, frozen=True, gc=False):
    """A request's head as received and framed, its target not yet canonical."""

    method: str
    target: bytes
    is_1_1: bool
    section: Section

    @property
    def headers(self) -> Headers:
        return self.section.headers


class Exchange:
    """What is known so far; times are seconds on the monotonic clock."""

    __slots__ = (
        "began_at",
        "bytes_in_before",
        "bytes_out_before",
        "caller",
        "decision",
        "ending",
        "enforced",
        "error_code",
        "head",
        "id",
        "peer",
        "raw_target",
        "replied_at",
        "sent_at",
        "service",
        "status",
        "target",
    )

    def __init__(self, id_: str, peer: str, began_at: float) -> None:
        self.id = id_
        self.peer = peer
        self.began_at = began_at
        self.head: RequestHead | None = None
        self.raw_target = b""
        self.target: Target | None = None
        self.caller: Caller = ANONYMOUS
        self.decision: Decision | None = None
        self.enforced = True
        self.service = ""
        self.status: int | None = None
        self.ending = Ending.ERROR
        self.error_code = ""
        self.sent_at: float | None = None
        self.replied_at: float | None = None
        self.bytes_in_before = 0
        self.bytes_out_before = 0

    def __repr__(self) -> str:
        what = self.head.method if self.head else "no head"
        return f"<Exchange {self.id} {what} {self.ending.value} {self.status}>"
