"""What is asked of a policy: who, which operation, and the facts that conditions may read.

Nothing here knows HTTP, sockets or YAML. Every value is frozen, and a value that was
not looked at is `None`, never "empty": the evaluator keeps the two apart.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

import msgspec

from policy.holding import Held

__all__ = ["ANONYMOUS", "BodyFacts", "Caller", "Inquiry", "Kind", "Means", "folded"]


class Kind(StrEnum):
    """What sort of thing is calling."""

    USER = "user"
    SERVICE = "service"
    ANONYMOUS = "anonymous"


class Means(StrEnum):
    """How the caller proved who it is."""

    JWT = "jwt"
    BASIC = "basic"
    CERTIFICATE = "certificate"
    CLIENT_CREDENTIALS = "client-credentials"
    INTROSPECTION = "introspection"
    NONE = "none"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who is asking, as proved by its credentials; which roles that means is the policy's word.

    `claims` are the values of the token's roles claim, each mapped to roles by the policy's
    `claims` section. `scopes` are those that the token itself names, None where it says nothing of
    them. `roles` names roles directly, which count in `divisions` only unless that is None, and
    `groups` groups: the offline tools (`explain --role`, tests) use them, a caller from the network
    never has any.
    `expires_at` is in seconds since the epoch.
    """

    subject: str
    kind: Kind
    means: Means
    issuer: str = ""
    claims: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    divisions: frozenset[str] | None = None
    scopes: frozenset[str] | None = None
    expires_at: float | None = None


ANONYMOUS = Caller(subject="", kind=Kind.ANONYMOUS, means=Means.NONE)


def folded(name: str) -> str:
    """The form in which two names of body keys are compared: ASCII letters without case.

    UCS compares extension names without case and allows them ASCII letters, digits and `_` only.
    Other letters keep theirs, so that no look-alike (the long s, the Kelvin sign) folds
    into a core attribute's name.
    """
    return name.lower() if name.isascii() else name


class BodyFacts(msgspec.Struct, frozen=True):
    """The top level of a JSON object that was read strictly: folded key to value.

    A key's presence and its value are different questions: `key in values`, `values[key]`.
    `spelt` are the keys as they were sent, None where nobody noted it.
    """

    values: Mapping[str, object]
    spelt: frozenset[str] | None = None


_NO_HEADERS: Mapping[bytes, bytes] = MappingProxyType({})


class Inquiry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One question: may `caller`, who holds `held`, do this?

    `segments` are the decoded segments of the canonical path below `/`. `query` holds decoded
    names and values in the order they were sent. `headers` are the fields that may be read, by
    lower-case names, each sent once. `body` is None as long as nobody looked.
    """

    caller: Caller
    held: Held
    method: str
    segments: tuple[str, ...]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[bytes, bytes] = _NO_HEADERS
    body: BodyFacts | None = None
