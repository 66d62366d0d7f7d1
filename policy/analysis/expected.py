"""What may be expected of a request: one caller, one request, one outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from policy.decision import Missing
from policy.diagnostics import Location
from policy.expectations import SentBody
from policy.inquiry import Caller

__all__ = ["Allowed", "AnsweredBy", "Denied", "Expectation", "Expected"]


class Allowed(msgspec.Struct, frozen=True):
    """The request goes on; if `because` is given, exactly these conditions came true."""

    because: tuple[str, ...] | None = None


class Denied(msgspec.Struct, frozen=True):
    """The request is denied for exactly this reason, or refused with this code.

    `missing` is None where the reason says it all, and where the author did not care to say.
    """

    reason: str
    missing: Missing | None = None
    because: tuple[str, ...] | None = None


class AnsweredBy(msgspec.Struct, frozen=True):
    """The request is this operation's, whoever sends it."""

    route: str


Expected = Allowed | Denied | AnsweredBy


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is expected of `request` when `caller` sends it; `who` is what the file calls the caller.

    Where any caller will do, `who` is empty and the caller is a stranger. `scopes` are those of the
    caller's token, if these are not all, or a client's own.
    """

    where: Location
    name: str
    request: str
    body: SentBody | None
    headers: Mapping[str, str] = field(default_factory=dict)
    who: str
    caller: Caller
    scopes: tuple[str, ...] | None = None
    expected: Expected
