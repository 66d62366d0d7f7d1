"""Opaque tokens: their own server is asked what they are worth (RFC 7662).

The answer is somebody else's word over a network, so nothing of it is taken on faith (threat J-15).
`active` has to be JSON's true; false means that this server knows no such token; anything else is a
failure, and a failure lets nobody in. What an active token says of its caller is read by the same
rules as a JWT's claims. An active token may still be no proof of a caller: one for renewing others,
or one that is bound to a key which nobody has shown here.

A stranger's made-up token makes us ask, which costs the server more than it costs the stranger. So
only so many questions are under way, only so many wait, none for long, and a server that fails is
left alone for a while. Answers are remembered by the chain, refusals briefly.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from gateway.authn.base import CannotTell, Readiness
from gateway.authn.breaker import Breaker
from gateway.authn.cache import configuration_digest
from gateway.authn.challenge import bearer_challenge
from gateway.authn.claims import ClaimRules
from gateway.authn.token import UnprovedToken
from gateway.clock import Clock
from gateway.errors import CredentialsRefused
from gateway.logs import get as get_logger
from gateway.outbound import FetchFailed, OAuthEndpoint
from policy import Caller

__all__ = ["IntrospectionVerifier", "Introspector"]

_log = get_logger("gateway.authn.introspection")

_FAILURES = 3
_MAX_WAITING = 256

# What a server may call a token that proves a caller, by the member that says so. Servers of several
# makers answer for refresh and identity tokens too, and tell them apart by one of these.
_KINDS: Mapping[str, frozenset[str]] = {
    "token_type": frozenset({"bearer", "access_token"}),
    "token_use": frozenset({"access", "access_token"}),
    "typ": frozenset({"bearer", "jwt", "at+jwt"}),
}


class Introspector:
    """The questions to one server: bounded, counted, and not asked while it fails.

    `active`, `inactive` and `failed` count the answers. Verifiers that are replaced leave it to
    their successors; each start wants its close.
    """

    def __init__(
        self,
        endpoint: OAuthEndpoint,
        *,
        clock: Clock,
        parallel: int,
        patience_seconds: float,
        cooldown_seconds: float,
    ) -> None:
        self.url = endpoint.url
        self.active = 0
        self.inactive = 0
        self.failed = 0
        self._endpoint = endpoint
        self._breaker = Breaker(clock, after=_FAILURES, pause_seconds=cooldown_seconds)
        self._places = asyncio.Semaphore(parallel)
        self._waiting = 0
        self._patience_seconds = patience_seconds
        self._users = 0
        self._error = ""

    def __repr__(self) -> str:
        return f"Introspector({self.url!r}, {self.state()})"

    async def ask(self, token: str) -> Mapping[str, Any] | None:
        """What the server says of an active token; None of one that is not. Raises CannotTell."""
        async with self._place():
            if not self._breaker.admits():
                raise CannotTell(f"{self.url} is left alone for a while: {self._error}")
            try:
                answer = await self._endpoint.ask(
                    {"token": token, "token_type_hint": "access_token"}
                )
                is_active = _is_active(answer)
            except FetchFailed as failure:
                self._has_failed(str(failure))
                raise CannotTell(f"{self.url}: {failure}") from None
            except BaseException:
                self._breaker.gave_up()
                raise
        self._has_answered()
        if not is_active:
            self.inactive += 1
            return None
        self.active += 1
        return answer

    def state(self) -> str:
        """What is to be said of it."""
        return f"away, {self._error}" if self._breaker.is_open else "asked about opaque tokens"

    def start(self) -> None:
        self._users += 1

    async def close(self) -> None:
        self._users -= 1
        if self._users <= 0:
            await self._endpoint.close()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        if self._waiting >= _MAX_WAITING:
            raise CannotTell(f"{self.url}: too many tokens wait to be asked about")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._patience_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise CannotTell(f"{self.url}: the token waited too long") from None
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._places.release()

    def _has_failed(self, error: str) -> None:
        was_open = self._breaker.is_open
        self.failed += 1
        self._error = error
        self._breaker.failed()
        if self._breaker.is_open and not was_open:
            _log.warning("introspection is away", url=self.url, error=error)

    def _has_answered(self) -> None:
        if self._breaker.is_open:
            _log.info("introspection is back", url=self.url)
        self._breaker.succeeded()


class IntrospectionVerifier:
    """One server, for the tokens that may be its own."""

    scheme = "bearer"

    def __init__(
        self,
        introspector: Introspector,
        rules: ClaimRules,
        *,
        clock: Clock,
        realm: str,
        cache_seconds: float,
        token_prefix: str = "",
    ) -> None:
        self._introspector = introspector
        self._rules = rules
        self._wall = clock.wall
        self._token_prefix = token_prefix.encode("ascii")
        self.cache_seconds = cache_seconds
        self.challenge = bearer_challenge(realm)
        self.configuration = configuration_digest(
            "introspection", introspector.url, repr(rules), token_prefix
        )

    def __repr__(self) -> str:
        return f"IntrospectionVerifier({self._introspector!r})"

    async def verify(self, credentials: bytes) -> Caller | None:
        if not self._may_be_its_own(credentials):
            return None
        answer = await self._introspector.ask(credentials.decode("ascii"))
        if answer is None:
            return None
        _check_kind(answer)
        return self._rules.caller(answer, now=self._wall())

    async def start(self, forget: Callable[[], None]) -> None:  # noqa: ARG002 - see below
        """What a server withdraws it does not tell: answers are believed for a while only."""
        self._introspector.start()

    async def close(self) -> None:
        await self._introspector.close()

    def ready(self) -> Readiness:
        """A server that is away costs its own callers a 503, and nobody else anything."""
        return True, self._introspector.state()

    def _may_be_its_own(self, credentials: bytes) -> bool:
        """A token is a secret: no server hears of one that is visibly another's."""
        if not credentials.startswith(self._token_prefix):
            return False
        try:
            token = UnprovedToken.parse(credentials)
        except CredentialsRefused:
            return True  # it has a JWT's dots and is none
        return token is None or self._rules.issuer in {None, token.issuer}


def _is_active(answer: Mapping[str, Any]) -> bool:
    """RFC 7662 section 2.2: a boolean, and required."""
    active = answer.get("active")
    if active is not True and active is not False:
        raise FetchFailed("the answer's `active` is neither true nor false")
    return active


def _check_kind(answer: Mapping[str, Any]) -> None:
    for member, kinds in _KINDS.items():
        kind = answer.get(member)
        if kind is not None and not (isinstance(kind, str) and kind.lower() in kinds):
            raise CredentialsRefused(f"the token's `{member}` is not that of an access token")
    if answer.get("cnf") is not None:
        # RFC 7800: good only together with a proof of possession, of which we know nothing.
        raise CredentialsRefused("the token is bound to a key that nobody has shown here")
