"""What a policy answers: a decision with its reason, or the wish to see the body first.

A denial is a value. The effect is a property of the reason, so the two cannot contradict each
other.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from policy.table import Route

__all__ = ["NOTHING", "Decision", "Effect", "Missing", "NeedsBody", "Reason"]


class Effect(StrEnum):
    """Whether the request may go on."""

    ALLOW = "allow"
    DENY = "deny"


class Reason(StrEnum):
    """Why: a metric label, an audit field and a problem code alike. Never reused, never renamed."""

    PERMITTED = "permitted"
    NOT_ENFORCED = "not-enforced"
    NO_ROUTE = "no-route"
    NOT_AUTHENTICATED = "not-authenticated"
    PERMISSION_MISSING = "permission-missing"
    GUARD_FAILED = "guard-failed"
    UNDECIDABLE = "undecidable"

    @property
    def effect(self) -> Effect:
        """Only what is known to be permitted is allowed."""
        return _EFFECT[self]


_EFFECT = dict.fromkeys(Reason, Effect.DENY) | {
    Reason.PERMITTED: Effect.ALLOW,
    Reason.NOT_ENFORCED: Effect.ALLOW,
}


class Missing(msgspec.Struct, frozen=True):
    """What the caller lacks: every name of `all_of`, and one name of each group of `any_of`."""

    all_of: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all_of or self.any_of)


NOTHING = Missing()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one inquiry.

    `policy` is the digest of the table that answered, `because` names the conditions and guards
    that shaped the answer, in the order of the catalogue.
    """

    reason: Reason
    policy: str
    route: "Route | None" = None
    missing: Missing = NOTHING
    because: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        return self.reason.effect


class NeedsBody(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome depends on the body: read it strictly and ask again with its facts."""

    route: "Route"
