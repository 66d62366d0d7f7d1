"""What every way of proving an identity has in common.

A verifier answers in one of four ways, and the first two are final: a `Caller`, a raised
`CredentialsRefused` (or `IdentityUnavailable`), None for "not mine, and I did not look further" or
"mine I would know", or a raised `CannotTell` for "I would have to look, and cannot". No verifier
gets a second chance at credentials that another one has refused.
"""

from collections.abc import Callable
from typing import Protocol

from gateway.errors import CredentialsRefused, IdentityUnavailable
from policy import Caller

__all__ = ["CannotTell", "NotYet", "Readiness", "Verifier"]

# Whether identities can be proved, and a sentence for whoever reads /readyz.
Readiness = tuple[bool, str]


class NotYet(CredentialsRefused):
    """Refused for now: the same credentials may be good later, so the refusal is not remembered.

    A key that is not yet published and a `nbf` not yet reached are of this kind; a wrong
    signature is not.
    """


class CannotTell(IdentityUnavailable):
    """Whether these credentials are the verifier's own cannot be found out just now.

    The others are asked; where none of them vouches, nobody can tell, and nobody is let in.
    """


class Verifier(Protocol):
    """One way of proving an identity."""

    @property
    def scheme(self) -> str:
        """The scheme of the `Authorization` header that it reads, in lower case."""

    @property
    def challenge(self) -> bytes:
        """The `WWW-Authenticate` value that asks for it."""

    @property
    def cache_seconds(self) -> float:
        """For how long its answer may be reused at most."""

    @property
    def configuration(self) -> bytes:
        """A digest of everything its answers depend on, so that no cache mixes two of them up."""

    async def verify(self, credentials: bytes) -> Caller | None: ...

    async def start(self, forget: Callable[[], None]) -> None:
        """Get ready; from now on, call `forget` when an earlier answer may no longer hold."""

    async def close(self) -> None: ...

    def ready(self) -> Readiness: ...
