"""What a policy answers: a decision with its reason, or the wish to see the body first.

A denial is a value. The effect is a property of the reason, so the two cannot contradict each
other.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    from policy.route import Route

__all__ = ["NOTHING", "Decision", "Effect", "Missing", "NeedsBody", "Reason"]


class Effect(StrEnum):
    """Whether the request may go on."""

    ALLOW = "allow"
    DENY = "deny"


class Reason(StrEnum):
    """Why: a metric label, an audit field and a problem code alike. Never reused, never renamed.

    `effect` and `label` (the value as a plain string) lie on each member: both are read for every
    request, and reading an enum's `value`, or hashing it, runs Python code.
    """

    effect: Effect
    label: str

    def __new__(cls, value: str, effect: Effect) -> Self:
        member = str.__new__(cls, value)
        member._value_ = member.label = str(value)
        member.effect = effect
        return member

    PERMITTED = "permitted", Effect.ALLOW
    NOT_ENFORCED = "not-enforced", Effect.ALLOW
    NO_ROUTE = "no-route", Effect.DENY
    NOT_AUTHENTICATED = "not-authenticated", Effect.DENY
    CLOSED = "closed", Effect.DENY
    PERMISSION_MISSING = "permission-missing", Effect.DENY
    SCOPE_MISSING = "scope-missing", Effect.DENY
    DIVISION_MISSING = "division-missing", Effect.DENY
    GUARD_FAILED = "guard-failed", Effect.DENY
    UNDECIDABLE = "undecidable", Effect.DENY


class Missing(msgspec.Struct, frozen=True):
    """What the caller lacks: every name of `all_of`, and one name of each group of `any_of`.

    Of `scopes` it lacks one as well. Where it holds all of that, but not there, `divisions` says
    where: in each of them. An empty name is a division that cannot be told.
    """

    all_of: tuple[str, ...] = ()
    any_of: tuple[tuple[str, ...], ...] = ()
    scopes: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()

    @property
    def reason(self) -> Reason:
        """Why that is denied: a permission that is missing is told before a scope."""
        lacks_permission = self.all_of or self.any_of
        return Reason.PERMISSION_MISSING if lacks_permission else Reason.SCOPE_MISSING

    def __bool__(self) -> bool:
        return bool(self.all_of or self.any_of or self.scopes or self.divisions)


NOTHING = Missing()


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one inquiry.

    `policy` is the digest of the table that answered, `because` names the conditions and guards
    that shaped the answer, in the order of the catalogue. `conditions` are all that were true of
    the request, and `unread` those that the body decides, which nobody had to look into.
    `divisions` are those in which the caller's grants were looked for; there are none where that
    made no difference. Of a service that is pinned to a division, it is the one it is pinned to.
    """

    reason: Reason
    policy: str
    route: "Route | None" = None
    missing: Missing = NOTHING
    because: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    divisions: tuple[str, ...] = ()

    @property
    def effect(self) -> Effect:
        return self.reason.effect


class NeedsBody(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome depends on the body: read it strictly and ask again with its facts.

    `divisions` is the one that the route's service is pinned to, as far as that is known.
    """

    route: "Route"
    divisions: tuple[str, ...] = ()
